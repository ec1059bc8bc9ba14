use std::{
    io::{self, Write},
    sync::Arc,
};

use indicator_proto::{
    Time,
    v1::{self, ErrorReason},
};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    task,
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::super::wire;
use crate::{
    engine::{Error, Violation},
    watch::Hub,
};

/// Bytes of one message.
const CHUNK: usize = 256 << 10;

/// Messages that wait for a slow reader.
const AHEAD: usize = 2;

type Sender = mpsc::Sender<Result<v1::BackupResponse, Status>>;

/// Sends a backup of what there is now.
pub(super) fn send(
    hub: &Arc<Hub>,
    request: v1::BackupRequest,
    permit: OwnedSemaphorePermit,
) -> Result<ReceiverStream<Result<v1::BackupResponse, Status>>, Error> {
    let v1::BackupRequest { after_revision, after_hash, epoch } = request;
    let hash = match <[u8; 32]>::try_from(&after_hash[..]) {
        Ok(hash) => Some(hash),
        Err(_) if after_hash.is_empty() => None,
        Err(_) => {
            let description = format!("has {} bytes; a hash has 32, or leave it out", after_hash.len());
            return Err(Violation::new("after_hash", ErrorReason::InvalidRequest, description).into());
        }
    };
    let mine = wire::epoch(hub.engine().epoch());
    if !epoch.is_empty() && epoch != mine {
        return Err(Error::OtherBackup);
    }
    let micros = jiff::Timestamp::now().as_microsecond();
    let made_at = Time::from_micros(micros).unwrap_or(Time::MAX);
    // What is wrong with the request is answered at once. The head is the one of now.
    drop(hub.engine().backup(after_revision, hash, mine.clone(), made_at)?);
    let (sender, receiver) = mpsc::channel(AHEAD);
    let hub = Arc::clone(hub);
    task::spawn_blocking(move || {
        let _permit = permit;
        let mut out = Chunks { sender: &sender, stopping: hub.stopping(), chunk: Vec::new() };
        let written = hub.engine().backup(after_revision, hash, mine, made_at).and_then(|backup| Ok(backup.write(&mut out)?));
        let error = match written {
            Ok(_) => return,
            Err(_) if hub.stopping().is_cancelled() => Error::ShuttingDown,
            Err(error) => error,
        };
        // Whoever has gone needs no answer.
        if !sender.is_closed() {
            drop(sender.blocking_send(Err(error.into())));
        }
    });
    Ok(ReceiverStream::new(receiver))
}

/// Bytes as messages. It writes no faster than they are read.
struct Chunks<'a> {
    sender: &'a Sender,
    stopping: &'a CancellationToken,
    chunk: Vec<u8>,
}

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = CHUNK - self.chunk.len();
        let taken = bytes.len().min(room);
        self.chunk.extend_from_slice(&bytes[..taken]);
        if self.chunk.len() == CHUNK {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.stopping.is_cancelled() {
            return Err(io::Error::other("the server is stopping"));
        }
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::take(&mut self.chunk);
        self.sender.blocking_send(Ok(v1::BackupResponse { chunk })).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

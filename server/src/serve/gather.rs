use std::{
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker, ready},
};

use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is gathered at most before it is written.
const ENOUGH: usize = 64 << 10;

/// Turns of the others that are waited for at most.
const TURNS: u32 = 8;

/// Room that a connection keeps while it is idle.
const KEPT: usize = 4 << 10;

/// A connection that writes at once what its streams have to send at one moment.
///
/// Each stream of an HTTP/2 connection is a task of its own, and each that has something to send wakes the connection, which is run
/// next, before the other streams that are ready. A thousand watchers of one change were a thousand small writes, and the kernel took
/// more than half of the processor. Here a flush waits until the tasks that are ready have had their turn.
#[derive(Debug)]
pub(super) struct Gather<IO> {
    io: IO,
    gathered: Vec<u8>,
    /// As much of that is written.
    written: usize,
    /// Whether the turn of the others is waited for.
    asked: bool,
    /// How often it was, since the last write, and what was gathered then.
    turns: u32,
    gathered_then: usize,
    turn: Arc<Turn>,
}

/// Tells when all tasks that were ready have been run.
#[derive(Debug, Default)]
struct Turn {
    has_come: AtomicBool,
    connection: AtomicWaker,
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.has_come.store(true, Ordering::Release);
        self.connection.wake();
    }
}

impl<IO: AsyncWrite + Unpin> Gather<IO> {
    pub(super) fn new(io: IO) -> Self {
        Self { io, gathered: Vec::new(), written: 0, asked: false, turns: 0, gathered_then: 0, turn: Arc::default() }
    }

    /// Asks to be woken when the others have had their turn.
    fn ask(&mut self, connection: &Waker) {
        self.turn.connection.register(connection);
        if !self.asked {
            self.asked = true;
            self.turns += 1;
            self.gathered_then = self.gathered.len();
            self.turn.has_come.store(false, Ordering::Release);
            let waker = Waker::from(Arc::clone(&self.turn));
            // The runtime keeps the waker, and wakes it when it has run what is ready.
            let _ = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(&waker));
        }
    }

    fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.gathered.len() {
            match ready!(Pin::new(&mut self.io).poll_write(cx, &self.gathered[self.written..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        self.written = 0;
        (self.asked, self.turns) = (false, 0);
        // What a burst needed is not kept for a connection that is idle for hours.
        if self.gathered.capacity() > KEPT {
            self.gathered = Vec::new()
        } else {
            self.gathered.clear()
        }
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Gather<IO> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Gather<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.gathered.len() >= ENOUGH {
            ready!(self.poll_write_out(cx))?;
        }
        self.gathered.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    /// Ready at once while the others have their turn: h2 adds no frame to one that is not flushed. The connection is then polled
    /// again, and flushed again, when it is time to write.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.gathered.is_empty() {
            let begun = self.written > 0 || self.gathered.len() >= ENOUGH;
            let has_come = self.asked && self.turn.has_come.load(Ordering::Acquire);
            self.asked &= !has_come;
            // A worker with much to run gives turns before it has run everything: as long as more comes, more is waited for.
            let more_comes = self.gathered.len() > self.gathered_then && self.turns < TURNS;
            let due = has_come && !more_comes;
            if !(begun || due) {
                self.ask(cx.waker());
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_write_out(cx))?;
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_out(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if self.gathered.len() >= ENOUGH {
            ready!(self.poll_write_out(cx))?;
        }
        bufs.iter().for_each(|buf| self.gathered.extend_from_slice(buf));
        Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::{io::AsyncWriteExt as _, task::yield_now};

    use super::*;

    /// Keeps each write; takes no more than `most` bytes of one.
    #[derive(Clone, Default)]
    struct Writes {
        kept: Arc<Mutex<Vec<Vec<u8>>>>,
        most: Option<usize>,
    }

    impl AsyncWrite for Writes {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            let count = buf.len().min(self.most.unwrap_or(usize::MAX));
            self.kept.lock().unwrap().push(buf[..count].to_vec());
            Poll::Ready(Ok(count))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Polls a flush once more each time that it is woken, as a connection does; ends when nothing is gathered.
    async fn connection(io: Arc<Mutex<Gather<Writes>>>) {
        std::future::poll_fn(|cx| {
            let mut io = io.lock().unwrap();
            ready!(Pin::new(&mut *io).poll_flush(cx)).unwrap();
            if io.gathered.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    #[tokio::test]
    async fn what_tasks_write_that_are_ready_together_is_one_write() {
        let writes = Writes::default();
        let io = Arc::new(Mutex::new(Gather::new(writes.clone())));
        let write = |io: Arc<Mutex<Gather<Writes>>>, byte: u8| async move {
            std::future::poll_fn(|cx| Pin::new(&mut *io.lock().unwrap()).poll_write(cx, &[byte])).await.unwrap();
        };
        write(io.clone(), 0).await;
        let flushed = tokio::spawn(connection(io.clone()));
        let others: Vec<_> = (1..100).map(|byte| tokio::spawn(write(io.clone(), byte))).collect();
        flushed.await.unwrap();
        for other in others {
            other.await.unwrap();
        }
        assert_eq!(*writes.kept.lock().unwrap(), [(0..100).collect::<Vec<u8>>()]);
    }

    #[tokio::test]
    async fn nothing_is_lost_or_disordered_however_it_is_written() {
        for most in [1, 7, 100_000] {
            let writes = Writes { most: Some(most), ..Writes::default() };
            let mut io = Gather::new(writes.clone());
            let mut expected = Vec::new();
            for size in [1, 10, 3, 70_000, 5, 200_000, 2] {
                let piece: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
                io.write_all(&piece).await.unwrap();
                expected.extend(piece);
                io.flush().await.unwrap();
                yield_now().await;
            }
            io.shutdown().await.unwrap();
            assert!(writes.kept.lock().unwrap().concat() == expected, "at most {most} bytes a write");
        }
    }
}

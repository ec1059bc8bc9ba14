//! As much of HTTP/2 as a reader of many streams needs: frames from a socket, and windows opened again.
//!
//! A library would cost more for each delivered event than the servers do, and that on the same processors. Header blocks are not
//! decoded: a stream here goes on until the reader leaves, so that its end is a failure whatever it says.

use anyhow::{Context as _, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// What the server may send ahead on all streams of a connection.
const CONNECTION_WINDOW: u32 = 16 << 20;
/// What it may where nothing is said.
pub(super) const DEFAULT_WINDOW: u32 = 65_535;

const BUFFER: usize = 256 << 10;
const HEAD: usize = 9;
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

const INITIAL_WINDOW_SIZE: u16 = 4;

/// Takes the messages of a connection's streams.
pub(super) trait Reader {
    /// A whole message of a stream; streams are numbered from 0.
    fn message(&mut self, stream: usize, message: &[u8]) -> Result<()>;
}

/// A connection with streams that are read side by side.
pub(super) struct Connection {
    socket: TcpStream,
    input: Vec<u8>,
    filled: usize,
    output: Vec<u8>,
    streams: Vec<Stream>,
    /// Read on all streams since the connection's window was last opened.
    taken: u32,
    stream_window: u32,
    /// Whether the windows of streams are opened again when they have been read.
    reads_streams: bool,
}

#[derive(Default)]
struct Stream {
    /// The beginning of a message that goes on in the next frame.
    partial: Vec<u8>,
    /// Read since its window was last opened.
    taken: u32,
}

impl Connection {
    /// The server may send so much ahead on a stream. If the reader does not read streams, that is all it may ever send.
    pub(super) async fn open(address: &str, stream_window: u32, reads_streams: bool) -> Result<Self> {
        let socket = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        socket.set_nodelay(true)?;
        let mut output = PREFACE.to_vec();
        let mut settings = INITIAL_WINDOW_SIZE.to_be_bytes().to_vec();
        settings.extend(stream_window.to_be_bytes());
        put_frame(&mut output, SETTINGS, 0, 0, &settings);
        open_window(&mut output, 0, CONNECTION_WINDOW - DEFAULT_WINDOW);
        let (input, streams) = (vec![0; BUFFER], Vec::new());
        Ok(Self { socket, input, filled: 0, output, streams, taken: 0, stream_window, reads_streams })
    }

    /// Begins a call with one message. `ends` says that no other follows. It is sent with the next [`flush`](Self::flush).
    pub(super) fn call(&mut self, authority: &str, path: &str, message: &[u8], ends: bool) {
        let id = 2 * self.streams.len() as u32 + 1;
        self.streams.push(Stream::default());
        // Indexed fields of HPACK's static table: POST, http; then literals that enter no table.
        let mut block = vec![0x83, 0x86];
        put_literal(&mut block, &[0x01], authority);
        put_literal(&mut block, &[0x04], path);
        put_literal(&mut block, &[0x0f, 0x10], "application/grpc");
        put_literal(&mut block, &[0x00, 2, b't', b'e'], "trailers");
        put_frame(&mut self.output, HEADERS, END_HEADERS, id, &block);
        put_frame(&mut self.output, DATA, if ends { END_STREAM } else { 0 }, id, message);
    }

    /// Sends what is to be sent.
    pub(super) async fn flush(&mut self) -> Result<()> {
        if !self.output.is_empty() {
            self.socket.write_all(&self.output).await?;
            self.output.clear();
        }
        Ok(())
    }

    /// Waits for bytes. May be given up at any moment.
    pub(super) async fn fill(&mut self) -> Result<()> {
        let read = self.socket.read(&mut self.input[self.filled..]).await?;
        ensure!(read > 0, "the server closed the connection");
        self.filled += read;
        Ok(())
    }

    /// Gives the messages that have come to a reader.
    pub(super) fn take(&mut self, reader: &mut impl Reader) -> Result<()> {
        let mut at = 0;
        while let Some(head) = self.input[at..self.filled].first_chunk::<HEAD>() {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let (kind, flags) = (head[3], head[4]);
            let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            let (start, end) = (at + HEAD, at + HEAD + length);
            if end > self.filled {
                break;
            }
            let payload = &self.input[start..end];
            at = end;
            match kind {
                DATA => {
                    ensure!(flags & PADDED == 0, "the server pads");
                    let index = (id / 2) as usize;
                    let stream = self.streams.get_mut(index).context("data of a stream that was not opened")?;
                    stream.take(payload, |message| reader.message(index, message))?;
                    stream.taken += length as u32;
                    if self.reads_streams && stream.taken >= self.stream_window / 2 {
                        open_window(&mut self.output, id, std::mem::take(&mut stream.taken));
                    }
                    self.taken += length as u32;
                    if self.taken >= CONNECTION_WINDOW / 2 {
                        open_window(&mut self.output, 0, std::mem::take(&mut self.taken));
                    }
                }
                SETTINGS if flags & ACK == 0 => put_frame(&mut self.output, SETTINGS, ACK, 0, &[]),
                PING if flags & ACK == 0 => put_frame(&mut self.output, PING, ACK, 0, payload),
                RST_STREAM | GOAWAY => bail!("the server ended stream {id}: {}", String::from_utf8_lossy(payload)),
                _ => {}
            }
            ensure!(!matches!(kind, DATA | HEADERS) || flags & END_STREAM == 0, "the server ended stream {id}");
        }
        self.input.copy_within(at..self.filled, 0);
        self.filled -= at;
        Ok(())
    }
}

impl Stream {
    fn take(&mut self, data: &[u8], mut message: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        if self.partial.is_empty() {
            let rest = messages(data, &mut message)?;
            self.partial.extend_from_slice(rest);
        } else {
            self.partial.extend_from_slice(data);
            let rest = messages(&self.partial, &mut message)?.len();
            let whole = self.partial.len() - rest;
            self.partial.drain(..whole);
        }
        Ok(())
    }
}

/// Takes the whole messages off, each after its gRPC prefix. Answers what is left.
fn messages<'a>(mut data: &'a [u8], message: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<&'a [u8]> {
    while let Some((&[_, a, b, c, d], rest)) = data.split_first_chunk::<5>()
        && let Some((whole, rest)) = rest.split_at_checked(u32::from_be_bytes([a, b, c, d]) as usize)
    {
        message(whole)?;
        data = rest;
    }
    Ok(data)
}

fn put_frame(output: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    output.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    output.extend_from_slice(&[kind, flags]);
    output.extend_from_slice(&stream.to_be_bytes());
    output.extend_from_slice(payload);
}

fn open_window(output: &mut Vec<u8>, stream: u32, by: u32) {
    put_frame(output, WINDOW_UPDATE, 0, stream, &by.to_be_bytes());
}

/// A header field whose text is shorter than 127 bytes, as all here are.
fn put_literal(block: &mut Vec<u8>, name: &[u8], text: &str) {
    block.extend_from_slice(name);
    block.push(text.len() as u8);
    block.extend_from_slice(text.as_bytes());
}

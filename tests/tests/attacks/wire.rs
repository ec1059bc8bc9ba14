//! HTTP/2 by hand: what no well-behaved client library would send.

use std::{net::SocketAddr, time::Duration};

use indicator_tests::LONG;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A text of HPACK, as it is: RFC 7541, section 5.2.
fn text(text: &str, into: &mut Vec<u8>) {
    let mut length = text.len();
    if length < 127 {
        into.push(length as u8);
    } else {
        into.push(127);
        length -= 127;
        while length >= 128 {
            into.push((length % 128) as u8 | 128);
            length /= 128;
        }
        into.push(length as u8);
    }
    into.extend(text.as_bytes());
}

/// The header block of a gRPC call.
pub(crate) fn call(path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    // :method POST and :scheme http; then :path and :authority, whose names are in the static table.
    let mut block = vec![0x83, 0x86, 0x04];
    text(path, &mut block);
    block.push(0x01);
    text("test", &mut block);
    for (name, value) in [("content-type", "application/grpc"), ("te", "trailers")].iter().chain(more) {
        block.push(0x00);
        text(name, &mut block);
        text(value, &mut block);
    }
    block
}

/// A connection that has said that it speaks HTTP/2.
pub(crate) struct Raw {
    pub(crate) socket: TcpStream,
}

/// A frame of the server.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let mut raw = Self { socket: TcpStream::connect(address).await.unwrap() };
        raw.send(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
        raw
    }

    /// Sends; whether the server still takes it.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> bool {
        self.socket.write_all(bytes).await.is_ok()
    }

    /// Sends one after the other what is made for each number, and reads on the way, until the server takes no more.
    /// What it received.
    pub(crate) async fn flood(self, count: u32, mut make: impl FnMut(u32) -> Vec<u8> + Send + 'static) -> Vec<Received> {
        let (read, mut write) = self.socket.into_split();
        let sending = tokio::spawn(async move {
            for number in 0..count {
                if write.write_all(&make(number)).await.is_err() {
                    return None;
                }
            }
            // Kept open.
            Some(write)
        });
        let received = receive(read).await;
        sending.abort();
        received
    }

    /// The next frame; `None` at the end.
    pub(crate) async fn receive(&mut self) -> Option<Received> {
        timeout(LONG, next(&mut self.socket)).await.expect("the server answers")
    }
}

async fn next(read: &mut (impl tokio::io::AsyncRead + Unpin)) -> Option<Received> {
    let mut head = [0; 9];
    read.read_exact(&mut head).await.ok()?;
    let [l0, l1, l2, kind, flags, stream @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, l0, l1, l2]) as usize];
    read.read_exact(&mut payload).await.ok()?;
    Some(Received { kind, flags, stream: u32::from_be_bytes(stream), payload })
}

/// Everything until the server ends the connection.
async fn receive(mut read: impl tokio::io::AsyncRead + Unpin) -> Vec<Received> {
    let mut received = Vec::new();
    while let Some(frame) = timeout(LONG, next(&mut read)).await.expect("the server ends the connection") {
        received.push(frame);
    }
    received
}

/// Error code and debug data of the GOAWAY among frames.
pub(crate) fn farewell(received: &[Received]) -> Option<(u32, String)> {
    let goaway = received.iter().rev().find(|frame| frame.kind == GOAWAY)?;
    let code = u32::from_be_bytes(goaway.payload[4..8].try_into().unwrap());
    Some((code, String::from_utf8_lossy(&goaway.payload[8..]).into_owned()))
}

/// Whether the server ends a connection by itself.
pub(crate) async fn is_ended(mut socket: TcpStream) -> bool {
    let mut rest = Vec::new();
    timeout(LONG, socket.read_to_end(&mut rest)).await.is_ok()
}

pub(crate) const MOMENT: Duration = Duration::from_millis(100);

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// What every HTTP/2 client sends first: RFC 9113, section 3.4.
pub(super) const HTTP2: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection whose reads fail when the client has not shown in time which protocol it speaks.
///
/// Neither hyper nor h2 has a time limit here, and HTTP/2 pings begin only after it.
#[derive(Debug)]
pub(super) struct Preface<IO> {
    io: IO,
    waiting: Option<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    start: Start,
    timeout: Pin<Box<Sleep>>,
}

/// What a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http2,
    Other,
}

/// The bytes with which a connection starts.
#[derive(Debug, Default)]
pub(super) struct Start {
    matched: usize,
}

impl<IO> Preface<IO> {
    pub(super) fn new(io: IO, timeout: Duration) -> Self {
        Self { io, waiting: Some(Waiting { start: Start::default(), timeout: Box::pin(sleep(timeout)) }) }
    }
}

impl Start {
    /// The protocol, and how many of these bytes belong to the preface, if they, with those before, are enough to tell it.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Option<(Protocol, usize)> {
        let expected = &HTTP2[self.matched..];
        let common = expected.iter().zip(bytes).take_while(|(expected, byte)| expected == byte).count();
        self.matched += common;
        if self.matched == HTTP2.len() {
            return Some((Protocol::Http2, common));
        }
        (common < bytes.len()).then_some((Protocol::Other, common))
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Preface<IO> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let Some(waiting) = &mut this.waiting else { return Pin::new(&mut this.io).poll_read(cx, buf) };
        let before = buf.filled().len();
        match Pin::new(&mut this.io).poll_read(cx, buf) {
            Poll::Ready(read) => {
                if waiting.start.follow(&buf.filled()[before..]).is_some() {
                    this.waiting = None;
                }
                Poll::Ready(read)
            }
            Poll::Pending => {
                ready!(waiting.timeout.as_mut().poll(cx));
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client did not begin to speak HTTP")))
            }
        }
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Preface<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    async fn read_after(bytes: &[u8]) -> io::Result<usize> {
        let (mut client, server) = duplex(64);
        let mut server = Preface::new(server, TIMEOUT);
        for byte in bytes {
            client.write_all(&[*byte]).await.unwrap();
            assert_eq!(server.read_u8().await.unwrap(), *byte);
        }
        tokio::time::timeout(TIMEOUT * 2, server.read(&mut [0; 8])).await.unwrap_or(Ok(usize::MAX))
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_nothing_or_a_part_of_the_preface_is_timed_out() {
        for part in [&b""[..], b"P", &HTTP2[..23]] {
            assert_eq!(read_after(part).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_has_shown_its_protocol_may_be_idle() {
        for start in [&HTTP2[..], b"PRI * HTTP/1", b"GET / HTTP/1.0\r\n\r\n"] {
            assert_eq!(read_after(start).await.unwrap(), usize::MAX);
        }
    }
}

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

use super::preface::{Protocol, Start};

/// Bytes before the payload of each frame: RFC 9113, section 4.1.
const HEAD: usize = 9;

/// Types of frames.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const ENHANCE_YOUR_CALM: u32 = 11;

/// Seconds of frames that may come at once.
const BURST: u32 = 10;

/// Frames without content that one with content, sent to the client, pays for: it opens the windows of the stream and the connection
/// again, and measures the line.
const PAID: u32 = 3;

/// How long a client has to read why its connection ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// A connection that ends when its client sends too many HTTP/2 frames without content: PING, SETTINGS, RST_STREAM and the like,
/// each of which costs the server more than the client.
///
/// h2 bounds some of them and hyper none by rate: 20,000 PINGs were all answered. Those that come with the reading of answers are
/// free, as in gRPC's own rule for PINGs.
#[derive(Debug)]
pub(super) struct Calm<IO> {
    io: IO,
    start: Option<Start>,
    /// Once the client is known to speak HTTP/2.
    watched: Option<Watched>,
    leaving: Option<Leaving>,
}

#[derive(Debug)]
struct Watched {
    incoming: Frames,
    outgoing: Frames,
    allowance: Allowance,
    /// The newest stream that the client has opened.
    last_stream: u32,
}

impl<IO> Calm<IO> {
    /// With as many frames without content a second.
    pub(super) fn new(io: IO, most: u32) -> Self {
        let watched =
            Watched { incoming: Frames::default(), outgoing: Frames::default(), allowance: Allowance::new(most), last_stream: 0 };
        Self { io, start: Some(Start::default()), watched: Some(watched), leaving: None }
    }

    /// Follows what comes in. The error says of what there was too much.
    fn receive(&mut self, mut bytes: &[u8]) -> Result<(), &'static str> {
        if let Some(start) = &mut self.start {
            let Some((protocol, taken)) = start.follow(bytes) else { return Ok(()) };
            self.start = None;
            if protocol == Protocol::Other {
                self.watched = None;
            }
            bytes = &bytes[taken..];
        }
        let Some(Watched { incoming, allowance, last_stream, .. }) = &mut self.watched else { return Ok(()) };
        incoming.follow(bytes, |head| {
            if head.kind == HEADERS {
                *last_stream = head.stream.max(*last_stream);
            }
            match head.without_content() {
                Some(what) if !allowance.take() => Err(what),
                _ => Ok(()),
            }
        })
    }

    fn send(&mut self, bytes: &[u8]) {
        let Some(Watched { outgoing, allowance, .. }) = &mut self.watched else { return };
        let pay = |head: Head| {
            if matches!(head.kind, DATA | HEADERS) {
                allowance.earn();
            }
            Ok(())
        };
        // It never fails.
        let _ = outgoing.follow(bytes, pay);
    }

    fn leave(&mut self, what: &'static str) {
        tracing::debug!(what, "ending a connection");
        let last_stream = self.watched.as_ref().map_or(0, |watched| watched.last_stream);
        // A client that stopped reading within a frame is not told.
        let told = self.watched.as_ref().is_some_and(|watched| watched.outgoing.are_whole());
        let farewell = if told { goaway(last_stream, what) } else { Vec::new() };
        self.leaving = Some(Leaving { farewell, written: 0, shut: false, wait: Box::pin(sleep(FAREWELL)) });
    }
}

fn goaway(last_stream: u32, what: &str) -> Vec<u8> {
    let length = 8 + what.len() as u32;
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([GOAWAY, 0, 0, 0, 0, 0]);
    frame.extend(last_stream.to_be_bytes());
    frame.extend(ENHANCE_YOUR_CALM.to_be_bytes());
    frame.extend(what.as_bytes());
    frame
}

/// What is known of a frame before its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    length: usize,
    kind: u8,
    flags: u8,
    stream: u32,
}

impl Head {
    fn parse(head: [u8; HEAD]) -> Self {
        let [l0, l1, l2, kind, flags, stream @ ..] = head;
        let length = u32::from_be_bytes([0, l0, l1, l2]) as usize;
        Self { length, kind, flags, stream: u32::from_be_bytes(stream) & !(1 << 31) }
    }

    /// What to complain of if there are too many of these.
    fn without_content(self) -> Option<&'static str> {
        match self.kind {
            // One that ends its stream comes once a call.
            DATA => (self.length == 0 && self.flags & END_STREAM == 0).then_some("too_many_empty_frames"),
            HEADERS | CONTINUATION => None,
            PRIORITY => Some("too_many_priorities"),
            RST_STREAM => Some("too_many_resets"),
            SETTINGS => Some("too_many_settings"),
            // gRPC's word, by which its clients know that they ping too often.
            PING => Some("too_many_pings"),
            WINDOW_UPDATE => Some("too_many_window_updates"),
            _ => Some("too_many_control_frames"),
        }
    }
}

/// Follows the frames in bytes that come in arbitrary pieces.
#[derive(Debug, Default)]
struct Frames {
    head: [u8; HEAD],
    head_len: usize,
    /// Bytes of the current payload still to come.
    rest: usize,
}

impl Frames {
    fn follow(&mut self, mut bytes: &[u8], mut each: impl FnMut(Head) -> Result<(), &'static str>) -> Result<(), &'static str> {
        loop {
            let skipped = self.rest.min(bytes.len());
            self.rest -= skipped;
            bytes = &bytes[skipped..];
            if bytes.is_empty() {
                return Ok(());
            }
            let taken = (HEAD - self.head_len).min(bytes.len());
            self.head[self.head_len..self.head_len + taken].copy_from_slice(&bytes[..taken]);
            self.head_len += taken;
            bytes = &bytes[taken..];
            if self.head_len == HEAD {
                let head = Head::parse(self.head);
                (self.head_len, self.rest) = (0, head.length);
                each(head)?;
            }
        }
    }

    /// Whether no frame has begun and not ended.
    fn are_whole(&self) -> bool {
        self.head_len == 0 && self.rest == 0
    }
}

/// How many frames without content may still come.
#[derive(Debug)]
struct Allowance {
    /// A second.
    rate: f64,
    left: f64,
    at: Instant,
    earned: u32,
}

impl Allowance {
    fn new(rate: u32) -> Self {
        let rate = f64::from(rate);
        Self { rate, left: rate * f64::from(BURST), at: Instant::now(), earned: 0 }
    }

    fn take(&mut self) -> bool {
        if self.earned > 0 {
            self.earned -= 1;
            return true;
        }
        if self.left < 1.0 {
            let now = Instant::now();
            let since = now.duration_since(self.at).as_secs_f64();
            self.left = (self.left + since * self.rate).min(self.rate * f64::from(BURST));
            self.at = now;
        }
        let some = self.left >= 1.0;
        if some {
            self.left -= 1.0;
        }
        some
    }

    fn earn(&mut self) {
        let most = (self.rate as u32).saturating_mul(BURST);
        self.earned = self.earned.saturating_add(PAID).min(most);
    }
}

/// The end of a connection: says why, closes its side, and leaves the client a moment to read it.
#[derive(Debug)]
struct Leaving {
    farewell: Vec<u8>,
    written: usize,
    shut: bool,
    wait: Pin<Box<Sleep>>,
}

impl Leaving {
    fn poll<IO: AsyncWrite + Unpin>(&mut self, io: &mut IO, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.wait.as_mut().poll(cx).is_pending() {
            match self.poll_say(io, cx) {
                Poll::Ready(Err(error)) => return Poll::Ready(error),
                Poll::Ready(Ok(())) | Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(io::Error::new(io::ErrorKind::ConnectionAborted, "the client sent too many frames without content"))
    }

    fn poll_say<IO: AsyncWrite + Unpin>(&mut self, io: &mut IO, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.farewell.len() {
            match ready!(Pin::new(&mut *io).poll_write(cx, &self.farewell[self.written..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        if !self.shut {
            ready!(Pin::new(io).poll_shutdown(cx))?;
            self.shut = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for Calm<IO> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.leaving.is_none() {
            let before = buf.filled().len();
            ready!(Pin::new(&mut this.io).poll_read(cx, buf))?;
            let Err(what) = this.receive(&buf.filled()[before..]) else { return Poll::Ready(Ok(())) };
            buf.set_filled(before);
            this.leave(what);
        }
        let leaving = this.leaving.as_mut().expect("it leaves");
        Poll::Ready(Err(ready!(leaving.poll(&mut this.io, cx))))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Calm<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.leaving.is_some() {
            // Nothing follows the farewell.
            return Poll::Ready(Ok(buf.len()));
        }
        let count = ready!(Pin::new(&mut self.io).poll_write(cx, buf))?;
        self.send(&buf[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.leaving.is_some() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if self.leaving.is_some() {
            return Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()));
        }
        let count = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bufs))?;
        let mut rest = count;
        for buf in bufs {
            let taken = rest.min(buf.len());
            self.send(&buf[..taken]);
            rest -= taken;
        }
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::{super::preface::HTTP2, *};

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        frame
    }

    const MOST: u32 = 10;

    /// A connection whose client has sent its preface, and the client's end of it.
    async fn connection() -> (Calm<DuplexStream>, DuplexStream) {
        let (mut client, server) = duplex(1 << 20);
        let mut calm = Calm::new(server, MOST);
        client.write_all(HTTP2).await.unwrap();
        calm.read_exact(&mut [0; HTTP2.len()]).await.unwrap();
        (calm, client)
    }

    /// Sends frames until the server has enough of them; how many it took.
    async fn taken(calm: &mut Calm<DuplexStream>, client: &mut DuplexStream, frame: &[u8], most: usize) -> usize {
        let mut received = vec![0; frame.len()];
        for count in 0..most {
            client.write_all(frame).await.unwrap();
            if calm.read_exact(&mut received).await.is_err() {
                return count;
            }
            assert_eq!(received, frame);
        }
        most
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_any_frame_without_content_ends_with_a_farewell_that_says_what_it_was() {
        for (kind, what) in [
            (PING, "too_many_pings"),
            (SETTINGS, "too_many_settings"),
            (RST_STREAM, "too_many_resets"),
            (PRIORITY, "too_many_priorities"),
            (WINDOW_UPDATE, "too_many_window_updates"),
            (DATA, "too_many_empty_frames"),
            (0x42, "too_many_control_frames"),
        ] {
            let (mut calm, mut client) = connection().await;
            let payload: &[u8] = if kind == DATA { &[] } else { &[0; 8] };
            client.write_all(&frame(HEADERS, 0, 7, b"a call")).await.unwrap();
            calm.read_exact(&mut [0; 15]).await.unwrap();
            calm.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
            let flood = frame(kind, 0, 7, payload);
            assert_eq!(taken(&mut calm, &mut client, &flood, 1000).await, (MOST * BURST) as usize, "{what}");
            let mut told = Vec::new();
            client.read_to_end(&mut told).await.unwrap();
            let debug = [&7_u32.to_be_bytes()[..], &ENHANCE_YOUR_CALM.to_be_bytes(), what.as_bytes()].concat();
            assert_eq!(told, [frame(SETTINGS, 0, 0, &[]), frame(GOAWAY, 0, 0, &debug)].concat());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_at_the_rate_that_is_allowed_goes_on_for_ever() {
        let (mut calm, mut client) = connection().await;
        let ping = frame(PING, 0, 0, &[0; 8]);
        for _ in 0..100 {
            assert_eq!(taken(&mut calm, &mut client, &ping, MOST as usize).await, MOST as usize);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn frames_with_content_and_what_the_reading_of_answers_needs_are_free() {
        let (mut calm, mut client) = connection().await;
        let request = [frame(HEADERS, 4, 1, b"request"), frame(DATA, 0, 1, b"message"), frame(DATA, END_STREAM, 1, b"")].concat();
        let opening =
            [frame(WINDOW_UPDATE, 0, 0, &[0; 4]), frame(WINDOW_UPDATE, 0, 1, &[0; 4]), frame(PING, 0, 0, &[0; 8])].concat();
        for _ in 0..1000 {
            assert_eq!(taken(&mut calm, &mut client, &request, 1).await, 1);
            calm.write_all(&frame(DATA, 0, 1, b"answer")).await.unwrap();
            client.read_exact(&mut [0; 15]).await.unwrap();
            assert_eq!(taken(&mut calm, &mut client, &opening, 1).await, 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_farewell_never_cuts_a_frame() {
        let (mut calm, mut client) = connection().await;
        let begun = &frame(DATA, 0, 1, b"answer")[..10];
        calm.write_all(begun).await.unwrap();
        taken(&mut calm, &mut client, &frame(PING, 0, 0, &[0; 8]), 1000).await;
        let mut told = Vec::new();
        client.read_to_end(&mut told).await.unwrap();
        assert_eq!(told, begun);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_of_another_protocol_is_let_be() {
        let (mut client, server) = duplex(1 << 20);
        let mut calm = Calm::new(server, MOST);
        let page = [b"GET / HTTP/1.1\r\n\r\n", &[0; 9000][..]].concat();
        assert_eq!(taken(&mut calm, &mut client, &page, 100).await, 100);
    }

    proptest! {
        #[test]
        fn frames_are_found_however_the_bytes_are_cut(
            frames in prop::collection::vec((any::<u8>(), any::<u8>(), 0..1_u32 << 31, 0_usize..40), 0..20),
            cuts in prop::collection::vec(1_usize..30, 1..60),
        ) {
            let bytes: Vec<u8> =
                frames.iter().flat_map(|(kind, flags, stream, length)| frame(*kind, *flags, *stream, &vec![7; *length])).collect();
            let (mut follower, mut found) = (Frames::default(), Vec::new());
            let (mut rest, mut cuts) = (&bytes[..], cuts.iter().cycle());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                rest = after;
                follower.follow(piece, |head| { found.push((head.kind, head.flags, head.stream, head.length)); Ok(()) }).unwrap();
            }
            prop_assert_eq!(found, frames);
            prop_assert!(follower.are_whole());
        }

        #[test]
        fn any_bytes_are_followed(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..50)) {
            let mut follower = Frames::default();
            for piece in pieces {
                follower.follow(&piece, |_| Ok(())).unwrap();
            }
        }
    }
}

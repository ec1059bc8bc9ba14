//! Pages, by HTTP/1.1: those of the private port, and those of the display.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use crate::LONG;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The status code.
    pub status: u16,
    /// Its headers, as they came.
    pub headers: String,
    /// The text.
    pub text: String,
}

impl Page {
    /// The value of a header; nothing if it has none of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// Asks for a page.
///
/// # Panics
///
/// If there is no answer.
pub async fn get(address: SocketAddr, path: &str) -> Page {
    try_get(address, path).await.unwrap_or_else(|| panic!("no answer from {address}{path}"))
}

/// Asks for a page; nothing if nobody answers.
pub async fn try_get(address: SocketAddr, path: &str) -> Option<Page> {
    ask(address, "GET", path, &[], "").await
}

/// Asks with a method, headers and a body; nothing if nobody answers.
pub async fn ask(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<Page> {
    let mut server = TcpStream::connect(address).await.ok()?;
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    server.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    server.read_to_string(&mut answer).await.ok()?;
    let (headers, text) = answer.split_once("\r\n\r\n")?;
    let status = headers.split(' ').nth(1)?.parse().ok()?;
    // A text that comes in chunks has their lengths between.
    let text =
        if headers.to_ascii_lowercase().contains("transfer-encoding: chunked") { unchunked(text)? } else { text.to_owned() };
    Some(Page { status, headers: headers.to_owned(), text })
}

fn unchunked(mut text: &str) -> Option<String> {
    let mut whole = String::new();
    loop {
        let (length, rest) = text.split_once("\r\n")?;
        let length = usize::from_str_radix(length, 16).ok()?;
        if length == 0 {
            return Some(whole);
        }
        whole.push_str(rest.get(..length)?);
        text = rest.get(length + 2..)?;
    }
}

/// An event of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// What it is.
    pub name: String,
    /// Where the stream goes on after it.
    pub id: String,
    /// What it carries.
    pub data: String,
}

/// Server-sent events, as a browser reads them: <https://html.spec.whatwg.org/multipage/server-sent-events.html>.
#[derive(Debug)]
pub struct Events {
    server: BufReader<TcpStream>,
    /// Bytes of the present chunk that are still to come.
    chunk: usize,
}

impl Events {
    /// Opens a stream with headers. The error is the status code, if it is not 200; 0 if nobody answers.
    pub async fn open(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let mut server = TcpStream::connect(address).await.map_err(|_| 0_u16)?;
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n{headers}\r\n");
        server.write_all(request.as_bytes()).await.map_err(|_| 0_u16)?;
        let mut server = BufReader::with_capacity(4 << 10, server);
        let mut status = 0;
        loop {
            let mut line = String::new();
            if server.read_line(&mut line).await.map_err(|_| 0_u16)? == 0 {
                return Err(status);
            }
            if status == 0 {
                status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
            }
            if line == "\r\n" {
                return if status == 200 { Ok(Self { server, chunk: 0 }) } else { Err(status) };
            }
        }
    }

    /// The next event; nothing at the end.
    pub async fn next(&mut self) -> Option<Event> {
        let mut event = Event::default();
        loop {
            let line = self.line().await?;
            match line.split_once(": ") {
                None if line.is_empty() => return Some(event),
                Some(("event", name)) => event.name = name.to_owned(),
                Some(("id", id)) => event.id = id.to_owned(),
                Some(("data", data)) => event.data = data.to_owned(),
                _ => {}
            }
        }
    }

    /// The next event of a name.
    ///
    /// # Panics
    ///
    /// If the stream ends before, or within [`LONG`] there is none.
    pub async fn find(&mut self, name: &str) -> Event {
        let found = async {
            loop {
                let event = self.next().await.unwrap_or_else(|| panic!("the stream ended before {name:?}"));
                if event.name == name {
                    return event;
                }
            }
        };
        tokio::time::timeout(LONG, found).await.unwrap_or_else(|_| panic!("no {name:?} within {LONG:?}"))
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        loop {
            if self.chunk == 0 {
                let mut length = String::new();
                self.server.read_line(&mut length).await.ok()?;
                if length == "\r\n" {
                    continue;
                }
                self.chunk = usize::from_str_radix(length.trim(), 16).ok().filter(|length| *length > 0)?;
            }
            let mut piece = Vec::new();
            let read = (&mut self.server).take(self.chunk as u64).read_until(b'\n', &mut piece).await.ok()?;
            if read == 0 {
                return None;
            }
            self.chunk -= read;
            line.extend(piece);
            if line.last() == Some(&b'\n') {
                line.pop();
                return String::from_utf8(line).ok();
            }
        }
    }
}

/// The value of a metric with these labels, as `/metrics` writes them; nothing if it is not there.
#[must_use]
pub fn metric(page: &Page, name: &str) -> Option<f64> {
    page.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

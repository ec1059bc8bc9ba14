//! Pages of the server's private port, by HTTP/1.1.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

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
    let mut server = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
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

/// The value of a metric with these labels, as `/metrics` writes them; nothing if it is not there.
#[must_use]
pub fn metric(page: &Page, name: &str) -> Option<f64> {
    page.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

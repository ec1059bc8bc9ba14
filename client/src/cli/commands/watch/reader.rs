//! Whoever reads standard output.

use std::{
    io::{self, Stdout},
    os::fd::AsFd as _,
};

use tokio::{io::Interest, net::unix::pipe::Sender};

/// The other end of standard output. A write finds out that nobody reads it; where there is nothing to write, this does.
#[derive(Debug)]
pub(super) struct Reader(Option<Sender>);

impl Reader {
    pub(super) fn of_stdout() -> Self {
        // A file has no other end, and cannot be waited for.
        Self(of(&io::stdout()).ok())
    }

    /// Waits until nobody reads any more.
    pub(super) async fn gone(&self) {
        match &self.0 {
            Some(stdout) if stdout.ready(Interest::ERROR).await.is_ok() => {}
            _ => std::future::pending().await,
        }
    }
}

fn of(stdout: &Stdout) -> io::Result<Sender> {
    // Unchecked: the checked one would make it non-blocking, for everybody who shares it. Nothing is written to this one.
    Sender::from_owned_fd_unchecked(stdout.as_fd().try_clone_to_owned()?)
}

//! Being stopped by a signal: after the event in hand, so that what is kept is what was done.

use std::{io, process};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// What a shell answers for a command that a signal ended, less the signal's number.
pub(crate) const SIGNALLED: i32 = 128;

/// Tells whether somebody has asked to stop.
#[derive(Debug)]
pub(crate) struct Stop(watch::Receiver<Option<i32>>);

impl Stop {
    /// Listens to Ctrl-C and SIGTERM. The second one ends the process at once.
    pub(crate) fn on_signals() -> io::Result<Self> {
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (ask, asked) = watch::channel(None);
        tokio::spawn(async move {
            let (mut interrupt, mut terminate) = (interrupt, terminate);
            let first = next(&mut interrupt, &mut terminate).await;
            ask.send_replace(Some(first));
            process::exit(next(&mut interrupt, &mut terminate).await)
        });
        Ok(Self(asked))
    }

    /// Whether it has been asked.
    pub(crate) fn is_asked(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// The exit code, if it has been asked.
    pub(crate) fn exit_code(&self) -> Option<i32> {
        *self.0.borrow()
    }

    /// Waits until it is asked.
    pub(crate) async fn asked(&self) {
        let mut asked = self.0.clone();
        if asked.wait_for(Option::is_some).await.is_err() {
            // The listener goes with the process only.
            std::future::pending().await
        }
    }
}

/// The exit code for the next signal.
async fn next(interrupt: &mut Signal, terminate: &mut Signal) -> i32 {
    let kind = tokio::select! {
        _ = interrupt.recv() => SignalKind::interrupt(),
        _ = terminate.recv() => SignalKind::terminate(),
    };
    SIGNALLED + kind.as_raw_value()
}

//! Writers: closed loops on a connection of their own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::Result;
use fastrand::Rng;
use futures::future::try_join_all;
use tonic::codegen::http::Uri;

use super::{
    crowd::{LAST, Numbers, now},
    side::Side,
};
use crate::{
    figures::Figures,
    load::{call, open},
    process::Server,
};

/// Writes the time of sending to random cells, so many at once, for a while. Answers what was written.
pub(super) async fn write_for(
    (side, server): (Side, &Server),
    figures: Figures,
    in_flight: usize,
    span: Duration,
) -> Result<Numbers> {
    let until = now() + span.as_nanos() as u64;
    let uri: Uri = format!("http://{}{}", server.address, side.write_path()).parse()?;
    let sender = open(server).await?;
    let writers = (0..in_flight).map(|_| {
        let (mut sender, uri, mut random) = (sender.clone(), uri.clone(), Rng::new());
        async move {
            let mut written = Numbers::default();
            loop {
                let (cell, sent) = (random.u32(..figures.observations() as u32), now());
                if sent >= until {
                    return anyhow::Ok(written);
                }
                sender = sender.ready().await?;
                call(&mut sender, &uri, side.write(figures, &[(cell, sent)])).await?;
                written.add(sent);
            }
        }
    });
    // In a task of its own, which no call leaves.
    let each = tokio::spawn(try_join_all(writers.collect::<Vec<_>>())).await??;
    Ok(join(each))
}

/// Writes [`LAST`] to the first cell.
pub(super) async fn write_last((side, server): (Side, &Server), figures: Figures) -> Result<()> {
    let uri: Uri = format!("http://{}{}", server.address, side.write_path()).parse()?;
    let mut sender = open(server).await?;
    // Something else first: what is there already would not be written.
    for number in [1, LAST] {
        sender = sender.ready().await?;
        call(&mut sender, &uri, side.write(figures, &[(0, number)])).await?;
    }
    Ok(())
}

/// Which figures a commit has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Commit {
    /// One.
    Figure,
    /// A whole series, as an import writes it.
    Series,
    /// One month of every series, as a release has it.
    Month,
}

impl Commit {
    /// How many commits write each figure of a set once.
    pub(super) fn of_all(self, figures: Figures) -> u32 {
        match self {
            Self::Figure => figures.observations() as u32,
            Self::Series => figures.series(),
            Self::Month => figures.months,
        }
    }

    /// The cells of a commit of its number, with numbers to write to them.
    fn cells(self, figures: Figures, number: u32) -> Vec<(u32, u64)> {
        let numbered = |cell: u32| (cell, u64::from(cell) + 1);
        match self {
            Self::Figure => vec![numbered(number)],
            Self::Series => (0..figures.months).map(|month| numbered(number * figures.months + month)).collect(),
            Self::Month => (0..figures.series()).map(|series| numbered(series * figures.months + number)).collect(),
        }
    }
}

/// Writes every figure of a set once. Answers what was written.
pub(super) async fn write_all(
    (side, server): (Side, &Server),
    figures: Figures,
    commit: Commit,
    (connections, in_flight): (usize, usize),
) -> Result<Numbers> {
    let uri: Uri = format!("http://{}{}", server.address, side.write_path()).parse()?;
    let next = Arc::new(AtomicU32::new(0));
    let mut written = Numbers::default();
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let sender = open(server).await?;
        let writers = (0..in_flight).map(|_| {
            let (mut sender, uri, next) = (sender.clone(), uri.clone(), Arc::clone(&next));
            async move {
                let mut written = Numbers::default();
                loop {
                    let number = next.fetch_add(1, Relaxed);
                    if number >= commit.of_all(figures) {
                        return anyhow::Ok(written);
                    }
                    let cells = commit.cells(figures, number);
                    sender = sender.ready().await?;
                    call(&mut sender, &uri, side.write(figures, &cells)).await?;
                    cells.iter().for_each(|&(_, number)| written.add(number));
                }
            }
        });
        tasks.push(tokio::spawn(try_join_all(writers.collect::<Vec<_>>())));
    }
    for task in tasks {
        written.join(join(task.await??));
    }
    Ok(written)
}

fn join(each: Vec<Numbers>) -> Numbers {
    each.into_iter().fold(Numbers::default(), |mut all, one| {
        all.join(one);
        all
    })
}

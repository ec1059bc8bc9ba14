//! The contestants' interfaces: how a watch is opened, how its messages are read, how a figure is written.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use indicator_proto::v1::{self, watch_request};
use prost::Message as _;

use super::fields::{Field, Fields};
use crate::{
    etcd,
    figures::{Figures, period},
    load::frame,
    unary::etcd_key,
};

/// A service with watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Indicatord,
    Etcd,
}

/// What to watch. Always of all cells or keys.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    /// Every change from now on.
    NewChanges,
    /// Every change there ever was.
    AllChanges,
    /// What is current from now on, told at most once in this time. etcd has no such thing.
    Latest(Duration),
}

/// Takes what a watch tells.
pub(super) trait Listener {
    /// The watch is open.
    fn opened(&mut self);
    /// A change: its revision, and the number that was written.
    fn event(&mut self, revision: u64, number: u64) -> Result<()>;
}

impl Side {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Indicatord => "indicatord",
            Self::Etcd => "etcd",
        }
    }

    pub(super) fn watch_path(self) -> &'static str {
        match self {
            Self::Indicatord => "/indicator.v1.WatchService/Watch",
            Self::Etcd => etcd::WATCH,
        }
    }

    /// Whether a watch's request ends with its message. etcd's watch is open in both directions.
    pub(super) fn ends_request(self) -> bool {
        self == Self::Indicatord
    }

    /// The request of a watch.
    pub(super) fn watch(self, wanted: Wanted) -> Bytes {
        if self == Self::Etcd {
            return frame(&etcd::WatchRequest::of_all_keys(match wanted {
                Wanted::NewChanges | Wanted::Latest(_) => 0,
                Wanted::AllChanges => 1,
            }));
        }
        let start = match wanted {
            Wanted::NewChanges | Wanted::Latest(_) => watch_request::Start::Now(v1::StartNow {}),
            Wanted::AllChanges => watch_request::Start::AfterRevision(0),
        };
        let (mode, min_interval) = match wanted {
            Wanted::NewChanges | Wanted::AllChanges => (v1::WatchMode::EveryChange, None),
            Wanted::Latest(interval) => (v1::WatchMode::Latest, Some(interval)),
        };
        let min_interval = min_interval.filter(|interval| !interval.is_zero());
        frame(&v1::WatchRequest {
            start: Some(start),
            mode: mode.into(),
            min_interval: min_interval.and_then(|interval| prost_types::Duration::try_from(interval).ok()),
            ..v1::WatchRequest::default()
        })
    }

    /// Reads a message of a watch.
    pub(super) fn read(self, message: &[u8], listener: &mut impl Listener) -> Result<()> {
        match self {
            Self::Indicatord => read_ours(message, listener),
            Self::Etcd => read_etcds(message, listener),
        }
    }

    pub(super) fn write_path(self) -> &'static str {
        match self {
            Self::Indicatord => "/indicator.v1.ObservationService/WriteObservations",
            Self::Etcd => etcd::PUT,
        }
    }

    /// Writes numbers to cells, together; etcd takes one.
    pub(super) fn write(self, figures: Figures, numbers: &[(u32, u64)]) -> Bytes {
        let observation = |&(cell, number): &(u32, u64)| v1::Observation {
            series: Some(figures.key(cell / figures.months)),
            period: period(cell % figures.months),
            value: number.to_string(),
            ..v1::Observation::default()
        };
        match (self, numbers) {
            (Self::Etcd, [one]) => {
                let value = observation(one).encode_to_vec().into();
                frame(&etcd::PutRequest { key: etcd_key(figures, one.0), value })
            }
            _ => frame(&v1::WriteObservationsRequest {
                changes: numbers.iter().map(observation).collect(),
                // etcd does not answer with what it wrote either.
                omit_changes: true,
                ..v1::WriteObservationsRequest::default()
            }),
        }
    }
}

/// `WatchResponse` > `Changes` > `CommitEvents` > `CellChange` > `Observation`.
fn read_ours(message: &[u8], listener: &mut impl Listener) -> Result<()> {
    for field in Fields(message) {
        match field? {
            (1, _) => listener.opened(),
            (4, Field::Bytes(changes)) => each(changes, 3, |commit| {
                let mut revision = 0;
                for field in Fields(commit) {
                    match field? {
                        (1, Field::Number(number)) => revision = number,
                        (4, Field::Bytes(change)) => {
                            each(change, 2, |observation| listener.event(revision, number(observation)?))?;
                        }
                        _ => {}
                    }
                }
                Ok(())
            })?,
            (5, _) => {}
            (other, _) => bail!("a watch has message {other}"),
        }
    }
    Ok(())
}

/// `WatchResponse` > `Event` > `KeyValue`, whose value is an observation.
fn read_etcds(message: &[u8], listener: &mut impl Listener) -> Result<()> {
    for field in Fields(message) {
        match field? {
            (3, Field::Number(1)) => listener.opened(),
            (4, Field::Number(1)) => bail!("a watch was cancelled"),
            (11, Field::Bytes(event)) => each(event, 2, |pair| {
                let mut revision = 0;
                for field in Fields(pair) {
                    match field? {
                        (3, Field::Number(number)) => revision = number,
                        (5, Field::Bytes(observation)) => listener.event(revision, number(observation)?)?,
                        _ => {}
                    }
                }
                Ok(())
            })?,
            _ => {}
        }
    }
    Ok(())
}

/// Each message that is in a field of this number.
fn each(message: &[u8], number: u64, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    for field in Fields(message) {
        if let (n, Field::Bytes(inner)) = field?
            && n == number
        {
            take(inner)?;
        }
    }
    Ok(())
}

/// The value of an observation.
fn number(observation: &[u8]) -> Result<u64> {
    for field in Fields(observation) {
        let (3, Field::Bytes(digits)) = field? else { continue };
        ensure!(digits.iter().all(u8::is_ascii_digit), "a figure is not a number");
        return Ok(digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')));
    }
    bail!("an event has no figure")
}

//! The contestants' interfaces: how a watch is opened, how its messages are read, how a figure is written.

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

/// Where a watch starts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    /// With the next change.
    Now,
    /// With the first change of all.
    Beginning,
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

    /// Asks for every change of everything.
    pub(super) fn watch(self, start: Start) -> Bytes {
        match self {
            Self::Indicatord => {
                let start = match start {
                    Start::Now => watch_request::Start::Now(v1::StartNow {}),
                    Start::Beginning => watch_request::Start::AfterRevision(0),
                };
                frame(&v1::WatchRequest {
                    start: Some(start),
                    mode: v1::WatchMode::EveryChange.into(),
                    ..v1::WatchRequest::default()
                })
            }
            Self::Etcd => {
                let start_revision = match start {
                    Start::Now => 0,
                    Start::Beginning => 1,
                };
                frame(&etcd::WatchRequest::of_all_keys(start_revision))
            }
        }
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
            (4, Field::Bytes(changes)) => {
                for field in Fields(changes) {
                    let (3, Field::Bytes(commit)) = field? else { continue };
                    let mut revision = 0;
                    for field in Fields(commit) {
                        match field? {
                            (1, Field::Number(number)) => revision = number,
                            (4, Field::Bytes(change)) => {
                                for field in Fields(change) {
                                    if let (2, Field::Bytes(observation)) = field? {
                                        listener.event(revision, number(observation)?)?;
                                    }
                                }
                            }
                            _ => {}
                        }
                    }
                }
            }
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
            (11, Field::Bytes(event)) => {
                for field in Fields(event) {
                    let (2, Field::Bytes(pair)) = field? else { continue };
                    let mut revision = 0;
                    for field in Fields(pair) {
                        match field? {
                            (3, Field::Number(number)) => revision = number,
                            (5, Field::Bytes(observation)) if !observation.is_empty() => {
                                listener.event(revision, number(observation)?)?;
                            }
                            _ => {}
                        }
                    }
                }
            }
            _ => {}
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

//! Moments as they are typed: a revision, a day, a time.

use std::{str::FromStr, time::Duration};

use indicator_proto::{ParseTimeError, Time, v1};

use crate::context::Context;

/// Microseconds of a day, but the last.
const REST_OF_DAY: i64 = 86_400_000_000 - 1;

/// At which moment a command reads the record.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct AsOfArgs {
    /// As the record was at a revision or at the end of a day or time: 17, 2024-10-20, 2024-10-20T08:00:00Z
    #[arg(long, value_name = "REVISION|TIME")]
    as_of: Option<Moment>,
    /// As had been published by the end of a day or by a time: 2024-10-20
    #[arg(long, value_name = "TIME", value_parser = end)]
    published_at: Option<Time>,
}

impl AsOfArgs {
    /// The moment for a request. `None` means now.
    pub(crate) fn moment(&self) -> Option<v1::AsOf> {
        let (revision, recorded_at) = match self.as_of {
            None => (0, None),
            Some(Moment::Revision(revision)) => (revision, None),
            Some(Moment::Time(time)) => (0, Some(time.into())),
        };
        let published_at = self.published_at.map(Into::into);
        let given = self.as_of.is_some() || self.published_at.is_some();
        given.then_some(v1::AsOf { revision, recorded_at, published_at })
    }
}

/// A revision or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Revision(u64),
    Time(Time),
}

/// Why a text is no moment.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ParseMomentError {
    #[error("revisions begin with 1")]
    Zero,
    #[error(transparent)]
    Time(#[from] ParseTimeError),
}

impl FromStr for Moment {
    type Err = ParseMomentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(0) => Err(ParseMomentError::Zero),
            Ok(revision) => Ok(Self::Revision(revision)),
            Err(_) => Ok(Self::Time(end(text)?)),
        }
    }
}

/// Where changes begin: after a revision, or with the first one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    Revision(u64),
    Time(Time),
}

impl Since {
    /// The revision after which they begin.
    pub(crate) async fn revision(self, cx: &Context) -> Result<u64, indicator_client::Error> {
        match self {
            Self::Revision(revision) => Ok(revision),
            // What was recorded at that very moment is among them.
            Self::Time(time) => revision_at(cx, Time::from_micros(time.micros() - 1).unwrap_or(time)).await,
        }
    }
}

impl FromStr for Since {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(revision) => Ok(Self::Revision(revision)),
            Err(_) => Ok(Self::Time(text.parse()?)),
        }
    }
}

/// Where changes end: with a revision, with the last one at a time, or with the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    Now,
    Revision(u64),
    Time(Time),
}

impl Until {
    /// The last revision. `None` if the time is still to come.
    pub(crate) async fn revision(self, cx: &Context) -> Result<Option<u64>, indicator_client::Error> {
        match self {
            Self::Now => Ok(Some(cx.client.get_status(v1::GetStatusRequest {}).await?.head_revision)),
            Self::Revision(revision) => Ok(Some(revision)),
            Self::Time(time) if left(time).is_zero() => revision_at(cx, time).await.map(Some),
            Self::Time(_) => Ok(None),
        }
    }

    /// Waits until it is not to come any more.
    pub(crate) async fn wait(self) {
        if let Self::Time(time) = self {
            tokio::time::sleep(left(time)).await;
        }
    }
}

impl FromStr for Until {
    type Err = ParseMomentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.trim() {
            "now" => Self::Now,
            text => match text.parse()? {
                Moment::Revision(revision) => Self::Revision(revision),
                Moment::Time(time) => Self::Time(time),
            },
        })
    }
}

/// How long a time is still to come.
fn left(time: Time) -> Duration {
    let micros = time.micros() - jiff::Timestamp::now().as_microsecond();
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// The newest revision at a time; 0 if there was none.
async fn revision_at(cx: &Context, time: Time) -> Result<u64, indicator_client::Error> {
    let as_of = Some(v1::AsOf { recorded_at: Some(time.into()), ..v1::AsOf::default() });
    // The header is all that is read of the answer.
    let query = cx.client.query_observations(v1::QueryObservationsRequest { as_of, ..Default::default() }).await?;
    Ok(query.header().revision)
}

/// A time, or the last microsecond of a day: whoever asks for a day means all of it.
pub(crate) fn end(text: &str) -> Result<Time, ParseTimeError> {
    let time: Time = text.parse()?;
    let day = text.trim().len() == "2021-12-06".len();
    let shifted = if day { Time::from_micros(time.micros() + REST_OF_DAY) } else { None };
    Ok(shifted.unwrap_or(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_revision_and_a_date_the_end_of_its_day() {
        assert_eq!("17".parse::<Moment>().unwrap(), Moment::Revision(17));
        let time = |text: &str| Moment::Time(text.parse().expect("a time"));
        assert_eq!("2024-10-20".parse::<Moment>().unwrap(), time("2024-10-20T23:59:59.999999Z"));
        assert_eq!("2024-10-20T08:00:00+08:00".parse::<Moment>().unwrap(), time("2024-10-20T00:00:00Z"));
        for text in ["0", "-1", "yesterday", "2024-02-30", "2024-10-20T08:00:00"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    #[test]
    fn changes_begin_with_a_day_and_end_with_it() {
        let time = |text: &str| text.parse::<Time>().expect("a time");
        assert_eq!("0".parse::<Since>().unwrap(), Since::Revision(0));
        assert_eq!("2024-10-20".parse::<Since>().unwrap(), Since::Time(time("2024-10-20T00:00:00Z")));
        assert_eq!("2024-10-20".parse::<Until>().unwrap(), Until::Time(time("2024-10-20T23:59:59.999999Z")));
        assert_eq!("17".parse::<Until>().unwrap(), Until::Revision(17));
        assert_eq!("now".parse::<Until>().unwrap(), Until::Now);
        for text in ["0", "later", "2024-02-30"] {
            assert!(text.parse::<Until>().is_err(), "{text}");
        }
    }

    #[test]
    fn no_moment_means_now() {
        assert_eq!(AsOfArgs::default().moment(), None);
    }
}

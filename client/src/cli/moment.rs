//! Moments as they are typed: a revision, a day, a time.

use std::str::FromStr;

use indicator_proto::{ParseTimeError, Time, v1};

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

#[derive(Debug, thiserror::Error)]
enum ParseMomentError {
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

/// A time, or the last microsecond of a day: whoever asks for a day means all of it.
fn end(text: &str) -> Result<Time, ParseTimeError> {
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
    fn no_moment_means_now() {
        assert_eq!(AsOfArgs::default().moment(), None);
    }
}

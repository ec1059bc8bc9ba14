//! `indicator put`: one figure in.

use anyhow::Result;
use futures::future::try_join_all;
use indicator_proto::{
    Decimal, ParseDecimalError, Period, Time,
    v1::{
        Bound, EntryKind, Equivalent, MissingReason, Observation, ObservationStatus, SeriesExpectation, WriteMode,
        WriteObservationsRequest,
    },
};

use crate::{
    context::Context,
    failure::Failure,
    series::SeriesArgs,
    typed::Typed as _,
    value::Figure,
    write::{ReasonArgs, write},
};

/// Arguments of `indicator put`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator put data-centers Shandong 2021-12-06 204 --source local-media
  indicator put 5g-base-stations CN-SD 2021-12-06 '>100000' -s local-media
  indicator put online-retail-stores CN-SD 2021-12-06 1710000 --rounded-to 10000 -s local-media
  indicator put gdp CN-SD 2024-Q4 --missing not-available -s nbs

The figure is written as a whole: what is not given is not kept from the version before.")]
pub(crate) struct Args {
    #[command(flatten)]
    series: SeriesArgs,
    /// Period: 2020, 2020-Q4, 2020-12, 2021-12-06, …
    period: Period,
    /// Figure in the indicator's unit: 204, '>100000', '>=3', '<5', '~1.2', 1..5
    #[arg(required_unless_present = "missing", conflicts_with = "missing", allow_negative_numbers = true)]
    value: Option<Figure>,
    /// Who says so
    #[arg(short, long, value_name = "SOURCE")]
    source: String,
    #[command(flatten)]
    reason: ReasonArgs,
    /// Write only if the series is still at this revision; 0: it has never been written
    #[arg(long, value_name = "REVISION")]
    expect_revision: Option<u64>,
    /// Check everything and show what would change, but write nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    details: Details,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "The figure")]
struct Details {
    /// How the figure relates to the value, instead of a sign before it
    #[arg(long, value_name = "BOUND", value_parser = Bound::parser(), requires = "value")]
    bound: Option<Bound>,
    /// Why there is no figure
    #[arg(long, value_name = "REASON", value_parser = MissingReason::parser())]
    missing: Option<MissingReason>,
    /// A property of the figure; may be repeated
    #[arg(long, value_name = "STATUS", value_parser = ObservationStatus::parser())]
    status: Vec<ObservationStatus>,
    /// Size of the last digit as published: 10000 for "1.71 million"
    #[arg(long, value_name = "SIZE", value_parser = Decimal::parse_lenient)]
    rounded_to: Option<Decimal>,
    /// The figure in another unit, as published: '470400000000 USD'; may be repeated
    #[arg(long, value_name = "VALUE UNIT", value_parser = equivalent)]
    equivalent: Vec<(Decimal, String)>,
    /// The source's own words
    #[arg(long, value_name = "TEXT")]
    words: Option<String>,
    /// A remark for the reader
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Where the source published it
    #[arg(long, value_name = "URI")]
    document: Option<String>,
    /// When the source published it: a day or a time [default: now]
    #[arg(long, value_name = "TIME")]
    published_at: Option<Time>,
}

/// Writes the figure.
pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let series = cx.series(&args.series, Some(&args.source)).await?;
    let mut observation = args.details.observation(cx).await?;
    observation.series = Some(series.clone());
    observation.period = args.period.to_string();
    put_value(&mut observation, args.value.as_ref(), args.details.bound)?;
    let expectation = args.expect_revision.map(|revision| SeriesExpectation { series: Some(series), revision });
    let request = WriteObservationsRequest {
        changes: vec![observation],
        mode: WriteMode::Merge.into(),
        expected_revisions: expectation.into_iter().collect(),
        validate_only: args.dry_run,
        context: Some(args.reason.context()),
        ..WriteObservationsRequest::default()
    };
    write(cx, request).await
}

fn put_value(observation: &mut Observation, value: Option<&Figure>, bound: Option<Bound>) -> Result<(), Failure> {
    match (value, bound) {
        (None, _) => {}
        (Some(Figure::Value(value, None)), Some(bound)) => Figure::Value(*value, Some(bound)).put_into(observation),
        (Some(figure), None) => figure.put_into(observation),
        (Some(Figure::Value(_, Some(_))), Some(_)) => {
            return Err(Failure::usage("the value has a sign and there is a --bound; give one of them"));
        }
        (Some(Figure::Between(..)), Some(_)) => return Err(Failure::usage("an interval has no --bound")),
    }
    Ok(())
}

impl Details {
    async fn observation(&self, cx: &Context) -> Result<Observation> {
        let equivalents = self.equivalent.iter().map(|(value, unit)| async move {
            let unit = cx.id(EntryKind::Unit, unit).await?;
            anyhow::Ok(Equivalent { value: value.to_string(), unit })
        });
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Ok(Observation {
            missing: self.missing.unwrap_or_default().into(),
            statuses: self.status.iter().map(|status| (*status).into()).collect(),
            rounded_to: self.rounded_to.map(|size| size.to_string()).unwrap_or_default(),
            equivalents: try_join_all(equivalents).await?,
            original_text: text(&self.words),
            note: text(&self.note),
            document_uri: text(&self.document),
            published_at: self.published_at.map(Into::into),
            ..Observation::default()
        })
    }
}

#[derive(Debug, thiserror::Error)]
enum EquivalentError {
    #[error("write the value, a space and the unit, such as '470400000000 USD'")]
    Form,
    #[error(transparent)]
    Value(#[from] ParseDecimalError),
}

fn equivalent(text: &str) -> Result<(Decimal, String), EquivalentError> {
    let (value, unit) = text.trim().split_once(' ').ok_or(EquivalentError::Form)?;
    Ok((Decimal::parse_lenient(value)?, unit.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::{args::Cli, commands::Command};

    fn put(rest: &[&str]) -> Result<Args, clap::Error> {
        let line = ["indicator", "put", "gdp", "CN-SD", "2020"].iter().chain(rest);
        Cli::try_parse_from(line).map(|cli| match cli.command {
            Command::Put(args) => args,
            other => panic!("put: {other:?}"),
        })
    }

    fn written(rest: &[&str]) -> Result<Observation, Failure> {
        let args = put(rest).expect("a right command line");
        let mut observation = Observation::default();
        put_value(&mut observation, args.value.as_ref(), args.details.bound).map(|()| observation)
    }

    #[test]
    fn a_value_may_be_negative_bounded_or_an_interval() {
        assert_eq!(written(&["-5.50", "--source", "nbs"]).unwrap().value, "-5.5");
        assert_eq!(written(&[">=3", "-s", "nbs"]).unwrap().bound(), Bound::AtLeast);
        assert_eq!(written(&["3", "--bound", "at-most", "-s", "nbs"]).unwrap().bound(), Bound::AtMost);
        assert_eq!(written(&["-s", "nbs", "--", "-5..-1"]).unwrap().interval.map(|it| it.lower), Some("-5".to_owned()));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        assert!(written(&[">3", "--bound", "at-least", "-s", "nbs"]).is_err());
        assert!(written(&["1..3", "--bound", "at-least", "-s", "nbs"]).is_err());
        for line in [
            &["3"][..],
            &["-s", "nbs"],
            &["3", "--missing", "suppressed", "-s", "nbs"],
            &["3", "--missing", "unknown", "-s", "nbs"],
            &["1,000", "-s", "nbs"],
            &["3", "-s", "nbs", "--equivalent", "USD"],
            &["--sorce", "nbs", "3"],
        ] {
            assert!(put(line).is_err(), "{line:?}");
        }
        assert!(put(&["--missing", "suppressed", "-s", "nbs"]).is_ok());
    }

    #[test]
    fn an_equivalent_is_a_value_and_a_unit() {
        let (value, unit) = equivalent("4.704e11 US dollar").unwrap();
        assert_eq!((&*value.to_string(), &*unit), ("470400000000", "US dollar"));
    }
}

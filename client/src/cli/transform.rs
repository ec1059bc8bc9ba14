//! Computations as they are typed: `yoy`, `aggregate:annual`, `per:population:1000`, `convert:USD:usd-cny`.

use clap::builder::TypedValueParser;
use indicator_proto::v1::{
    Aggregate, AggregationMethod, Change, ChangeSpan, CompoundedAnnualRate, ContinuouslyCompounded, Convert, Cumulate,
    Decumulate, EntryKind, Frequency, IncompletePeriods, IndexTo, NaturalLogarithm, PerUnit, PercentChange, Rolling,
    ShareOfRegion, Transform, transform::Step,
};

use crate::{context::Context, typed::Typed};

/// What is to be computed.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Computation")]
pub(crate) struct StepArgs {
    /// Compute this of the figures; may be repeated, each step on the result of the one before (see below)
    #[arg(short = 'T', long = "transform", value_name = "STEP", value_delimiter = ',', value_parser = parser())]
    transforms: Vec<Transform>,
}

/// What is to be computed, and whether to tell how.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Computation")]
pub(crate) struct ComputeArgs {
    #[command(flatten)]
    steps: StepArgs,
    /// Tell how each figure came about
    #[arg(long)]
    pub(crate) explain: bool,
}

/// For the help of commands that compute.
pub(crate) const STEPS: &str = "\
Steps (with FRED's names where it has them):
  change chg, change:year ch1       difference from the period, or year, before
  percent pch, yoy pc1              the same in percent
  pca, cch, cca, log                compounded and continuously compounded growth, natural logarithm
  index:PERIOD                      PERIOD is 100
  rolling:N[:sum|max|min]           mean, or other, of N periods
  ytd, single                       from the beginning of the year (累计), and back to single periods
  aggregate:FREQUENCY[:METHOD][:whole]  to a lower frequency: average, sum, last, first, max, min; whole periods only
  per:INDICATOR[:N]                 for each, or each N, of another indicator
  share[:LEVEL]                     in percent of the parent region, or the one of a level
  convert:UNIT[:RATE]               to another unit; money by the indicator that is the exchange rate";

impl ComputeArgs {
    /// The steps for a request: names become ids.
    pub(crate) async fn transforms(&self, cx: &Context) -> anyhow::Result<Vec<Transform>> {
        self.steps.transforms(cx).await
    }
}

impl StepArgs {
    /// The steps for a request: names become ids.
    pub(crate) async fn transforms(&self, cx: &Context) -> anyhow::Result<Vec<Transform>> {
        let mut transforms = self.transforms.clone();
        for transform in &mut transforms {
            match &mut transform.step {
                Some(Step::PerUnit(per)) => per.indicator = cx.id(EntryKind::Indicator, &per.indicator).await?,
                Some(Step::Convert(convert)) => {
                    convert.unit = cx.id(EntryKind::Unit, &convert.unit).await?;
                    if !convert.exchange_rate.is_empty() {
                        convert.exchange_rate = cx.id(EntryKind::Indicator, &convert.exchange_rate).await?;
                    }
                }
                _ => {}
            }
        }
        Ok(transforms)
    }
}

/// Reads one step.
fn parser() -> impl TypedValueParser<Value = Transform> {
    clap::builder::StringValueParser::new().try_map(|text| step(&text).map(|step| Transform { step: Some(step) }))
}

/// Why a text is no step.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum ParseStepError {
    #[error(
        "there is no step {0:?}; the steps are change, percent, yoy, pca, cch, cca, log, index, rolling, ytd, single, aggregate, per, share, convert"
    )]
    Unknown(String),
    #[error("{step} needs {what}: {step}:{example}")]
    Incomplete { step: &'static str, what: &'static str, example: &'static str },
    #[error("{step} does not take {text:?}; {remedy}")]
    Excess { step: String, text: String, remedy: &'static str },
}

fn step(text: &str) -> Result<Step, ParseStepError> {
    let mut words = text.split(':').map(str::trim);
    let name = words.next().unwrap_or_default();
    let rest: Vec<&str> = words.collect();
    let none = |step: Step| match rest.first() {
        None => Ok(step),
        Some(text) => Err(ParseStepError::Excess { step: name.to_owned(), text: (*text).to_owned(), remedy: "write it alone" }),
    };
    let needs = |step, what, example| ParseStepError::Incomplete { step, what, example };
    let year = ChangeSpan::Year.into();
    match name {
        "change" | "chg" => Ok(Step::Change(Change { span: span(name, &rest)? })),
        "ch1" => none(Step::Change(Change { span: year })),
        "percent" | "pch" => Ok(Step::PercentChange(PercentChange { span: span(name, &rest)? })),
        "yoy" | "pc1" => none(Step::PercentChange(PercentChange { span: year })),
        "pca" => none(Step::CompoundedAnnualRate(CompoundedAnnualRate {})),
        "cch" => none(Step::ContinuouslyCompounded(ContinuouslyCompounded { annual: false })),
        "cca" => none(Step::ContinuouslyCompounded(ContinuouslyCompounded { annual: true })),
        "log" | "ln" => none(Step::NaturalLogarithm(NaturalLogarithm {})),
        "ytd" | "cumulate" => none(Step::Cumulate(Cumulate {})),
        "single" | "decumulate" => none(Step::Decumulate(Decumulate {})),
        "index" => match rest.as_slice() {
            [base] => Ok(Step::IndexTo(IndexTo { base_period: (*base).to_owned() })),
            _ => Err(needs("index", "the period that is 100", "2015")),
        },
        "rolling" => {
            rolling(&rest).ok_or_else(|| needs("rolling", "a number of periods, then perhaps sum, max or min", "12:sum"))
        }
        "per" => match rest.as_slice() {
            [indicator] => Ok(Step::PerUnit(PerUnit { indicator: (*indicator).to_owned(), multiple: String::new() })),
            [indicator, multiple] => {
                Ok(Step::PerUnit(PerUnit { indicator: (*indicator).to_owned(), multiple: (*multiple).to_owned() }))
            }
            _ => Err(needs("per", "an indicator, then perhaps a number of its units", "population:1000")),
        },
        "share" => match rest.as_slice() {
            [] => Ok(Step::ShareOfRegion(ShareOfRegion::default())),
            [level] => Ok(Step::ShareOfRegion(ShareOfRegion { level: (*level).to_owned() })),
            _ => Err(needs("share", "at most a level", "country")),
        },
        "aggregate" => {
            let what = "a frequency, then perhaps a method and whole";
            aggregate(&rest).ok_or_else(|| needs("aggregate", what, "annual:sum:whole"))
        }
        "convert" => match rest.as_slice() {
            [unit] => Ok(Step::Convert(Convert { unit: (*unit).to_owned(), exchange_rate: String::new() })),
            [unit, rate] => Ok(Step::Convert(Convert { unit: (*unit).to_owned(), exchange_rate: (*rate).to_owned() })),
            _ => Err(needs("convert", "a unit, then for money the indicator that is the rate", "USD:usd-cny")),
        },
        _ => Err(ParseStepError::Unknown(name.to_owned())),
    }
}

fn span(step: &str, rest: &[&str]) -> Result<i32, ParseStepError> {
    match rest {
        [] | ["period"] => Ok(ChangeSpan::Period.into()),
        ["year"] => Ok(ChangeSpan::Year.into()),
        [text, ..] => Err(ParseStepError::Excess {
            step: step.to_owned(),
            text: (*text).to_owned(),
            remedy: "it is compared with the period before, or with the year before by :year",
        }),
    }
}

fn method(word: &str) -> Option<AggregationMethod> {
    AggregationMethod::ALL.iter().find(|(_, typed)| *typed == word).map(|(method, _)| *method)
}

fn rolling(rest: &[&str]) -> Option<Step> {
    let (periods, how) = match rest {
        [periods] => (periods, AggregationMethod::Average),
        [periods, how] => (periods, method(how)?),
        _ => return None,
    };
    Some(Step::Rolling(Rolling { periods: periods.parse().ok()?, method: how.into() }))
}

fn aggregate(rest: &[&str]) -> Option<Step> {
    let (frequency, rest) = rest.split_first()?;
    let frequency = Frequency::ALL.iter().find(|(_, typed)| typed == frequency)?.0;
    let (incomplete, rest) = match rest.split_last() {
        Some((&"whole", rest)) => (IncompletePeriods::Omit, rest),
        _ => (IncompletePeriods::Mark, rest),
    };
    let method = match rest {
        [] => AggregationMethod::Unspecified,
        [word] => method(word)?,
        _ => return None,
    };
    Some(Step::Aggregate(Aggregate { frequency: frequency.into(), method: method.into(), incomplete: incomplete.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freds_names_are_taken() {
        for (typed, expected) in [
            ("chg", Step::Change(Change { span: ChangeSpan::Period.into() })),
            ("ch1", Step::Change(Change { span: ChangeSpan::Year.into() })),
            ("pch", Step::PercentChange(PercentChange { span: ChangeSpan::Period.into() })),
            ("pc1", Step::PercentChange(PercentChange { span: ChangeSpan::Year.into() })),
            ("pca", Step::CompoundedAnnualRate(CompoundedAnnualRate {})),
            ("cca", Step::ContinuouslyCompounded(ContinuouslyCompounded { annual: true })),
        ] {
            assert_eq!(step(typed), Ok(expected), "{typed}");
        }
        assert_eq!(step("yoy"), step("percent:year"));
    }

    #[test]
    fn parts_follow_a_colon() {
        let aggregate = Aggregate {
            frequency: Frequency::Annual.into(),
            method: AggregationMethod::Sum.into(),
            incomplete: IncompletePeriods::Omit.into(),
        };
        assert_eq!(step("aggregate:annual:sum:whole"), Ok(Step::Aggregate(aggregate)));
        let per = PerUnit { indicator: "人口".into(), multiple: "1000".into() };
        assert_eq!(step("per:人口:1000"), Ok(Step::PerUnit(per)));
        assert_eq!(step("rolling:12"), Ok(Step::Rolling(Rolling { periods: 12, method: AggregationMethod::Average.into() })));
    }

    #[test]
    fn what_is_no_step_is_told_with_the_remedy() {
        assert!(step("yooy").unwrap_err().to_string().contains("the steps are"));
        assert_eq!(step("index").unwrap_err().to_string(), "index needs the period that is 100: index:2015");
        assert_eq!(step("log:3").unwrap_err().to_string(), "log does not take \"3\"; write it alone");
        assert_eq!(
            step("rolling:12:median").unwrap_err().to_string().split(':').next(),
            Some("rolling needs a number of periods, then perhaps sum, max or min")
        );
        assert!(step("aggregate:yearly").is_err() && step("aggregate").is_err() && step("change:decade").is_err());
    }
}

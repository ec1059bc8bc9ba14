//! `indicator replay`: data files in as a stream, a step at a time.

mod pace;
mod show;
mod stream;

use std::{
    future,
    io::{self, Write as _},
};

use clap::ValueEnum;
use futures::FutureExt as _;
use indicatif::ProgressBar;
use indicator_client::import::{self, Order, Steps, Summary};
use indicator_proto::{
    Period,
    v1::{WriteMode, WriteObservationsResponse},
};

use self::{
    pace::Speed,
    show::Printer,
    stream::{Ended, Event, Settings},
};
use super::import::{data::DataArgs, progress, report};
use crate::{context::Context, failure::Failure, output::printable, write::ReasonArgs};

/// Arguments of `indicator replay`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator replay gdp.csv
  indicator replay gdp_*.csv --by vintage --speed 0.5 --create-missing
  indicator replay gdp.csv --from 2000 --speed max -o ndjson

Takes the files, mappings and flags that import takes, checks everything first, and writes nothing
if any row is bad. Then it writes the figures step by step and prints a line for each commit. A step
is one commit; where it is too large for that, it is several with no pause between them.

By period, a step has the figures of one period: by its last day, and of periods that end on the
same day the shorter first. Where there are several editions of a cell, the later ones follow as
further steps of the period. By vintage, a step has what a file has of one moment of publication: by
that moment, then in the order of the files; figures without one come last.

A lost connection is waited for. Ctrl-C stops between commits. Run again, it goes on where it was: a
step that is there already makes no commit and no pause.")]
pub(crate) struct Args {
    /// Steps a second, such as 10 or 0.5; max or 0: as fast as the server takes them
    #[arg(long, default_value = "1", value_name = "N")]
    speed: Speed,
    /// What makes a step: period or vintage
    #[arg(long, value_enum, default_value_t = By::Period, value_name = "WHAT", hide_possible_values = true)]
    by: By,
    /// Only periods that start in this one or later
    #[arg(long, value_name = "PERIOD")]
    from: Option<Period>,
    /// Only periods that end in this one or earlier
    #[arg(long, value_name = "PERIOD")]
    to: Option<Period>,
    #[command(flatten)]
    reason: ReasonArgs,
    #[command(flatten)]
    data: DataArgs,
}

/// What makes a step.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// The figures of a period
    Period,
    /// The figures of an edition
    Vintage,
}

impl From<By> for Order {
    fn from(by: By) -> Self {
        match by {
            By::Period => Self::Period,
            By::Vintage => Self::Vintage,
        }
    }
}

/// Writes the files as a stream.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let import = args.data.prepare(cx, WriteMode::Merge, false).await?;
    if import.rejected() > 0 {
        let remedy = "correct them; indicator import --dry-run --rejects FILE lists every one with its row";
        return Err(report::refusal(&import, "nothing was written").remedy(remedy).into());
    }
    let mut steps = Steps::new(import, args.by.into(), args.from, args.to);
    let settings = Settings { speed: args.speed, context: args.reason.context() };
    let mut total = create_entries(cx, &steps, &settings).await?;
    let ended = write(cx, &steps, &settings, &mut total).await;
    let outcome = report::outcome(steps.import(), &total, false);
    match ended {
        Ok(()) => cx.remark(&outcome),
        Err(Ended::Output(error)) => return Err(error),
        Err(ended) => return Err(failure(&mut steps, ended, &outcome)),
    }
    Ok(())
}

async fn create_entries(cx: &Context, steps: &Steps, settings: &Settings) -> anyhow::Result<Summary> {
    let settings = import::Settings { context: Some(settings.context.clone()), ..import::Settings::default() };
    let created = steps.import().create_entries(&cx.client, &settings).await?.unwrap_or_default();
    Ok(Summary { created: created.changes.len() as u64, revision: created.revision, ..Summary::default() })
}

async fn write(cx: &Context, steps: &Steps, settings: &Settings, total: &mut Summary) -> Result<(), Ended> {
    let stop = async {
        // Where it cannot be listened to, it ends the process as it always does.
        if tokio::signal::ctrl_c().await.is_err() {
            future::pending::<()>().await;
        }
    };
    let progress = progress::bar(steps.figures() as u64);
    let mut printer = Printer::new(cx, steps)?;
    let listen = |event: Event<'_>| {
        match event {
            Event::Written(step, answer) => {
                add(total, answer);
                progress.inc(steps.steps()[step].figures() as u64);
                progress.suspend(|| printer.print(step, answer))?;
            }
            Event::Lost(error) => notice(&progress, &format!("waiting: {error}")),
            Event::Found => notice(&progress, "going on"),
        }
        Ok(())
    };
    let attempt = async |request| cx.client.write_observations(request).await;
    let ended = stream::run(steps, settings, stop.boxed().shared(), attempt, listen).await;
    progress.finish_and_clear();
    printer.finish(total)?;
    ended
}

fn add(total: &mut Summary, answer: &WriteObservationsResponse) {
    total.inserted += u64::from(answer.inserted);
    total.revised += u64::from(answer.revised);
    total.backfilled += u64::from(answer.backfilled);
    total.unchanged += u64::from(answer.unchanged);
    total.revision = answer.revision;
}

/// Tells what happens to the connection.
fn notice(progress: &ProgressBar, text: &str) {
    // Standard error may be closed: the data go on.
    progress.suspend(|| drop(writeln!(io::stderr(), "{}", printable(text))));
}

/// Why it has ended early, how far it came, and what to do.
fn failure(steps: &mut Steps, ended: Ended, outcome: &str) -> anyhow::Error {
    let so_far = format!("{ended} ({outcome})");
    match &ended {
        Ended::Refused { done, source, .. } => {
            let step = steps.steps()[*done].clone();
            if steps.take_refusal(&step, source) > 0 {
                return report::refusal(steps.import(), &so_far).into();
            }
            anyhow::Error::from(source.clone()).context(so_far)
        }
        Ended::Stopped { .. } | Ended::Output(_) => {
            Failure::stopped(so_far).remedy("the same again: it goes on where it was").into()
        }
    }
}

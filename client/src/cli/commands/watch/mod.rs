//! `indicator watch`: changes as they happen, for as long as somebody reads them.

mod exec;
mod feed;
mod notice;
mod reader;
mod resume;

use std::{
    io::{self, Write as _},
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::ValueEnum;
use futures::FutureExt as _;
use indicator_client::{Error, Watch, WatchEvent, WatchPosition, WatchState};
use indicator_proto::v1::{StartNow, StartSnapshot, WatchMode, WatchOutcome, WatchRequest, watch_request::Start};

use self::{exec::Exec, feed::Feed, notice::Notices, reader::Reader, resume::ResumeFile};
use crate::{
    commands::query::FilterArgs,
    context::{Context, Format},
    failure::Failure,
    moment::{Since, Until},
    output::printable,
    stop::Stop,
};

/// A server that was never there is given up after this many attempts; one that was is waited for.
const ATTEMPTS: u32 = 5;

/// While events arrive without a pause, they are handed over and the position is kept this often.
const KEEP_INTERVAL: Duration = Duration::from_millis(250);

/// A watch with an end learns by progress that it is there.
const PROGRESS_TO_THE_END: Duration = Duration::from_millis(200);

/// Arguments of `indicator watch`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator watch
  indicator watch --region 山东 --snapshot
  indicator watch --indicator 5g-base-stations --since 17 -o ndjson
  indicator watch --since 2024-10-01 --until now
  indicator watch --mode latest --min-interval 2s --preferred
  indicator watch --resume-file seen.json --exec 'jq -r .revision >> revisions'

A line a change, the figure before and the figure after. When the connection breaks, the watch goes on by itself where it
was, without a gap or a repeat, and says so on standard error. Without --source, every source is watched.

--exec runs the command for each commit (in --mode latest, for each delivery), one after the other, with the commit as one
line of JSON on its standard input (CommitEvents of the schema) and in its environment:
  INDICATOR_EVENT     commit; of a snapshot: snapshot (SnapshotChunk) and snapshot-end; reset: forget what came before
  INDICATOR_REVISION  the commit's revision, the snapshot's at its end
  INDICATOR_CHANGES   how many figures and catalog entries changed
  INDICATOR_EPOCH     the store's history
  INDICATOR_SERVER    the server, for calls of indicator
A command that fails ends the watch with exit code 1.

--resume-file is written after what was printed has been handed over, or the command has succeeded. The next run goes on there;
after a crash it may repeat the last events, and never leaves one out. If the store's history is another one by then, the watch
says so and begins again with a snapshot.

Exit codes: 0 when --until is reached or the reader of the output has left, 1 when a command or a file failed; 130 after Ctrl-C
and 143 after SIGTERM, which stop the watch after the event in hand.")]
pub(crate) struct Args {
    #[command(flatten)]
    filter: FilterArgs,
    /// Print the current figures first
    #[arg(long, conflicts_with = "since")]
    snapshot: bool,
    /// Print first what changed after a revision, or from a day or time on; 0 means all there ever was
    #[arg(long, value_name = "REVISION|TIME")]
    since: Option<Since>,
    /// End when everything up to a revision, or the end of a day or a time, has been printed; now means the newest revision
    #[arg(long, value_name = "REVISION|TIME|now")]
    until: Option<Until>,
    /// Every version of every figure, or only the latest state of each where several came at once
    #[arg(long, value_enum, default_value_t = Mode::Every, value_name = "MODE")]
    mode: Mode,
    /// At most one delivery in this time, such as 500ms or 2s; with --mode latest
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    min_interval: Option<Duration>,
    /// One figure a cell, that of the preferred source
    #[arg(long, conflicts_with_all = ["source", "all_sources"])]
    preferred: bool,
    /// Also changes of the catalog
    #[arg(long)]
    catalog: bool,
    /// Run a shell command for each commit instead of printing it
    #[arg(long, value_name = "COMMAND")]
    exec: Option<String>,
    /// Go on where the last run with this file stopped; --snapshot and --since are for the first one
    #[arg(long, value_name = "FILE")]
    resume_file: Option<PathBuf>,
}

/// How changes are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Every version of every figure, backfilled ones too
    Every,
    /// The latest state of each figure that changed
    Latest,
}

fn duration(text: &str) -> Result<Duration, String> {
    let typed: jiff::SignedDuration = text.parse().map_err(|_| "write it as 500ms, 2s or 1m 30s".to_owned())?;
    Duration::try_from(typed).map_err(|_| "a time that goes back".to_owned())
}

impl Args {
    fn check(&self, format: Format) -> Result<(), Failure> {
        if format == Format::Json {
            let failure = Failure::usage("a watch has no end, and so cannot be one JSON object");
            return Err(failure.remedy("-o ndjson: one JSON object a change"));
        }
        if self.min_interval.is_some() && self.mode != Mode::Latest {
            let failure = Failure::usage("--min-interval leaves intermediate states out, which --mode every does not");
            return Err(failure.remedy("--mode latest --min-interval DURATION"));
        }
        if self.catalog && format == Format::Csv {
            let failure = Failure::usage("the records of a CSV file are figures; a change of the catalog is none");
            return Err(failure.remedy("-o ndjson"));
        }
        Ok(())
    }

    /// What to watch, but for where to start.
    async fn request(&self, cx: &Context) -> anyhow::Result<WatchRequest> {
        let mode = match self.mode {
            Mode::Every => WatchMode::EveryChange,
            Mode::Latest => WatchMode::Latest,
        };
        let progress = self.until.map(|_| PROGRESS_TO_THE_END);
        Ok(WatchRequest {
            filter: Some(self.filter.filter(cx).await?),
            start: None,
            mode: mode.into(),
            progress_interval: progress.map(TryInto::try_into).transpose()?,
            min_interval: self.min_interval.map(TryInto::try_into).transpose()?,
            include_previous: true,
            include_catalog: self.catalog,
            preferred: self.preferred,
        })
    }

    async fn start(&self, cx: &Context) -> anyhow::Result<Start> {
        Ok(match self.since {
            Some(since) => Start::AfterRevision(since.revision(cx).await?),
            None if self.snapshot => Start::Snapshot(StartSnapshot {}),
            None => Start::Now(StartNow {}),
        })
    }
}

/// Prints changes until it is stopped.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    args.check(cx.format)?;
    let request = args.request(cx).await?;
    let file = args.resume_file.clone().map(|path| ResumeFile::open(path, &request)).transpose()?;
    let until = match args.until {
        Some(until) => until.revision(cx).await?.map_or(End::Later(until), End::At),
        None => End::Never,
    };
    let watch = match file.as_ref().and_then(ResumeFile::position) {
        Some(position) => cx.client.watch_from(request, position),
        None => cx.client.watch(WatchRequest { start: Some(args.start(cx).await?), ..request }),
    };
    let sink = match args.exec {
        Some(command) => Sink::Exec(Exec::new(command, cx.client.server())),
        None => Sink::Print(Feed::new(cx)?),
    };
    let mut run = Run { cx, watch, sink, file, position: None, end: until, delta: false, notices: Notices::default() };
    let stop = Stop::on_signals()?;
    let outcome = run.until_the_end(args.mode, &stop).await;
    match stop.exit_code() {
        // What failed meanwhile failed because it was stopped: a signal of the terminal reaches the command too.
        Some(code) => std::process::exit(code),
        None => outcome,
    }
}

/// Where events go.
enum Sink<'a> {
    Print(Feed<'a>),
    Exec(Exec),
}

/// Where the watch ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Never,
    /// When everything up to this revision has been delivered.
    At(u64),
    /// At a time to come: which revision that is will be known then.
    Later(Until),
}

/// A watch under way.
struct Run<'a> {
    cx: &'a Context,
    watch: Watch,
    sink: Sink<'a>,
    file: Option<ResumeFile>,
    /// What has been printed, or what commands have been run for.
    position: Option<WatchPosition>,
    end: End,
    /// The next commit stands for several.
    delta: bool,
    notices: Notices,
}

impl Run<'_> {
    async fn until_the_end(&mut self, mode: Mode, stop: &Stop) -> anyhow::Result<()> {
        let (mut kept, reader) = (Instant::now(), Reader::of_stdout());
        while !stop.is_asked() {
            // Only when nothing is at hand are readers waiting for what has been written.
            let at_hand = self.watch.next().now_or_never();
            if at_hand.is_none() || kept.elapsed() >= KEEP_INTERVAL || matches!(self.sink, Sink::Exec(_)) {
                self.keep()?;
                kept = Instant::now();
            }
            let event = match at_hand {
                Some(event) => event,
                None => tokio::select! {
                    event = self.watch.next() => event,
                    () = stop.asked() => break,
                    () = reader.gone(), if matches!(self.sink, Sink::Print(_)) => break,
                    end = self.end.comes(self.cx) => {
                        self.end = End::At(end?);
                        if self.at_end() { break }
                        continue;
                    }
                },
            };
            let Some(event) = event else { break };
            let event = event?;
            if self.is_beyond(&event, mode) {
                break;
            }
            self.take(event).await?;
            if self.at_end() {
                break;
            }
        }
        self.keep()
    }

    /// Hands over what has been written, and then keeps the position that it stands for.
    fn keep(&mut self) -> anyhow::Result<()> {
        if let Sink::Print(feed) = &mut self.sink {
            feed.flush()?;
        }
        match (&mut self.file, &self.position) {
            (Some(file), Some(position)) => file.keep(position),
            _ => Ok(()),
        }
    }

    fn at_end(&self) -> bool {
        matches!((self.end, &self.position), (End::At(end), Some(position)) if position.revision >= end)
    }

    /// Whether an event is beyond the end. One that stands for several commits may begin before it, and is delivered.
    fn is_beyond(&self, event: &WatchEvent, mode: Mode) -> bool {
        match (self.end, event) {
            (End::At(end), WatchEvent::Commit(commit)) => commit.revision > end && mode == Mode::Every && !self.delta,
            _ => false,
        }
    }

    async fn take(&mut self, event: WatchEvent) -> anyhow::Result<()> {
        match &event {
            // A server that is not there is told once, at the end.
            WatchEvent::Connecting { attempt, error: Some(error), .. } if self.position.is_none() && !self.notices.opened() => {
                if *attempt >= ATTEMPTS {
                    return Err(error.clone().into());
                }
                if matches!(error, Error::Connect { .. }) {
                    return Ok(());
                }
            }
            WatchEvent::Opened { outcome, .. } => self.delta = *outcome == WatchOutcome::Delta,
            WatchEvent::Commit(_) | WatchEvent::Progress { .. } => self.delta = false,
            _ => {}
        }
        if let Some(text) = self.notices.of(&event, self.watch.state()) {
            // What came before goes first, where both go to one terminal. Standard error may be closed: the data go on.
            if let Sink::Print(feed) = &mut self.sink {
                feed.flush()?;
            }
            let _ = writeln!(io::stderr(), "{}", printable(&text));
        }
        match &mut self.sink {
            Sink::Print(feed) => feed.take(event).await?,
            Sink::Exec(exec) => exec.take(event).await?,
        }
        // What an earlier run has kept may be of another history: it counts once a server has gone on from it. From a reset on there
        // is no position until the snapshot is complete; what is kept is then that of before.
        if self.notices.opened() {
            self.position = self.watch.position();
        }
        Ok(())
    }
}

impl End {
    /// The revision of an end that is a time, when the time has come.
    async fn comes(&self, cx: &Context) -> anyhow::Result<u64> {
        let Self::Later(until) = self else { return std::future::pending().await };
        loop {
            until.wait().await;
            if let Some(revision) = until.revision(cx).await? {
                return Ok(revision);
            }
        }
    }
}

/// Whether the application has everything, as far as is known.
fn is_live(state: WatchState) -> bool {
    state == WatchState::Live
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn args(arguments: &str) -> Result<Args, clap::Error> {
        Cli::try_parse_from(std::iter::once("watch").chain(arguments.split_whitespace())).map(|cli| cli.args)
    }

    #[test]
    fn what_does_not_go_together_is_refused_with_what_would() {
        for arguments in ["--snapshot --since 3", "--preferred --source a", "--preferred --all-sources", "--min-interval -2s"] {
            assert!(args(arguments).is_err(), "{arguments}");
        }
        let refused = |arguments, format| args(arguments).unwrap().check(format).map_err(|failure| failure.to_string());
        assert!(refused("--min-interval 2s", Format::Table).unwrap_err().contains("--mode every"));
        assert!(refused("--catalog", Format::Csv).unwrap_err().contains("CSV"));
        assert!(refused("", Format::Json).unwrap_err().contains("no end"));
        assert_eq!(refused("--mode latest --min-interval 2s --catalog --preferred", Format::Ndjson), Ok(()));
    }

    #[test]
    fn durations_are_typed_with_their_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        for text in ["2", "-2s", "soon"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}

//! What `/metrics` tells.

use std::{fmt, time::Instant};

use indicator_proto::v1::AlarmKind;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge, info::Info},
    registry::Registry,
};

use super::{Calls, Phase, Readiness, private::Served};
use crate::{engine::Engine, watch::Hub};

/// Subscribers are counted that are at least as many commits behind.
const LAGS: [u64; 5] = [1, 10, 100, 1_000, 10_000];

pub(super) fn registry(readiness: &Readiness, calls: &Calls, served: &Served) -> Registry {
    let mut all = Registry::default();
    all.register_collector(Box::new(Process { pages: procfs::page_size(), ticks: procfs::ticks_per_second() }));
    let ours = all.sub_registry_with_prefix("indicatord");
    ours.register("build", "Version of the server", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    calls.register(ours);
    ours.register_collector(Box::new(Record { readiness: readiness.clone(), served: served.clone(), started: Instant::now() }));
    all
}

/// Writes metrics whose values are at hand.
struct Sheet<'a>(DescriptorEncoder<'a>);

impl Sheet<'_> {
    fn put(&mut self, name: &str, help: &str, metric: &impl EncodeMetric) -> fmt::Result {
        metric.encode(self.0.encode_descriptor(name, help, None, metric.metric_type())?)
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.put(name, help, &gauge(value))
    }

    fn counter(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.put(name, help, &ConstCounter::new(value))
    }

    /// One with a label.
    fn family<M: EncodeMetric>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (String, M)>,
    ) -> fmt::Result {
        let mut values = values.into_iter().peekable();
        let Some((_, first)) = values.peek() else { return Ok(()) };
        let mut family = self.0.encode_descriptor(name, help, None, first.metric_type())?;
        for (value, metric) in values {
            metric.encode(family.encode_family(&[(label, value)])?)?;
        }
        Ok(())
    }
}

fn gauge(value: u64) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}

/// The record, its watches and its disk.
struct Record {
    readiness: Readiness,
    served: Served,
    started: Instant,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("started", &self.started).finish_non_exhaustive()
    }
}

impl Collector for Record {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut sheet = Sheet(encoder);
        let ready = u64::from(self.readiness.phase() == Phase::Serving);
        sheet.gauge("ready", "1 while calls are answered, 0 while the server starts or stops", ready)?;
        let Some((engine, hub)) = self.served.get() else { return Ok(()) };
        writes(&mut sheet, &engine)?;
        watches(&mut sheet, &engine, &hub)?;
        disk(&mut sheet, &engine)
    }
}

fn writes(sheet: &mut Sheet<'_>, engine: &Engine) -> fmt::Result {
    let meter = engine.meter();
    sheet.gauge("head_revision", "Number of the newest commit", engine.head().revision)?;
    sheet.gauge("series", "Series in the record", engine.series_count().into())?;
    sheet.gauge("write_queue_length", "Writes that wait for the writer", engine.queued_writes())?;
    sheet.put("commit_group_size", "Writes that shared one flush", &meter.group_size)?;
    sheet.put("flush_duration_seconds", "Time that a group of commits took to reach the disk", &meter.flush_seconds)?;
    sheet.put("commits", "Commits since the start", &meter.commits)?;
    let kinds = [
        ("inserted", &meter.inserted),
        ("revised", &meter.revised),
        ("deleted", &meter.deleted),
        ("backfilled", &meter.backfilled),
    ];
    let kinds = kinds.map(|(kind, counter)| (kind.to_owned(), ConstCounter::new(counter.get())));
    sheet.family("observations_written", "Cells that commits changed since the start, by what was done to them", "kind", kinds)
}

fn watches(sheet: &mut Sheet<'_>, engine: &Engine, hub: &Hub) -> fmt::Result {
    let lags = hub.lags(engine.head().revision);
    let behind = LAGS.map(|lag| (lag.to_string(), gauge(lags.iter().filter(|l| **l >= lag).count() as u64)));
    let meter = hub.meter();
    sheet.gauge("subscribers", "Open watches", hub.subscribers())?;
    sheet.gauge(
        "subscriber_lag_commits_max",
        "Commits that the subscriber furthest behind has still to be sent",
        lags.iter().copied().max().unwrap_or(0),
    )?;
    sheet.family("subscribers_behind", "Watches that have at least so many commits still to be sent", "commits", behind)?;
    sheet.put(
        "watch_encoded_bytes",
        "Bytes of frames that were encoded for all watches of a selection at once",
        &meter.encoded,
    )?;
    sheet.put(
        "watch_shared_bytes",
        "Bytes that watches took of those frames; each was encoded once and is taken often",
        &meter.shared,
    )
}

fn disk(sheet: &mut Sheet<'_>, engine: &Engine) -> fmt::Result {
    let limits = engine.disk_limits();
    // A disk that cannot be asked has an alarm.
    if let (Ok(size), Ok(free)) = (engine.size_on_disk(), engine.free_bytes()) {
        sheet.gauge("store_bytes", "Bytes that the store takes on disk", size)?;
        sheet.gauge("disk_free_bytes", "Bytes free on the file system of the store", free)?;
    }
    sheet.gauge("store_quota_bytes", "Writes stop while the store takes more; 0 is no quota", limits.quota)?;
    sheet.gauge("disk_min_free_bytes", "Writes stop while fewer bytes are free", limits.min_free)?;
    let alarms = engine.alarms().borrow().to_vec();
    let reasons = [(AlarmKind::LowDisk, "low_disk"), (AlarmKind::Quota, "quota"), (AlarmKind::StoreFailed, "store_failed")];
    let reasons = reasons.map(|(kind, reason)| {
        let stopped = alarms.iter().any(|alarm| alarm.kind == kind);
        (reason.to_owned(), gauge(stopped.into()))
    });
    sheet.family("writes_stopped", "1 while writes are stopped for this reason", "reason", reasons)
}

/// What Prometheus expects of every process.
#[derive(Debug)]
struct Process {
    pages: u64,
    ticks: u64,
}

impl Collector for Process {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        // Where /proc is hidden, nothing is told.
        procfs::process::Process::myself().map_or(Ok(()), |myself| self.tell(&myself, &mut Sheet(encoder)))
    }
}

impl Process {
    fn tell(&self, myself: &procfs::process::Process, sheet: &mut Sheet<'_>) -> fmt::Result {
        if let Ok(stat) = myself.stat() {
            let seconds = |ticks: u64| ticks as f64 / self.ticks as f64;
            sheet.gauge("process_resident_memory_bytes", "Memory in use", stat.rss * self.pages)?;
            sheet.gauge("process_virtual_memory_bytes", "Memory that is mapped", stat.vsize)?;
            sheet.gauge("process_threads", "Threads", stat.num_threads.unsigned_abs())?;
            sheet.counter("process_cpu_seconds", "Processor time, of user and system", seconds(stat.utime + stat.stime))?;
            if let Ok(boot) = procfs::boot_time_secs() {
                let started = ConstGauge::new(boot as f64 + seconds(stat.starttime));
                sheet.put("process_start_time_seconds", "When the process was started, in seconds since 1970", &started)?;
            }
        }
        if let Ok(open) = myself.fd_count() {
            sheet.gauge("process_open_fds", "Open files and sockets", open as u64)?;
        }
        if let Ok(limits) = myself.limits()
            && let procfs::process::LimitValue::Value(most) = limits.max_open_files.soft_limit
        {
            sheet.gauge("process_max_fds", "Most files and sockets that may be open", most)?;
        }
        Ok(())
    }
}

//! Memory and open files of the server, from `/proc`.

use std::{
    fmt, fs,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use indicator_tests::churn::{World, say};

use super::goes_on;

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Duration,
    process: u32,
    /// Resident, in KiB.
    memory: u64,
    files: u64,
}

/// What was seen of the server, in all its lives.
#[derive(Debug, Default)]
pub(crate) struct Vitals(Mutex<Vec<Sample>>);

/// Looks once a second.
pub(crate) async fn watch(vitals: Arc<Vitals>, world: Arc<World>) {
    let start = Instant::now();
    while goes_on(&world, Duration::from_secs(1)).await {
        let (_, process) = world.server();
        // It may have been killed a moment ago.
        let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) else { continue };
        let Ok(files) = fs::read_dir(format!("/proc/{process}/fd")) else { continue };
        let Some(line) = status.lines().find_map(|line| line.strip_prefix("VmRSS:")) else { continue };
        let memory = line.trim().trim_end_matches(" kB").parse().unwrap();
        let sample = Sample { at: start.elapsed(), process, memory, files: files.count() as u64 };
        vitals.0.lock().unwrap().push(sample);
    }
    // Whatever else is found.
    say(&vitals.to_string());
}

fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

impl Vitals {
    /// However short the run: far more than it needs is a leak.
    pub(crate) fn assert_bounded(&self) {
        let samples = self.0.lock().unwrap();
        assert!(samples.len() >= 10, "{} samples", samples.len());
        let (memory, files) = (samples.iter().map(|s| s.memory).max().unwrap(), samples.iter().map(|s| s.files).max().unwrap());
        assert!(memory < 800 << 10, "{memory} KiB resident");
        assert!(files < 300, "{files} open files");
    }

    /// The last third of the run needs what the middle third needed: at most a tenth and 16 MiB more memory, and ten files more.
    ///
    /// The medians are compared: a restart begins with little, a replay or a snapshot needs much for a moment.
    pub(crate) fn assert_level(&self) {
        let samples = self.0.lock().unwrap();
        let third = samples.len() / 3;
        let (middle, last) = (&samples[third..2 * third], &samples[2 * third..]);
        let of = |part: &[Sample]| (median(part.iter().map(|s| s.memory)), median(part.iter().map(|s| s.files)));
        let ((memory, files), (memory_last, files_last)) = (of(middle), of(last));
        let text = format!("middle third: {memory} KiB, {files} files; last third: {memory_last} KiB, {files_last} files");
        assert!(memory_last <= memory + memory / 10 + (16 << 10), "memory grows; {text}");
        assert!(files_last <= files + 10, "open files grow; {text}");
        say(&text);
    }
}

/// A line a minute.
impl fmt::Display for Vitals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "minute  lives  MiB median  max  files median  max")?;
        let samples = self.0.lock().unwrap();
        for minute in samples.chunk_by(|a, b| a.at.as_secs() / 60 == b.at.as_secs() / 60) {
            let mut lives: Vec<u32> = minute.iter().map(|s| s.process).collect();
            lives.dedup();
            let (memory, files) = (|| minute.iter().map(|s| s.memory >> 10), || minute.iter().map(|s| s.files));
            writeln!(
                f,
                "{:>6}  {:>5}  {:>10}  {:>3}  {:>12}  {:>3}",
                minute[0].at.as_secs() / 60,
                lives.len(),
                median(memory()),
                memory().max().unwrap_or(0),
                median(files()),
                files().max().unwrap_or(0)
            )?;
        }
        Ok(())
    }
}

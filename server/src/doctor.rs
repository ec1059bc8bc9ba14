//! `indicatord doctor`: looks at the machine as the server would use it, and says what to mend.

use std::{
    fmt, fs,
    io::{self, Write as _},
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use indicator_server::serve::{config::Settings, tls};

/// A certificate that ends sooner is worth a word.
const EXPIRY: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// No device and no network has stored a block in less.
const TOO_FAST: Duration = Duration::from_micros(20);

/// A write takes as long as a sync; longer than this, people notice.
const SLOW: Duration = Duration::from_millis(20);

/// As often is the disk asked to keep something.
const SYNCS: u64 = 64;

/// Files that the server opens beside its connections.
const OWN_FILES: u64 = 128;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Good,
    Doubtful,
    Bad,
}

/// What was looked at, and what it is like.
#[derive(Debug)]
struct Finding {
    level: Level,
    what: &'static str,
    text: String,
}

impl Finding {
    fn good(what: &'static str, text: impl Into<String>) -> Self {
        Self { level: Level::Good, what, text: text.into() }
    }

    fn doubtful(what: &'static str, text: impl Into<String>) -> Self {
        Self { level: Level::Doubtful, what, text: text.into() }
    }

    fn bad(what: &'static str, text: impl Into<String>) -> Self {
        Self { level: Level::Bad, what, text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Good => "ok",
            Level::Doubtful => "warning",
            Level::Bad => "MEND",
        };
        write!(f, "{level:<8} {:<12} {}", self.what, self.text)
    }
}

/// Prints what is found; whether nothing must be mended.
pub(crate) fn run(settings: &Settings) -> io::Result<bool> {
    // What is not there yet is made in the first directory above it that is.
    let place = settings.data.ancestors().find(|path| path.exists() || path.as_os_str().is_empty());
    let place = place.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut findings = vec![directory(&settings.data, place), room(settings, place), file_system(place), syncs(place)];
    findings.push(files(settings));
    findings.extend(clock(&settings.data));
    findings.extend(secrets(settings));
    findings.extend(certificates(settings));
    let mut out = io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    Ok(findings.iter().all(|finding| finding.level != Level::Bad))
}

fn directory(data: &Path, place: &Path) -> Finding {
    const WHAT: &str = "directory";
    match tempfile::tempfile_in(place) {
        Ok(_) if data.exists() => Finding::good(WHAT, format!("{} can be written in", data.display())),
        Ok(_) => Finding::good(WHAT, format!("{} can be made in {}", data.display(), place.display())),
        Err(error) => Finding::bad(
            WHAT,
            format!("{}: {error}; run the server as the user who may write there, or name another", place.display()),
        ),
    }
}

fn room(settings: &Settings, place: &Path) -> Finding {
    const WHAT: &str = "room";
    let free = match fs4::available_space(place) {
        Ok(free) => free,
        Err(error) => return Finding::bad(WHAT, format!("{}: {error}", place.display())),
    };
    let megabytes = |bytes: u64| format!("{} MB", bytes / 1_000_000);
    let floor = settings.min_free_bytes;
    if free < floor {
        Finding::bad(WHAT, format!("{} free, and writes stop below {}; make room", megabytes(free), megabytes(floor)))
    } else if free < 4 * floor {
        Finding::doubtful(WHAT, format!("{} free; writes stop below {}", megabytes(free), megabytes(floor)))
    } else {
        Finding::good(WHAT, format!("{} free", megabytes(free)))
    }
}

fn file_system(place: &Path) -> Finding {
    const WHAT: &str = "file system";
    let (Ok(place), Ok(mounts)) = (place.canonicalize(), fs::read_to_string("/proc/self/mountinfo")) else {
        return Finding::doubtful(WHAT, "cannot be told here");
    };
    // Point and kind are the fifth field, and the one after the dash.
    let mount = mounts.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let point = PathBuf::from(before.split(' ').nth(4)?.replace("\\040", " "));
        place.starts_with(&point).then(|| (point, after.split(' ').next().unwrap_or_default().to_owned()))
    });
    let Some((point, kind)) = mount.max_by_key(|(point, _)| point.components().count()) else {
        return Finding::doubtful(WHAT, "cannot be told here");
    };
    let text = format!("{kind} at {}", point.display());
    match kind.as_str() {
        "tmpfs" | "ramfs" => Finding::bad(WHAT, format!("{text} forgets everything when the machine stops; use a disk")),
        "nfs" | "nfs4" | "cifs" | "smb3" | "9p" | "fuse" | "overlay" => {
            Finding::doubtful(WHAT, format!("{text}: locks and syncs may not be what they seem; a local disk is better"))
        }
        _ => Finding::good(WHAT, text),
    }
}

fn syncs(place: &Path) -> Finding {
    const WHAT: &str = "syncs";
    match median_sync(place) {
        Err(error) => Finding::bad(WHAT, format!("the disk cannot keep what it is given: {error}")),
        Ok(time) if time < TOO_FAST => Finding::doubtful(
            WHAT,
            format!("{} µs each is too fast to be true: what is acknowledged may be lost with the power", time.as_micros()),
        ),
        Ok(time) if time > SLOW => {
            Finding::doubtful(WHAT, format!("{} ms each: a write alone takes as long; a faster disk helps", time.as_millis()))
        }
        Ok(time) => Finding::good(WHAT, format!("{} µs each", time.as_micros())),
    }
}

fn median_sync(place: &Path) -> io::Result<Duration> {
    let file = tempfile::tempfile_in(place)?;
    let mut times = Vec::new();
    for number in 0..SYNCS {
        let start = Instant::now();
        file.write_all_at(&[number as u8; 4096], number * 4096)?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(times[times.len() / 2])
}

fn files(settings: &Settings) -> Finding {
    const WHAT: &str = "open files";
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    // The second number: the server asks for as many by itself.
    let allowed = line.and_then(|line| line.split_whitespace().nth(4)).map(|hard| hard.parse().unwrap_or(u64::MAX));
    let needed = settings.max_connections as u64 + OWN_FILES;
    match allowed {
        None => Finding::doubtful(WHAT, "their limit cannot be told here"),
        Some(allowed) if allowed < needed => Finding::bad(
            WHAT,
            format!(
                "{allowed} are allowed, and {} connections take {needed}; raise it (ulimit -n, LimitNOFILE=), or lower --max-connections",
                settings.max_connections
            ),
        ),
        Some(allowed) => Finding::good(WHAT, format!("{allowed} are allowed, {needed} may be needed")),
    }
}

fn clock(data: &Path) -> Vec<Finding> {
    const WHAT: &str = "clock";
    let written = fs::metadata(data.join("WATERMARK")).and_then(|metadata| metadata.modified());
    let ahead = written.ok().and_then(|written| written.duration_since(SystemTime::now()).ok());
    match ahead.filter(|ahead| *ahead > Duration::from_secs(5)) {
        Some(ahead) => vec![Finding::bad(
            WHAT,
            format!(
                "the last commit was written {} s from now: the clock is behind, or was ahead then; set it right",
                ahead.as_secs()
            ),
        )],
        None => vec![Finding::good(WHAT, "is not behind the last commit")],
    }
}

/// What only the server's user should read or write.
fn secrets(settings: &Settings) -> Vec<Finding> {
    const WHAT: &str = "permissions";
    let secret = [Some(settings.data.join("credentials.json")), settings.tls_key.clone()];
    let mut findings: Vec<Finding> = Vec::new();
    for path in secret.into_iter().flatten() {
        match fs::metadata(&path) {
            Ok(metadata) if metadata.mode() & 0o077 != 0 => {
                findings.push(Finding::bad(WHAT, format!("others can read {}; chmod 600 it", path.display())));
            }
            Ok(_) => findings.push(Finding::good(WHAT, format!("{} is its owner's alone", path.display()))),
            // That it is not there is told where it is used.
            Err(_) => {}
        }
    }
    if fs::metadata(&settings.data).is_ok_and(|metadata| metadata.mode() & 0o002 != 0) {
        findings.push(Finding::bad(WHAT, format!("everybody can write in {}; chmod o-w it", settings.data.display())));
    }
    findings
}

fn certificates(settings: &Settings) -> Option<Finding> {
    const WHAT: &str = "certificate";
    let files = settings.tls()?;
    Some(match files.read().and_then(|_| tls::expiry(&files.cert)) {
        Err(error) => Finding::bad(WHAT, error.to_string()),
        Ok(end) => {
            let left = end.duration_since(jiff::Timestamp::now());
            let text = format!("{} ends {}", files.cert.display(), end.strftime("%Y-%m-%d %H:%M UTC"));
            match Duration::try_from(left) {
                Err(_) => Finding::bad(WHAT, format!("{text}: it has ended; get a new one")),
                Ok(left) if left < EXPIRY => Finding::doubtful(WHAT, format!("{text}; get a new one")),
                Ok(_) => Finding::good(WHAT, text),
            }
        }
    })
}

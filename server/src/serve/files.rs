use rustix::process::{Resource, getrlimit, setrlimit};

/// Files that the server opens besides its connections: the store's, the log, listeners, and some in hand.
const OTHERS: u64 = 128;

/// How many of so many connections the process may have open files for, after asking for as many as it gets.
///
/// A process mostly starts with 1,024, and the store cannot go on when it gets no file.
pub(super) fn room_for_connections(most: usize) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = most as u64 + OTHERS;
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
        let asked = rustix::process::Rlimit { current: Some(raised), ..limit };
        if setrlimit(Resource::Nofile, asked).is_ok() {
            limit = asked;
        }
    }
    match limit.current {
        Some(current) if current < wanted => {
            let room = current.saturating_sub(OTHERS).max(1);
            tracing::warn!(
                open_files = current,
                connections = room,
                "the limit of open files leaves room for fewer connections than --max-connections; raise it, for example with \
                 LimitNOFILE of systemd"
            );
            usize::try_from(room).unwrap_or(most)
        }
        _ => most,
    }
}

use indicator_proto::v1;

use super::super::{page, wire};
use crate::engine::{Engine, Error};

/// A page with changes ends at about this many of them, so that it stays a message of reasonable size.
const CELLS_PER_PAGE: u32 = 50_000;

pub(super) fn list(engine: &Engine, request: v1::ListCommitsRequest) -> Result<v1::ListCommitsResponse, Error> {
    let fixed = v1::ListCommitsRequest { page_token: String::new(), page_size: 0, ..request };
    let fingerprint = crate::engine::fingerprint(&fixed);
    engine.check_revision(request.after_revision)?;
    engine.check_revision(request.until_revision)?;
    let head = engine.head().revision;
    let page = page::open::<u64>(engine, &request.page_token, fingerprint)?;
    // A revision need not be a commit's; those that are lie between the first and the head.
    let newest = page.as_ref().map_or(head, |(revision, _)| *revision);
    let until = if request.until_revision == 0 { newest } else { newest.min(request.until_revision) };
    let (mut after, mut until) = (request.after_revision, until);
    if let Some((_, last)) = page {
        if request.newest_first { until = engine.previous_revision(last) } else { after = last }
    }
    let size = page::size(request.page_size, 100, 1_000);
    let (mut commits, mut cells) = (Vec::new(), 0);
    while engine.commits_between(after, until) > 0 && commits.len() < size && (commits.is_empty() || cells < CELLS_PER_PAGE) {
        let revision = if request.newest_first { until } else { engine.next_revision(after) };
        let commit = if request.include_changes {
            wire::commit(&engine.commit(revision, true)?)
        } else {
            wire::commit_header(revision, &engine.header(revision)?)
        };
        cells += if request.include_changes { commit.cells } else { 0 };
        commits.push(commit);
        if request.newest_first { until = engine.previous_revision(revision) } else { after = revision }
    }
    let more = engine.commits_between(after, until) > 0;
    let last = commits.last().filter(|_| more).map(|c| c.revision);
    Ok(v1::ListCommitsResponse {
        commits,
        next_page_token: last.map_or_else(String::new, |last| page::seal(engine, fingerprint, newest, last)),
        head_revision: head,
    })
}

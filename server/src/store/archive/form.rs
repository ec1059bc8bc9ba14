//! Records as messages.

use indicator_proto::v1::{self, archive_record};

use super::Record;
use crate::store::{Header, RequestRecord};

impl From<Record> for v1::ArchiveRecord {
    fn from(record: Record) -> Self {
        let record = match record {
            Record::Commit(revision, header) => archive_record::Record::Commit(v1::ArchiveCommit {
                revision,
                recorded_at_micros: header.micros,
                actor: header.actor,
                reason: header.reason,
                document_uri: header.document_uri,
                request_id: header.request_id,
                inserted: header.inserted,
                revised: header.revised,
                deleted: header.deleted,
                backfilled: header.backfilled,
                series: header.series,
                entries: header.entries,
                previous_hash: header.previous_hash.to_vec(),
                hash: header.hash.to_vec(),
                client_address: header.client,
            }),
            Record::Series(id, key) => archive_record::Record::Series(v1::ArchiveSeries { id, key: Some((&key).into()) }),
            Record::Block { series, part, bytes } => {
                archive_record::Record::Block(v1::ArchiveBlock { series, part: part.into(), versions: bytes })
            }
            Record::Entry(kind, id, entry) => archive_record::Record::Entry(v1::ArchiveEntry { kind: kind.into(), id, entry }),
            Record::Request(id, request) => archive_record::Record::Request(v1::ArchiveRequest {
                id,
                fingerprint: request.fingerprint.to_vec(),
                made_at_micros: request.micros,
                revision: request.revision,
                committed: request.committed,
                unchanged: request.unchanged,
            }),
        };
        Self { record: Some(record) }
    }
}

impl Record {
    /// `None` if the message is no record.
    pub(super) fn of(message: v1::ArchiveRecord) -> Option<Self> {
        Some(match message.record? {
            archive_record::Record::Commit(commit) => {
                let header = Header {
                    micros: commit.recorded_at_micros,
                    actor: commit.actor,
                    reason: commit.reason,
                    document_uri: commit.document_uri,
                    request_id: commit.request_id,
                    inserted: commit.inserted,
                    revised: commit.revised,
                    deleted: commit.deleted,
                    backfilled: commit.backfilled,
                    series: commit.series,
                    entries: commit.entries,
                    previous_hash: hash(&commit.previous_hash)?,
                    hash: hash(&commit.hash)?,
                    client: commit.client_address,
                };
                Self::Commit(commit.revision, header)
            }
            archive_record::Record::Series(series) => Self::Series(series.id, series.key?.into()),
            archive_record::Record::Block(block) => {
                Self::Block { series: block.series, part: block.part.try_into().ok()?, bytes: block.versions }
            }
            archive_record::Record::Entry(entry) => Self::Entry(entry.kind.try_into().ok()?, entry.id, entry.entry),
            archive_record::Record::Request(request) => {
                let record = RequestRecord {
                    fingerprint: hash(&request.fingerprint)?,
                    micros: request.made_at_micros,
                    revision: request.revision,
                    committed: request.committed,
                    unchanged: request.unchanged,
                };
                Self::Request(request.id, record)
            }
        })
    }
}

pub(super) fn hash(bytes: &[u8]) -> Option<[u8; 32]> {
    bytes.try_into().ok()
}

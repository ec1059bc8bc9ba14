//! The file from which the next run goes on.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use indicator_client::WatchPosition;
use indicator_proto::{to_json, v1::WatchRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::Failure;

/// Keeps the position of a watch.
#[derive(Debug)]
pub(super) struct ResumeFile {
    path: PathBuf,
    content: Content,
    /// There is a position in the file.
    begun: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Content {
    /// What is watched. A position is of use to the same selection only.
    watch: Value,
    position: WatchPosition,
}

impl ResumeFile {
    /// Reads the file, if there is one.
    pub(super) fn open(path: PathBuf, request: &WatchRequest) -> anyhow::Result<Self> {
        let watch = selection(request);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let position = WatchPosition { epoch: String::new(), revision: 0, resume_token: None };
                return Ok(Self { path, content: Content { watch, position }, begun: false });
            }
            // What is not UTF-8 was not written by this command.
            Err(error) if error.kind() == ErrorKind::InvalidData => return Err(damaged(&path, &error.to_string()).into()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let content: Content = serde_json::from_str(&text).map_err(|error| damaged(&path, &error.to_string()))?;
        if content.watch != watch {
            let (path, theirs) = (path.display(), &content.watch);
            let failure = Failure::usage(format!(
                "{path} belongs to a watch of another selection:\n  its own: {theirs}\n  this one: {watch}"
            ));
            return Err(failure.remedy("another --resume-file for each selection").into());
        }
        Ok(Self { path, content, begun: true })
    }

    /// Where the last run stopped. `None` if there was none.
    pub(super) fn position(&self) -> Option<WatchPosition> {
        self.begun.then(|| self.content.position.clone())
    }

    /// Keeps a position. The file is whole at every moment.
    pub(super) fn keep(&mut self, position: &WatchPosition) -> anyhow::Result<()> {
        if self.begun && self.content.position == *position {
            return Ok(());
        }
        self.content.position.clone_from(position);
        self.begun = true;
        self.write().with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn write(&self) -> anyhow::Result<()> {
        // In the same directory: elsewhere it could not be renamed.
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let new = self.path.with_file_name(name);
        let mut file = File::create(&new)?;
        serde_json::to_writer(&file, &self.content)?;
        file.write_all(b"\n")?;
        // Before the name is its own: after a power failure it would be an empty file.
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        Ok(())
    }
}

fn damaged(path: &Path, problem: &str) -> Failure {
    let failure = Failure::failed(format!("{} is damaged: {problem}", path.display()));
    failure.remedy("remove it, and the watch begins anew: --since REVISION says where")
}

/// What a position is bound to: everything but where to start and how often to deliver.
fn selection(request: &WatchRequest) -> Value {
    to_json(&WatchRequest { start: None, progress_interval: None, min_interval: None, ..request.clone() })
}

#[cfg(test)]
mod tests {
    use indicator_proto::v1::ObservationFilter;

    use super::*;

    fn request(region: &str) -> WatchRequest {
        let filter = ObservationFilter { regions: vec![region.to_owned()], ..ObservationFilter::default() };
        WatchRequest { filter: Some(filter), ..WatchRequest::default() }
    }

    fn position(revision: u64) -> WatchPosition {
        WatchPosition { epoch: "e".to_owned(), revision, resume_token: Some("t".to_owned()) }
    }

    #[test]
    fn what_one_run_keeps_the_next_one_finds() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("seen.json");
        let mut first = ResumeFile::open(path.clone(), &request("CN")).unwrap();
        assert_eq!(first.position(), None);
        assert!(!path.exists(), "there is nothing to keep yet");
        first.keep(&position(7)).unwrap();
        first.keep(&position(8)).unwrap();
        let interval = prost_types::Duration { seconds: 1, nanos: 0 };
        let slower = WatchRequest { min_interval: Some(interval), progress_interval: Some(interval), ..request("CN") };
        assert_eq!(
            ResumeFile::open(path, &slower).unwrap().position(),
            Some(position(8)),
            "the pace is not part of what is watched"
        );
        let names: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["seen.json"], "nothing is left lying about");
    }

    #[test]
    fn a_file_of_another_selection_is_refused_with_both() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("seen.json");
        ResumeFile::open(path.clone(), &request("CN")).unwrap().keep(&position(7)).unwrap();
        let error = ResumeFile::open(path.clone(), &request("US")).unwrap_err().to_string();
        assert!(error.contains("seen.json belongs to") && error.contains("\"CN\"") && error.contains("\"US\""), "{error}");
    }

    #[test]
    fn a_damaged_file_is_refused_and_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("seen.json");
        for content in [&b""[..], b"{\"watch\":", b"{}", b"\xff\xfe"] {
            fs::write(&path, content).unwrap();
            let error = ResumeFile::open(path.clone(), &request("CN")).unwrap_err().to_string();
            assert!(error.contains("is damaged"), "{error}");
            assert_eq!(fs::read(&path).unwrap(), content);
        }
    }
}

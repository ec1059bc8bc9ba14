//! Running an import: the catalog first, then the batches of each file as fast as the service takes them.

use std::sync::Arc;

use futures::{StreamExt as _, stream};
use indicator_proto::v1::{
    ApplyCatalogRequest, ApplyCatalogResponse, CatalogAction, CellChange, ImportObservationsRequest, ImportObservationsResponse,
    ImportOptions, WriteContext, catalog_action::Action, import_observations_request::Message,
};

use super::batch::Batches;
use super::prepare::{File, Import};
use super::problem::{Problem, Reject};
use super::rows::Figure;
use crate::{Client, Error, Violation, reason_name};

/// Changes that are told at once, where the import itself foresees them.
const CHANGES: usize = 5_000;

/// How an import runs.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Who and why, for each commit.
    pub context: Option<WriteContext>,
    /// Say what would change, but write nothing.
    pub validate_only: bool,
    /// Write what the service takes, and add what it does not to the rejects. Otherwise the first batch with a reject ends the
    /// import.
    pub skip_rejected: bool,
}

/// What an import has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Figures that were acknowledged, or are known to be taken.
    pub figures: u64,
    /// Cells that had no figure and now have one.
    pub inserted: u64,
    /// Cells that had another figure.
    pub revised: u64,
    /// Figures that were withdrawn.
    pub deleted: u64,
    /// Versions added behind a current figure.
    pub backfilled: u64,
    /// Cells that were already as asked.
    pub unchanged: u64,
    /// Catalog entries created.
    pub created: u64,
    /// The last commit.
    pub revision: u64,
}

/// What an import tells while it runs.
#[derive(Debug)]
pub enum Event<'a> {
    /// A batch is on disk.
    Progress(&'a Summary),
    /// These versions are new. Only where changes are wanted.
    Changes(Vec<CellChange>),
}

/// Why an import has ended early.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The service failed, or the connection.
    #[error("the import did not finish{}", afterwards(done))]
    Call {
        /// What was done before.
        done: Summary,
        /// What failed.
        source: Error,
    },
    /// The service did not take figures that had passed every check here. They are among the rejects; their batch was not written.
    #[error("the service rejected figures{}", afterwards(done))]
    Rejected {
        /// What was done before.
        done: Summary,
    },
}

fn afterwards(done: &Summary) -> String {
    match done.figures {
        0 => String::new(),
        figures => {
            format!("; {figures} figures were written before: run the import again to finish it, what is there stays as it is")
        }
    }
}

impl Import {
    /// Writes everything, or with `validate_only` says what that would do.
    ///
    /// # Errors
    ///
    /// When the service fails or rejects. What was acknowledged before stays; the same import run again does the rest.
    pub async fn run<F>(&mut self, client: &Client, settings: &Settings, mut on_event: F) -> Result<Summary, Stopped>
    where
        F: FnMut(Event<'_>),
    {
        let mut summary = Summary::default();
        let created = self.create_entries(client, settings).await;
        if let Some(created) = created.map_err(|source| Stopped::Call { done: summary, source })? {
            summary.created = created.changes.len() as u64;
            summary.revision = created.revision;
        }
        for at in 0..self.files.len() {
            if settings.validate_only {
                self.foresee_insertions(at, &mut summary, &mut on_event);
            }
            self.run_file(at, client, settings, &mut summary, &mut on_event).await?;
        }
        Ok(summary)
    }

    /// Takes the figures out that are about entries to be created. Without these the service would reject them; and as there can
    /// be no figures of them yet, they are insertions.
    fn foresee_insertions<F: FnMut(Event<'_>)>(&mut self, at: usize, summary: &mut Summary, on_event: &mut F) {
        let batches = Arc::make_mut(&mut self.files[at].batches);
        if self.options.include_changes {
            let mut insertions = batches.insertions().peekable();
            while insertions.peek().is_some() {
                on_event(Event::Changes(insertions.by_ref().take(CHANGES).collect()));
            }
        }
        let new = batches.drop_new();
        summary.inserted += new;
        summary.figures += new;
        on_event(Event::Progress(summary));
    }

    /// Creates the entries that the catalog does not have, in one commit. `None` if there are none. [`Import::run`] does it by
    /// itself.
    ///
    /// # Errors
    ///
    /// When the service fails or refuses; nothing was created then.
    pub async fn create_entries(&self, client: &Client, settings: &Settings) -> Result<Option<ApplyCatalogResponse>, Error> {
        if self.created.is_empty() {
            return Ok(None);
        }
        let upsert = |entry: &_| CatalogAction { action: Some(Action::Upsert(Clone::clone(entry))) };
        let request = ApplyCatalogRequest {
            actions: self.created.iter().map(upsert).collect(),
            validate_only: settings.validate_only,
            request_id: String::new(),
            context: settings.context.clone(),
        };
        client.apply_catalog(request).await.map(Some)
    }

    async fn run_file<F>(
        &mut self,
        at: usize,
        client: &Client,
        settings: &Settings,
        summary: &mut Summary,
        on_event: &mut F,
    ) -> Result<(), Stopped>
    where
        F: FnMut(Event<'_>),
    {
        let file = &mut self.files[at];
        let options = ImportOptions {
            mode: self.options.mode.into(),
            context: settings.context.clone(),
            published_at: file.published_at.map(Into::into),
            validate_only: settings.validate_only,
            skip_rejected: settings.skip_rejected,
            include_changes: self.options.include_changes,
        };
        let stop = |summary: &Summary, source| Stopped::Call { done: *summary, source };
        let requests = requests(options, Arc::clone(&file.batches));
        let mut answers = client.import_observations(requests).await.map_err(|source| stop(summary, source))?;
        for batch in 0..file.batches.len() {
            let answer = match answers.next().await {
                Some(Ok(answer)) => answer,
                Some(Err(error)) => return Err(file.refusal(batch, error, summary)),
                None => {
                    let cut = Error::Cut { what: "the import", cause: None };
                    return Err(stop(summary, cut));
                }
            };
            file.take_rejects(batch, &answer);
            summary.add(&answer, file.batches.figures_of(batch).len() as u64);
            on_event(Event::Progress(summary));
            if !answer.changes.is_empty() {
                on_event(Event::Changes(answer.changes));
            }
        }
        Ok(())
    }
}

/// The messages of one file. They are made as the connection takes them, so that memory does not grow with the file.
fn requests(
    options: ImportOptions,
    batches: Arc<Batches>,
) -> impl futures::Stream<Item = ImportObservationsRequest> + Send + 'static {
    let request = |message| ImportObservationsRequest { message: Some(message) };
    let rest = (0..batches.len()).map(move |batch| request(Message::Batch(batches.message(batch))));
    stream::iter(std::iter::once(request(Message::Options(options))).chain(rest))
}

impl Summary {
    fn add(&mut self, answer: &ImportObservationsResponse, figures: u64) {
        self.figures += figures - (answer.rejects.len() as u64).min(figures);
        self.inserted += u64::from(answer.inserted);
        self.revised += u64::from(answer.revised);
        self.deleted += u64::from(answer.deleted);
        self.backfilled += u64::from(answer.backfilled);
        self.unchanged += u64::from(answer.unchanged);
        self.revision = answer.revision;
    }

    /// Cells that are not as they were.
    pub fn changed(&self) -> u64 {
        self.inserted + self.revised + self.deleted + self.backfilled
    }
}

impl File {
    fn take_rejects(&mut self, batch: usize, answer: &ImportObservationsResponse) {
        for reject in &answer.rejects {
            let observation = reject.observation_index.map(|at| at as usize);
            if let Some(figure) = self.batches.figure(batch, reject.series_index as usize, observation).copied() {
                let problem = Problem::Service { reason: reject.reason.clone(), description: reject.description.clone() };
                self.reject(&figure, &reject.field, problem);
            }
        }
    }

    /// The error of a batch. If it names figures, they become rejects.
    fn refusal(&mut self, batch: usize, error: Error, done: &Summary) -> Stopped {
        let Error::Rpc { violations, .. } = &error else { return Stopped::Call { done: *done, source: error } };
        let before = self.rejects.len();
        for violation in violations {
            let named = indices(&violation.field);
            let figure = named.and_then(|(series, observation)| self.batches.figure(batch, series, observation).copied());
            if let Some(figure) = figure {
                self.reject(&figure, &violation.field, violation.into());
            }
        }
        if self.rejects.len() > before { Stopped::Rejected { done: *done } } else { Stopped::Call { done: *done, source: error } }
    }

    /// Adds a figure to the rejects; `path` names the field at fault as the service does.
    pub(super) fn reject(&mut self, figure: &Figure, path: &str, problem: Problem) {
        let field = path.rsplit(['.', ']']).next().unwrap_or(path).to_owned();
        let column = self.headers.get(&figure.column).cloned();
        self.rejects.push(Reject { line: figure.line, column, field: field.into(), problem: Arc::new(problem) });
    }
}

impl From<&Violation> for Problem {
    fn from(violation: &Violation) -> Self {
        let reason = violation.reason.map_or_else(String::new, |reason| reason_name(reason).to_owned());
        Self::Service { reason, description: violation.description.clone() }
    }
}

/// The indices in `series[3].observations[5].period`.
fn indices(path: &str) -> Option<(usize, Option<usize>)> {
    let (series, rest) = index_in(path, "series[")?;
    let observation = index_in(rest, ".observations[").map(|(observation, _)| observation);
    Some((series, observation))
}

/// The index that follows a prefix, and what follows that.
pub(super) fn index_in<'p>(path: &'p str, prefix: &str) -> Option<(usize, &'p str)> {
    let (index, rest) = path.strip_prefix(prefix)?.split_once(']')?;
    Some((index.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use indicator_proto::v1::{ErrorReason, WriteMode};
    use tonic::Code;

    use super::*;
    use crate::{
        Violation,
        import::{Input, Options, mapping::Mapping, source},
        names::Names,
    };

    fn import() -> Import {
        let content = "indicator,source,region,period,value\ngdp,o,US,2020,1\ngdp,o,CN,2021,1\ngdp,o,CN,2020,1\n";
        let text = source::from_bytes("a.csv".to_owned(), content.as_bytes().to_vec(), None, None).unwrap();
        let create = "[create.region]\nlevel.constant = \"country\"\n[create.indicator]\nunit.constant = \"USD\"\n";
        let mapping: Mapping = toml::from_str(create).unwrap();
        let options = Options { mode: WriteMode::Merge, create_missing: true, include_changes: false };
        let input = Input { text, mapping, directory: std::path::PathBuf::new() };
        Import::prepare(vec![input], Names::default(), options).unwrap()
    }

    fn refused(field: &str) -> Error {
        let reason = Some(ErrorReason::InvalidPeriod);
        let violation = Violation { field: field.to_owned(), description: "no such period".to_owned(), reason };
        Error::Rpc { code: Code::InvalidArgument, reason, message: String::new(), violations: vec![violation], retry_after: None }
    }

    #[test]
    fn what_the_service_rejects_is_told_by_line() {
        let mut import = import();
        let error = refused("series[1].observations[0].period");
        assert!(matches!(import.files[0].refusal(0, error, &Summary::default()), Stopped::Rejected { .. }));
        let reject = &import.files[0].rejects[0];
        assert_eq!((reject.line, &*reject.field), (4, "period"), "the first period of the second series");
        assert_eq!(reject.problem.to_string(), "no such period (INVALID_PERIOD)");
    }

    #[test]
    fn an_error_about_no_figure_stays_an_error() {
        let mut import = import();
        let stopped = import.files[0].refusal(0, refused("options.mode"), &Summary::default());
        assert!(matches!(stopped, Stopped::Call { .. }));
        assert!(import.files[0].rejects.is_empty());
    }

    #[test]
    fn the_path_of_a_violation_tells_which_figure_it_is() {
        assert_eq!(indices("series[3].observations[5].period"), Some((3, Some(5))));
        assert_eq!(indices("series[3].series.region"), Some((3, None)));
        assert_eq!(indices("options.mode"), None);
    }
}

//! What became of each step, as it comes.

use std::io::Write as _;

use indicator_client::import::{Step, Steps, Summary, Topic};
use indicator_proto::{
    v1::{ChangeKind, WriteObservationsResponse},
    words::{self, Language},
};
use serde_json::{Map, Value};

use crate::{
    context::{Context, Format, Output},
    output::{Column, Listing, View, clock, fields, printable, time},
    write::counted,
};

/// A step and what became of it.
#[derive(Debug)]
struct Written {
    /// Its place, from 0.
    at: usize,
    step: Step,
    /// Name of the file that it is of, if it is of one.
    file: String,
    answer: WriteObservationsResponse,
}

/// Prints steps.
pub(super) struct Printer<'a> {
    steps: &'a Steps,
    form: Form,
}

enum Form {
    /// Lines for people, who are not to wait for the widths of a table.
    Lines(WrittenView, Output),
    /// Records or JSON for programs.
    Records(Box<Listing<WrittenView, Output>>),
}

impl<'a> Printer<'a> {
    /// Prints to standard output.
    pub(super) fn new(cx: &Context, steps: &'a Steps) -> anyhow::Result<Self> {
        let view = WrittenView { language: cx.language, steps: steps.steps().len() };
        let form = match cx.format {
            Format::Table => Form::Lines(view, cx.stdout()),
            _ => Form::Records(Box::new(cx.listing(view)?)),
        };
        Ok(Self { steps, form })
    }

    /// Prints what became of the step at this index.
    pub(super) fn print(&mut self, at: usize, answer: &WriteObservationsResponse) -> anyhow::Result<()> {
        let step = self.steps.steps()[at].clone();
        let file = match step.topic {
            Topic::Vintage { file, .. } => self.steps.import().files()[file].name().to_owned(),
            Topic::Period { .. } => String::new(),
        };
        let written = Written { at, step, file, answer: answer.clone() };
        // Whoever reads waits for this.
        match &mut self.form {
            Form::Lines(view, out) => {
                let cells = view.row(&written).into_iter().filter(|cell| !cell.is_empty());
                let cells: Vec<String> = cells.map(|cell| printable(&cell)).collect();
                writeln!(out, "{}", cells.join("  "))?;
                Ok(out.flush()?)
            }
            Form::Records(listing) => {
                listing.push(&written)?;
                listing.flush()
            }
        }
    }

    /// Ends the answer.
    pub(super) fn finish(self, total: &Summary) -> anyhow::Result<()> {
        if let Form::Records(listing) = self.form {
            listing.finish(Map::from_iter([("revision".to_owned(), Value::String(total.revision.to_string()))]))?;
        }
        Ok(())
    }
}

/// Shows steps.
struct WrittenView {
    language: Language,
    /// How many there are in all.
    steps: usize,
}

impl WrittenView {
    fn topic(&self, Written { step, file, .. }: &Written) -> String {
        let word = |en, zh| self.language.word(en, zh);
        let mut topic = match step.topic {
            Topic::Period { period, edition: 0 } => period.to_string(),
            Topic::Period { period, edition } => format!("{period} {} {}", word("edition", "版次"), edition + 1),
            Topic::Vintage { published_at: None, .. } => file.clone(),
            Topic::Vintage { published_at, .. } => format!("{} {file}", clock(published_at.map(Into::into).as_ref())),
        };
        if step.parts > 1 {
            topic = format!("{topic} ({}/{})", step.part + 1, step.parts);
        }
        topic
    }

    fn counts(&self, answer: &WriteObservationsResponse) -> String {
        let kind = |kind| words::change(kind, self.language);
        counted(&[
            (answer.inserted, kind(ChangeKind::Inserted)),
            (answer.revised, kind(ChangeKind::Revised)),
            (answer.backfilled, kind(ChangeKind::Backfilled)),
            (answer.unchanged, self.language.word("unchanged", "未变")),
        ])
    }
}

impl View for WrittenView {
    type Item = Written;

    fn name(&self) -> &'static str {
        "steps"
    }

    fn columns(&self) -> Vec<Column> {
        let word = |en, zh| self.language.word(en, zh);
        vec![
            Column::figure(word("STEP", "步骤")),
            Column::text(word("WHAT", "对象")),
            Column::text(word("FIGURES", "数值")),
            Column::figure(word("REVISION", "修订号")),
        ]
    }

    fn row(&self, written: &Written) -> Vec<String> {
        let number = format!("{}/{}", written.at + 1, self.steps);
        let made = written.answer.recorded_at.is_some();
        let revision = if made {
            format!("{} {}", self.language.word("revision", "修订号"), written.answer.revision)
        } else {
            String::new()
        };
        vec![number, self.topic(written), self.counts(&written.answer), revision]
    }

    fn fields(&self) -> Vec<String> {
        let what = ["step", "period", "edition", "published_at", "file", "part", "parts"];
        let became = ["revision", "recorded_at", "inserted", "revised", "backfilled", "unchanged"];
        what.into_iter().chain(became).map(str::to_owned).collect()
    }

    fn record(&self, Written { at, step, file, answer }: &Written) -> Vec<String> {
        let number = |number: usize| (number + 1).to_string();
        let (period, edition, published_at) = match step.topic {
            Topic::Period { period, edition } => (period.to_string(), number(edition), String::new()),
            Topic::Vintage { published_at, .. } => (String::new(), String::new(), time(published_at.map(Into::into).as_ref())),
        };
        let mut record =
            vec![number(*at), period, edition, published_at, file.clone(), number(step.part), step.parts.to_string()];
        record.extend([answer.revision.to_string(), time(answer.recorded_at.as_ref())]);
        record.extend([answer.inserted, answer.revised, answer.backfilled, answer.unchanged].map(|count| count.to_string()));
        record
    }

    /// The answer to the write, with what was written before it.
    fn json(&self, Written { at, step, file, answer }: &Written) -> Value {
        let mut what = Map::from_iter([("step".to_owned(), Value::from(at + 1)), ("steps".to_owned(), Value::from(self.steps))]);
        match step.topic {
            Topic::Period { period, edition } => {
                what.insert("period".to_owned(), period.to_string().into());
                what.insert("edition".to_owned(), (edition + 1).into());
            }
            Topic::Vintage { published_at, .. } => {
                let published_at = published_at.map(|it| ("publishedAt".to_owned(), it.to_string().into()));
                what.extend(published_at);
                what.insert("file".to_owned(), file.clone().into());
            }
        }
        if step.parts > 1 {
            what.insert("part".to_owned(), (step.part + 1).into());
            what.insert("parts".to_owned(), step.parts.into());
        }
        what.extend(fields(answer));
        Value::Object(what)
    }
}

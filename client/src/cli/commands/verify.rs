//! `indicator verify`: whether the store is as its log says.

use std::io::Write as _;

use indicator_proto::{to_json, words::grouped};

use crate::{
    context::{Context, Format},
    failure::Failure,
};

/// Arguments of `indicator verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator verify
  indicator verify -o json

The server recomputes the hash of every commit, and compares all that it keeps beside the log with it. It goes on serving meanwhile,
and takes as long as reading everything does. `indicatord verify` does the same, and more, for a stopped server and for a backup.")]
pub(crate) struct Args {}

/// Prints what was compared, and what is wrong.
pub(crate) async fn run(cx: &Context, _: Args) -> anyhow::Result<()> {
    let verified = cx.client.verify().await?;
    let number = |number: u64| grouped(&number.to_string(), 0);
    let mut out = cx.stdout();
    match cx.format {
        Format::Table => {
            let word = |en, zh| cx.language.word(en, zh);
            verified.problems.iter().try_for_each(|problem| writeln!(out, "{problem}"))?;
            writeln!(
                out,
                "{} {} {}, {} {}, {} {}",
                word("checked", "已核对"),
                number(verified.commits),
                word("commits", "次提交"),
                number(verified.versions),
                word("versions", "个版本"),
                number(verified.states),
                word("kept states", "个保存的状态"),
            )?;
        }
        Format::Json => writeln!(out, "{:#}", to_json(&verified))?,
        Format::Ndjson => writeln!(out, "{}", to_json(&verified))?,
        Format::Csv => {
            writeln!(out, "problem")?;
            let mut writer = csv::Writer::from_writer(&mut out);
            verified.problems.iter().try_for_each(|problem| writer.write_record([problem]))?;
            writer.flush()?;
        }
    }
    out.flush()?;
    match verified.problem_count {
        0 => Ok(()),
        count => Err(Failure::failed(format!("the store is damaged, in {count} places; restore a backup")).into()),
    }
}

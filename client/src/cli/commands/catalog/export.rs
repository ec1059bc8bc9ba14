//! `indicator catalog export`: the catalog as a file that `indicator catalog apply` takes.

use std::io::Write as _;

use futures::TryStreamExt as _;
use indicator_client::catalog_file;
use indicator_proto::v1::{AsOf, EntryKind, ListUnitsRequest, catalog_entry::Entry};

use crate::{
    catalog::{self, Selection},
    context::{Context, Format},
    failure::Failure,
    moment::AsOfArgs,
    typed::Typed as _,
};

/// Arguments of `indicator catalog export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator catalog export > catalog.toml
  indicator catalog export --kind unit --kind indicator -o json > units-and-indicators.json
  indicator catalog export --as-of 2024-12-31 | indicator catalog apply - --server other:7430

The file is TOML, or JSON with -o json.")]
pub(crate) struct Args {
    /// Only entries of this kind; may be repeated
    #[arg(long, value_parser = EntryKind::parser(), value_name = "KIND")]
    kind: Vec<EntryKind>,
    #[command(flatten)]
    moment: AsOfArgs,
}

/// Writes the file.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    if !matches!(cx.format, Format::Table | Format::Json) {
        let failure = Failure::usage("a catalog is a TOML or JSON file; leave -o out, or use -o json");
        return Err(failure.remedy("for rows: indicator catalog list").into());
    }
    let moment = args.moment.moment();
    let revision = revision(cx, moment).await?;
    let mut entries: Vec<Entry> = Vec::new();
    for (kind, _) in EntryKind::ALL.iter().filter(|(kind, _)| args.kind.is_empty() || args.kind.contains(kind)) {
        // A moment before the first commit has the revision 0, which alone would mean now.
        let as_of = Some(AsOf { revision, ..moment.unwrap_or_default() });
        let selection = Selection { as_of, ..Selection::default() };
        entries.extend(catalog::list(&cx.client, *kind, selection).try_collect::<Vec<_>>().await?);
    }
    let mut out = cx.stdout();
    match cx.format {
        Format::Json => writeln!(out, "{:#}", catalog_file::to_json(&entries))?,
        _ => write!(out, "# The catalog at revision {revision}.\n\n{}", catalog_file::to_toml(&entries))?,
    }
    out.flush()?;
    cx.remark(&format!("{} entries as of revision {revision}", entries.len()));
    Ok(())
}

/// The revision that a moment shows: the kinds are listed one after the other, and the file is of one moment.
async fn revision(cx: &Context, as_of: Option<AsOf>) -> anyhow::Result<u64> {
    let request = ListUnitsRequest { page_size: 1, as_of, ..ListUnitsRequest::default() };
    Ok(cx.client.list_units(request).await?.revision)
}

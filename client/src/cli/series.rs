//! Series as they are typed: names in any language become ids.

use std::collections::BTreeMap;

use futures::future::{join_all, try_join};
use indicator_client::names::ResolveError;
use indicator_proto::v1::{EntryKind, SeriesKey};

use crate::{context::Context, failure::Failure};

/// Which series.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SeriesArgs {
    /// Indicator: its id, a name or an alias
    pub(crate) indicator: String,
    /// Region: its id, a code, a name or an alias
    pub(crate) region: String,
    /// Code of a dimension, for series that are broken down: --dim level=provincial
    #[arg(long = "dim", value_name = "DIMENSION=CODE", value_parser = dimension)]
    pub(crate) dims: Vec<(String, String)>,
}

/// Reads `DIMENSION=CODE`.
pub(crate) fn dimension(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((dimension, code)) if !dimension.is_empty() && !code.is_empty() => Ok((dimension.to_owned(), code.to_owned())),
        _ => Err("write the dimension, an equals sign and the code, such as level=provincial"),
    }
}

impl Context {
    /// The ids of texts of one kind. All that cannot be resolved are reported together.
    pub(crate) async fn ids(&self, kind: EntryKind, texts: &[String]) -> anyhow::Result<Vec<String>> {
        together(join_all(texts.iter().map(|text| self.client.resolve(kind, text))).await)
    }

    /// The id of a text.
    pub(crate) async fn id(&self, kind: EntryKind, text: &str) -> anyhow::Result<String> {
        Ok(together(vec![self.client.resolve(kind, text).await])?.remove(0))
    }

    /// The ids of dimensions and their codes.
    pub(crate) async fn dimensions(&self, typed: &[(String, String)]) -> anyhow::Result<BTreeMap<String, String>> {
        let resolved = together(join_all(typed.iter().map(|(dimension, code)| self.dimension(dimension, code))).await)?;
        let count = resolved.len();
        let dimensions: BTreeMap<String, String> = resolved.into_iter().collect();
        if dimensions.len() < count {
            return Err(Failure::usage("--dim gives the same dimension twice").into());
        }
        Ok(dimensions)
    }

    async fn dimension(&self, dimension: &str, code: &str) -> Result<(String, String), ResolveError> {
        let dimension = self.client.resolve(EntryKind::Dimension, dimension).await?;
        let code = self.client.resolve_code(&dimension, code).await?;
        Ok((dimension, code))
    }

    /// The key of a series. Without a source, that field stays empty.
    pub(crate) async fn series(&self, args: &SeriesArgs, source: Option<&str>) -> anyhow::Result<SeriesKey> {
        let mut named = vec![(EntryKind::Indicator, &*args.indicator), (EntryKind::Region, &*args.region)];
        named.extend(source.map(|source| (EntryKind::Source, source)));
        let ids = async { together(join_all(named.iter().map(|(kind, text)| self.client.resolve(*kind, text))).await) };
        let (ids, dimensions) = try_join(ids, self.dimensions(&args.dims)).await?;
        let mut ids = ids.into_iter();
        let mut next = || ids.next().unwrap_or_default();
        Ok(SeriesKey { indicator: next(), region: next(), source: next(), dimensions })
    }
}

/// All results, or all errors as one.
fn together<T>(results: Vec<Result<T, ResolveError>>) -> anyhow::Result<Vec<T>> {
    let mut found = Vec::with_capacity(results.len());
    let mut problems = Vec::new();
    for result in results {
        match result {
            Ok(id) => found.push(id),
            Err(ResolveError::Name(problem)) => problems.push(problem),
            Err(ResolveError::Call(error)) => return Err(error.into()),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(Failure::names(&problems).into()) }
}

#[cfg(test)]
mod tests {
    use indicator_client::names::NameError;

    use super::*;

    fn unknown(text: &str) -> Result<String, ResolveError> {
        let (kind, text) = ("region".to_owned(), text.to_owned());
        Err(NameError::Unknown { kind, text, suggestions: Vec::new() }.into())
    }

    #[test]
    fn all_names_that_cannot_be_resolved_are_reported_together() {
        let error = together(vec![Ok("CN".to_owned()), unknown("Shandnog"), unknown("Atlantis")]).unwrap_err().to_string();
        assert!(error.contains("Shandnog") && error.contains("Atlantis"), "{error}");
        assert_eq!(together(vec![Ok(1), Ok(2)]).unwrap(), [1, 2]);
    }

    #[test]
    fn a_dimension_value_has_two_parts() {
        assert_eq!(dimension("sex=F"), Ok(("sex".to_owned(), "F".to_owned())));
        for text in ["sex", "=F", "sex=", ""] {
            assert!(dimension(text).is_err(), "{text}");
        }
    }
}

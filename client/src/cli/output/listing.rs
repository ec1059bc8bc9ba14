//! Items of one kind, in the format asked for.

use std::io::Write;

use serde_json::{Map, Value};

use super::{Column, JsonList, Style, Table};
use crate::context::Format;

/// How the items of an answer are shown in each format.
pub(crate) trait View {
    /// What one row, record or line shows.
    type Item;

    /// The field of the JSON object that holds the items.
    fn name(&self) -> &'static str;

    /// The columns of the table.
    fn columns(&self) -> Vec<Column>;

    /// The cells of an item's row in the table, one for each column.
    fn row(&self, item: &Self::Item) -> Vec<String>;

    /// The header of the CSV file.
    fn fields(&self) -> Vec<String>;

    /// The fields of an item's CSV record, one for each field of the header.
    fn record(&self, item: &Self::Item) -> Vec<String>;

    /// The item in the proto3 JSON mapping.
    fn json(&self, item: &Self::Item) -> Value;
}

/// Writes items one by one. Call [`Listing::finish`] at the end.
#[derive(Debug)]
pub(crate) struct Listing<V, W: Write> {
    view: V,
    style: Style,
    form: Form<W>,
    count: u64,
}

#[derive(Debug)]
enum Form<W: Write> {
    Table(Table, W),
    Json(JsonList<W>),
    Ndjson(W),
    Csv(Box<csv::Writer<W>>),
}

impl<V: View, W: Write> Listing<V, W> {
    /// Starts writing to `out`.
    pub(crate) fn new(view: V, format: Format, style: Style, out: W) -> anyhow::Result<Self> {
        let form = match format {
            Format::Table => Form::Table(Table::new(view.columns()), out),
            Format::Json => Form::Json(JsonList::new(view.name(), out)?),
            Format::Ndjson => Form::Ndjson(out),
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(view.fields())?;
                Form::Csv(Box::new(writer))
            }
        };
        Ok(Self { view, style, form, count: 0 })
    }

    /// Writes an item; a table keeps it until the end.
    pub(crate) fn push(&mut self, item: &V::Item) -> anyhow::Result<()> {
        match &mut self.form {
            Form::Table(table, _) => table.push(self.view.row(item)),
            Form::Json(list) => list.push(&self.view.json(item))?,
            Form::Ndjson(out) => {
                serde_json::to_writer(&mut *out, &self.view.json(item))?;
                out.write_all(b"\n")?;
            }
            Form::Csv(writer) => writer.write_record(self.view.record(item))?,
        }
        self.count += 1;
        Ok(())
    }

    /// Hands over what has been written so far, for readers who wait for it.
    pub(crate) fn flush(&mut self) -> anyhow::Result<()> {
        match &mut self.form {
            Form::Table(_, out) | Form::Ndjson(out) => out.flush()?,
            Form::Json(list) => list.flush()?,
            Form::Csv(writer) => writer.flush()?,
        }
        Ok(())
    }

    /// Ends the answer and says how many items it had. `rest` are the other fields of the JSON object.
    pub(crate) fn finish(mut self, rest: Map<String, Value>) -> anyhow::Result<u64> {
        self.flush()?;
        match self.form {
            Form::Table(table, mut out) => {
                table.write(self.style, &mut out)?;
                out.flush()?;
            }
            Form::Json(list) => list.finish(&rest)?,
            Form::Ndjson(_) | Form::Csv(_) => {}
        }
        Ok(self.count)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Words;

    impl View for Words {
        type Item = (&'static str, u32);

        fn name(&self) -> &'static str {
            "words"
        }

        fn columns(&self) -> Vec<Column> {
            vec![Column::text("WORD"), Column::figure("LENGTH")]
        }

        fn row(&self, item: &Self::Item) -> Vec<String> {
            vec![item.0.to_owned(), item.1.to_string()]
        }

        fn fields(&self) -> Vec<String> {
            vec!["word".into(), "length".into()]
        }

        fn record(&self, item: &Self::Item) -> Vec<String> {
            self.row(item)
        }

        fn json(&self, item: &Self::Item) -> Value {
            json!({"word": item.0, "length": item.1})
        }
    }

    fn text(format: Format, items: &[(&'static str, u32)]) -> String {
        let mut out = Vec::new();
        let mut listing = Listing::new(Words, format, Style::default(), &mut out).expect("a vector takes everything");
        for item in items {
            listing.push(item).expect("a vector takes everything");
        }
        let rest = json!({"revision": "7"}).as_object().cloned().expect("an object");
        assert_eq!(listing.finish(rest).expect("a vector takes everything"), items.len() as u64);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn json_is_one_object_also_without_items() {
        let whole: Value = serde_json::from_str(&text(Format::Json, &[("a", 1), ("\"b\n", 3)])).expect("JSON");
        assert_eq!(whole, json!({"words": [{"word": "a", "length": 1}, {"word": "\"b\n", "length": 3}], "revision": "7"}));
        let empty: Value = serde_json::from_str(&text(Format::Json, &[])).expect("JSON");
        assert_eq!(empty, json!({"words": [], "revision": "7"}));
    }

    #[test]
    fn ndjson_is_a_line_an_item_and_nothing_else() {
        let lines = text(Format::Ndjson, &[("a", 1), ("b", 2)]);
        assert_eq!(lines, "{\"word\":\"a\",\"length\":1}\n{\"word\":\"b\",\"length\":2}\n");
        assert_eq!(text(Format::Ndjson, &[]), "");
    }

    #[test]
    fn csv_quotes_what_needs_it_and_has_its_header_also_without_items() {
        assert_eq!(text(Format::Csv, &[("a,\"b\"", 1)]), "word,length\n\"a,\"\"b\"\"\",1\n");
        assert_eq!(text(Format::Csv, &[]), "word,length\n");
    }

    #[test]
    fn a_table_lists_the_items_under_the_columns() {
        assert_eq!(text(Format::Table, &[("one", 3)]), "WORD  LENGTH\none        3\n");
    }
}

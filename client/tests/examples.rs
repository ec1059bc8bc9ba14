//! The examples are read as their comments say.

use std::path::{Path, PathBuf};

use indicator_client::{
    import::{Import, Input, Options, mapping, source},
    names::Names,
};
use indicator_proto::v1::{CatalogEntry, Region, WriteMode, catalog_entry::Entry};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

fn provinces() -> Names {
    let province = |(id, name): (&str, &str)| {
        let names = [("zh".to_owned(), name.to_owned())].into();
        CatalogEntry { entry: Some(Entry::Region(Region { id: id.to_owned(), names, ..Region::default() })) }
    };
    Names::from_entries([("CN-SD", "山东省"), ("CN-JS", "江苏省"), ("CN-GD", "广东省")].map(province).to_vec())
}

#[test]
fn the_mapping_beside_the_example_reads_all_of_it() {
    let data = example("output-by-province.csv");
    let saved = mapping::saved_beside(&data).expect("the mapping stands beside its file");
    let mapping = mapping::load(&saved, "output-by-province.csv").expect("it is a mapping");
    let text = source::read(&data, None, None).expect("the example can be read");
    assert_eq!(text.encoding, "gb18030");
    let input = Input { text, mapping, directory: example("") };
    let options = Options { mode: WriteMode::Merge, create_missing: true, include_changes: false };
    let import = Import::prepare(vec![input], provinces(), options).expect("the mapping fits the file");
    assert_eq!(import.rejected(), 0);
    assert_eq!(import.figures(), 5);
    assert_eq!(import.files()[0].skipped(), 4, "three of the newest year, one marked");
    assert_eq!(import.created().len(), 3, "source, unit and indicator; the regions are known");
}

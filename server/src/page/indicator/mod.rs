//! One indicator of one region: its figure, its line, its history, its neighbours, and who says so.

mod data;
mod hero;
mod history;
mod plot;
mod table;

use indicator_proto::words::Language;
use maud::html;
use tonic::Status;

pub(super) use self::data::Data;
use super::{
    address::{Address, Indicator, Ranking, View},
    chart::{Chart, Size},
    parts,
    picture::{Part, Picture, Section},
    ranking,
    reader::Reader,
};

/// Neighbours that are shown.
const NEIGHBOURS: usize = 40;

/// Draws it.
pub(super) async fn draw(reader: &Reader, address: &Address, view: &Indicator) -> Result<Picture, Status> {
    let names = reader.names();
    if names.catalog.region(&view.region).is_none() {
        return Ok(parts::not_found(address, parts::NoSuch::Region(&view.region)));
    }
    if names.catalog.indicator(&view.indicator).is_none() {
        return Ok(parts::not_found(address, parts::NoSuch::Indicator(&view.indicator)));
    }
    let data = Data::read(reader, view).await?;
    let language = reader.language;
    let word = |en: &'static str, zh: &'static str| language.word(en, zh);
    let mut sections = vec![Section::new("heading", "", vec![Part::new("head", hero::hero(address, view, &data, names))])];
    sections.push(Section::new(
        "graph",
        word("Chart", "图表"),
        vec![
            Part::new("controls", plot::controls(address, view, &data, names)),
            Part::new("plot", plot::plot(address, view, &data, names)),
            Part::new("table", table::table(view, &data, names)),
        ],
    ));
    if let Some(found) = &data.neighbours {
        let place =
            ranking::Place { address, indicator: &view.indicator, dimensions: &data.dimensions, here: Some(&view.region) };
        let rows = ranking::rows(found, &place, names, NEIGHBOURS);
        let title = html! {
            h2 id="neighbours-title" {
                (word("Beside its neighbours", "同级地区对比"))
                " "
                @let level = names.catalog.region(&view.region).map(|region| region.level.clone());
                @let under = names.catalog.region(&view.region).map(|region| region.parent.clone()).filter(|parent| !parent.is_empty());
                @let dimensions = Some(data.dimensions.clone()).filter(|it| !it.is_empty());
                a.more href=(address.to(View::Ranking(Ranking { indicator: view.indicator.clone(), level, under, dimensions, ..Ranking::default() }))) {
                    (word("Whole ranking", "完整排名"))
                }
            }
        };
        sections.push(Section::new("neighbours-head", "", vec![Part::new("neighbours-title", title)]));
        sections.push(Section::list("neighbours", word("Neighbours", "同级地区"), rows));
    }
    let mut past = Vec::new();
    if !data.versions.is_empty() {
        past.push(Part::new("versions", history::versions(view, &data, names)));
    }
    if data.by_source.len() > 1 || !data.discrepancies.is_empty() {
        past.push(Part::new("sources", history::sources(address, view, &data, names)));
    }
    if !past.is_empty() {
        sections.push(Section::new("past", word("History and sources", "历史与来源"), past));
    }
    let comma = language.word(" – ", " – ");
    let title = format!("{}{comma}{}", names.subject(&view.indicator, &data.dimensions), names.region(&view.region));
    Ok(Picture::new(title, sections))
}

/// The chart of a page.
pub(super) fn chart(view: &Indicator, data: &Data, reader: &Reader, size: Size) -> Chart {
    plot::chart(view, data, reader.names(), "chart", size)
}

/// A transform in words.
fn transform_words(transform: super::address::Transform, language: Language) -> &'static str {
    use super::address::Transform::{Change, Index, None, PercentChange, YearOnYear};
    match transform {
        None => language.word("As recorded", "原始数据"),
        Change => language.word("Change", "增减额"),
        PercentChange => language.word("Change in %", "环比增速"),
        YearOnYear => language.word("Year on year in %", "同比增速"),
        Index => language.word("Index, first period = 100", "指数（首期=100）"),
    }
}

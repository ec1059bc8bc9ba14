//! The indicators of a region, as tiles.

use std::collections::BTreeMap;

use indicator_proto::{
    v1::{self, ObservationFilter},
    words::Language,
};
use maud::{Markup, html};
use tonic::Status;

use super::{
    address::{Address, Overview, View},
    pager, parts,
    picture::{Part, Picture, Section, element_id},
    reader::{Figures, Reader, Subject},
    tile::{self, Tile},
};

/// Tiles on one page.
const TILES: usize = 48;
/// Periods in a sparkline.
const PERIODS: u32 = 30;
/// As many derived indicators are computed for one page at most.
const DERIVED: usize = 100;

/// Draws it.
pub(super) async fn draw(reader: &Reader, address: &Address, view: &Overview) -> Result<Picture, Status> {
    let names = reader.names();
    if names.catalog.region(&view.region).is_none() {
        return Ok(parts::not_found(address, parts::NoSuch::Region(&view.region)));
    }
    let of_region = |indicators: Vec<String>| ObservationFilter {
        regions: vec![view.region.clone()],
        indicators,
        ..ObservationFilter::default()
    };
    // First which there are, then the lines of those that are shown.
    let mut subjects: Vec<Subject> = Vec::new();
    if reader.engine().with_index(|index| index.has_series_of(&view.region)) {
        subjects.extend(reader.figures(of_region(Vec::new()), 1, Vec::new(), reader.as_of()).await?.into_keys());
    }
    let derived = names.catalog.all::<v1::Indicator>().filter(|indicator| !indicator.formula.is_empty());
    let derived: Vec<String> = derived.take(DERIVED).map(|indicator| indicator.id.clone()).collect();
    if !derived.is_empty() {
        let computed = reader.figures(of_region(derived), 1, Vec::new(), reader.as_of()).await?;
        subjects.extend(computed.into_iter().filter(|(_, figures)| has_figure(figures)).map(|(subject, _)| subject));
    }
    let topic = |indicator: &str| names.catalog.indicator(indicator).map_or("", |it| it.topic.as_str());
    let mut topics: BTreeMap<String, usize> = BTreeMap::new();
    for (indicator, ..) in &subjects {
        *topics.entry(topic(indicator).to_owned()).or_default() += 1;
    }
    if let Some(wanted) = &view.topic {
        subjects.retain(|(indicator, ..)| topic(indicator) == wanted);
    }
    // The same in every language.
    subjects.sort_by(|(a, _, a_dimensions), (b, _, b_dimensions)| (topic(a), a, a_dimensions).cmp(&(topic(b), b, b_dimensions)));
    let count = subjects.len();
    let pages = count.div_ceil(TILES).max(1);
    let page = view.page.clamp(1, pages);
    let shown: Vec<Subject> = subjects.into_iter().skip((page - 1) * TILES).take(TILES).collect();

    let mut tiles = Vec::with_capacity(shown.len());
    if !shown.is_empty() {
        let mut indicators: Vec<String> = shown.iter().map(|(indicator, ..)| indicator.clone()).collect();
        indicators.dedup();
        let mut lines = reader.figures(of_region(indicators), PERIODS, Vec::new(), reader.as_of()).await?;
        for subject in &shown {
            if let Some(figures) = lines.remove(subject) {
                tiles.push(tile(address, subject, &figures, reader));
            }
        }
    }
    let region = names.region(&view.region);
    let word = |en, zh| reader.language.word(en, zh);
    let head = Part::new("head", head(reader, address, view, &topics, count));
    let mut sections = vec![Section::new("heading", "", vec![head])];
    if tiles.is_empty() {
        let text = match reader.language {
            Language::En => {
                format!("No figures are recorded for {region} yet. They appear here when they are.")
            }
            Language::Zh => format!("{region}暂无数据。记录后将自动显示在此处。"),
        };
        sections.push(Section::new(
            "tiles",
            word("Indicators", "指标"),
            vec![Part::new("no-tiles", html! { p.nothing id="no-tiles" { (text) } })],
        ));
    } else {
        sections.push(Section::new("tiles", word("Indicators", "指标"), tiles));
    }
    if pages > 1 {
        let link = |page| address.to(View::Overview(Overview { page, ..view.clone() })).to_string();
        sections.push(Section::new("pages", "", vec![Part::new("pager", pager::pager(page, pages, reader.language, link))]));
    }
    Ok(Picture::new(region, sections))
}

fn has_figure(figures: &Figures) -> bool {
    figures.latest().is_some_and(|(_, it)| it.missing() == v1::MissingReason::Unspecified)
}

fn tile(address: &Address, subject: &Subject, figures: &Figures, reader: &Reader) -> Part {
    let (indicator, region, dimensions) = subject;
    let codes: Vec<&str> = dimensions.iter().flat_map(|(dimension, code)| [dimension.as_str(), code.as_str()]).collect();
    let id = element_id("tile", &[&[indicator.as_str()], &codes[..]].concat());
    let tile = Tile { id: &id, address, indicator, region, figures, names: reader.names() };
    let html = tile::tile(&tile);
    Part::new(id, html)
}

fn head(reader: &Reader, address: &Address, view: &Overview, topics: &BTreeMap<String, usize>, count: usize) -> Markup {
    let names = reader.names();
    let word = |en, zh| reader.language.word(en, zh);
    let below: Vec<&v1::Region> = names.catalog.children(&view.region).collect();
    // Those with figures alone lead somewhere.
    let with_figures = |region: &&&v1::Region| {
        reader.engine().with_index(|index| index.has_series_of(&region.id)) || names.catalog.children(&region.id).next().is_some()
    };
    let below: Vec<&&v1::Region> = below.iter().filter(with_figures).collect();
    let figures = match reader.language {
        Language::En if count == 1 => "1 indicator".to_owned(),
        Language::En => format!("{count} indicators"),
        Language::Zh => format!("{count} 项指标"),
    };
    html! {
        header.head id="head" {
            (parts::trail(address, &view.region, names))
            h1 { (names.region(&view.region)) }
            p.lead { (figures) }
            (parts::past(address))
            @if topics.len() > 1 {
                nav.topics aria-label=(word("Topics", "主题")) {
                    @let all = address.to(View::Overview(Overview { topic: None, page: 1, ..view.clone() }));
                    a.chip href=(all) aria-current=[view.topic.is_none().then_some("true")] { (word("All topics", "全部主题")) }
                    @for (topic, count) in topics.iter().filter(|(topic, _)| !topic.is_empty()) {
                        @let to = address.to(View::Overview(Overview { topic: Some(topic.clone()), page: 1, ..view.clone() }));
                        a.chip href=(to) aria-current=[(view.topic.as_ref() == Some(topic)).then_some("true")] {
                            (parts::topic(topic, reader.language)) " " span.count { (count) }
                        }
                    }
                }
            }
            @if !below.is_empty() {
                nav.below aria-label=(word("Regions within", "下辖地区")) {
                    span.label { (word("Within it", "下辖")) }
                    @for region in below {
                        @let to = address.to(View::Overview(Overview { region: region.id.clone(), ..Overview::default() }));
                        a.chip href=(to) { (names.region(&region.id)) }
                    }
                }
            }
        }
    }
}

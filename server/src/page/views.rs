//! Which file draws which view.

use indicator_proto::words::Language;
use maud::html;
use tonic::{Code, Status};

use super::{
    address::{Address, Overview, View},
    changes, indicator, overview,
    picture::{Part, Picture, Section},
    ranking,
    reader::Reader,
    search,
};

/// Draws a view. What is wrong with what was asked for is part of the picture; what is wrong with the store is an error.
pub(super) async fn draw(reader: &Reader, address: &Address) -> Result<Picture, Status> {
    let drawn = match &address.view {
        View::Home => Ok(home(reader, address)),
        View::Overview(view) => overview::draw(reader, address, view).await,
        View::Indicator(view) => indicator::draw(reader, address, view).await,
        View::Ranking(view) => ranking::draw(reader, address, view).await,
        View::Changes { before } => changes::draw(reader, address, *before).await,
        View::Search { query } => Ok(search::draw(reader, address, query)),
    };
    match drawn {
        Err(status) if is_of_the_request(&status) => Ok(refused(&status, address.manner.language)),
        drawn => drawn,
    }
}

/// Whether it is what was asked for that is at fault, and not the service.
pub(super) fn is_of_the_request(status: &Status) -> bool {
    matches!(status.code(), Code::InvalidArgument | Code::NotFound | Code::FailedPrecondition | Code::OutOfRange)
}

/// Where the figures are: the region with the most series.
pub(super) fn busiest(reader: &Reader) -> Option<String> {
    reader.engine().with_index(|index| index.busiest_region().map(str::to_owned))
}

/// Seen where there are no figures yet.
fn home(reader: &Reader, address: &Address) -> Picture {
    let word = |en: &'static str, zh: &'static str| reader.language.word(en, zh);
    let html = html! {
        header.head id="head" {
            h1 { (word("Statistical indicators", "统计指标")) }
            @if let Some(region) = busiest(reader) {
                @let to = address.to(View::Overview(Overview { region: region.clone(), ..Overview::default() }));
                p.lead { a href=(to) { (reader.names().region(&region)) } }
            } @else {
                p.lead { (word("No figures are recorded yet. They appear here when they are.", "尚无数据。记录后将自动显示在此处。")) }
            }
        }
    };
    let title = word("Overview", "概览");
    Picture::new(title, vec![Section::new("heading", "", vec![Part::new("head", html)])])
}

/// What was asked for cannot be answered: the service's own words, which say what to do.
fn refused(status: &Status, language: Language) -> Picture {
    let title = language.word("This cannot be shown", "无法显示");
    let html = html! {
        header.head id="head" {
            h1 { (title) }
            p.lead lang="en" { (status.message()) }
        }
    };
    Picture { found: false, ..Picture::new(title, vec![Section::new("heading", "", vec![Part::new("head", html)])]) }
}

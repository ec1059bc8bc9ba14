//! Where the axes are marked, and with which words.

use indicator_proto::{
    Decimal, Frequency, Period,
    words::{self, Language},
};
use rust_decimal::RoundingStrategy;

use super::{
    scale::{Across, middle, start},
    text,
};

/// Figures that differ by less than this part of their size are drawn as equal: arithmetic has no more digits.
const LEAST_PART: f64 = 1e-9;

/// The figures marked on an axis, least first: the first and the last are its ends.
#[derive(Debug)]
pub(super) struct Marked {
    pub(super) figures: Vec<f64>,
    /// On a log scale the ends need not be marked.
    pub(super) ends: (f64, f64),
}

/// Marks at 1, 2 or 5 times a power of ten, about `about` of them, around all figures from `least` to `greatest`.
pub(super) fn linear(least: f64, greatest: f64, about: usize, whole: bool) -> Marked {
    let (mut least, mut greatest) = (least, greatest);
    let size = least.abs().max(greatest.abs());
    if greatest - least <= size * LEAST_PART {
        // All equal: from zero, which tells how great they are.
        (least, greatest) = if size == 0.0 { (0.0, 1.0) } else { (least.min(0.0), greatest.max(0.0)) };
    }
    let (digit, power) = step((greatest - least) / about.max(1) as f64, whole);
    let step = decimal(digit, power);
    let first = (least / step + LEAST_PART).floor() as i64;
    let last = (greatest / step - LEAST_PART).ceil() as i64;
    let figures: Vec<f64> = (first..=last.max(first + 1)).map(|n| decimal(n * digit, power)).collect();
    let ends = (figures[0].min(least), figures[figures.len() - 1].max(greatest));
    Marked { figures, ends }
}

/// The one of 1, 2 and 5 times a power of ten whose ratio to the wanted step is nearest to one.
fn step(wanted: f64, whole: bool) -> (i64, i32) {
    let wanted = if whole { wanted.max(1.0) } else { wanted.max(f64::MIN_POSITIVE) };
    let power = wanted.log10().floor() as i32;
    let part = wanted.log10() - f64::from(power);
    // Logarithms of the means of 1 and 2, 2 and 5, 5 and 10.
    match [0.1505, 0.5, 0.8495].iter().position(|limit| part < *limit) {
        Some(at) => ([1, 2, 5][at], power),
        None => (1, power + 1),
    }
}

/// The number nearest to a digit and a power of ten, without the error of a product.
fn decimal(digits: i64, power: i32) -> f64 {
    format!("{digits}e{power}").parse().unwrap_or(0.0)
}

/// Marks at powers of ten, with 2 and 5 times these where there is room.
pub(super) fn log(least: f64, greatest: f64, about: usize) -> Marked {
    let (mut low, mut high) = (least.log10().floor() as i32, greatest.log10().ceil() as i32);
    if low == high {
        (low, high) = (low - 1, high + 1);
    }
    let decades = high - low;
    let digits: &[i64] = match usize::try_from(decades).unwrap_or(1) {
        few if few * 3 <= about + 1 || few <= 2 => &[1, 2, 5],
        _ => &[1],
    };
    let each = (decades as usize).div_ceil(about.max(1)).max(1);
    let all: Vec<f64> =
        (low..=high).step_by(each).flat_map(|power| digits.iter().map(move |digit| decimal(*digit, power))).collect();
    // From the last mark that is not above to the first that is not below.
    let from = all.iter().rposition(|it| *it <= least).unwrap_or(0);
    let to = all.iter().position(|it| *it >= greatest).unwrap_or(all.len() - 1);
    let figures = if to > from { all[from..=to].to_vec() } else { all };
    if figures.len() < 4 && greatest > least * (1.0 + LEAST_PART) {
        // Within a decade such marks are too few: those of a linear scale, spread as logarithms are.
        let Marked { mut figures, .. } = linear(least, greatest, about, false);
        figures.retain(|it| *it > 0.0);
        let ends = (figures[0].min(least), figures[figures.len() - 1].max(greatest));
        return Marked { figures, ends };
    }
    let ends = (figures[0].min(least), figures[figures.len() - 1].max(greatest));
    Marked { figures, ends }
}

/// A figure at an axis, with the magnitude that people name: `3 trillion`; as a power of ten where there is none.
pub(super) fn figure(value: f64, rounding: RoundingStrategy, language: Language) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e16).contains(&size) {
        return power(value, 3);
    }
    // The shortest decimal that is read as this number: the one it came from.
    words::scaled(&value.to_string(), rounding, language).text
}

fn power(value: f64, places: u32) -> String {
    let text = format!("{value:e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let digits =
        digits.parse::<Decimal>().map_or(digits.to_owned(), |digits| digits.inner().round_dp(places).normalize().to_string());
    let raised: String = power.chars().map(raise).collect();
    match digits.as_str() {
        "1" => format!("10{raised}"),
        "-1" => format!("-10{raised}"),
        _ => format!("{digits}×10{raised}"),
    }
}

fn raise(digit: char) -> char {
    match digit {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '0' | '4'..='9' => char::from_u32('⁰' as u32 + digit as u32 - '0' as u32).unwrap_or(digit),
        _ => digit,
    }
}

/// The words of marked figures, no wider than `most`. Where few digits would make two of them look alike, all their digits.
pub(super) fn figures(marked: &[f64], size: f64, most: f64, language: Language) -> Vec<String> {
    let fit = |words: &Vec<String>| words.iter().all(|it| text::width(it, size) <= most);
    let short: Vec<String> = marked.iter().map(|it| figure(*it, RoundingStrategy::MidpointNearestEven, language)).collect();
    if short.windows(2).all(|pair| pair[0] != pair[1]) && fit(&short) {
        return short;
    }
    let whole: Vec<String> = marked.iter().map(|it| words::grouped(&it.to_string(), 0)).collect();
    if fit(&whole) {
        return whole;
    }
    // Ten digits tell apart what is not drawn as equal.
    marked.iter().map(|it| text::cut(&power(*it, 9), size, most)).collect()
}

/// A mark of the time axis.
#[derive(Debug)]
pub(super) struct Tick {
    pub(super) x: f64,
    pub(super) words: String,
}

/// Steps of each frequency whose periods may be marked, fine to coarse.
const CALENDAR: [(Frequency, &[i32]); 7] = [
    (Frequency::Daily, &[1, 2, 7, 14]),
    (Frequency::Weekly, &[1, 2]),
    (Frequency::Monthly, &[1, 2, 3, 6]),
    (Frequency::Quarterly, &[1, 2]),
    (Frequency::Trimestrial, &[1]),
    (Frequency::HalfYearly, &[1]),
    (Frequency::Annual, &[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]),
];

/// A Monday, as an ordinal of days.
const MONDAY: i32 = 4;

/// Marks at places of the calendar: as many as have room for their words, `size` units high.
///
/// A mark stands at the middle of the period that it names where the figures are of such periods, or at its start.
pub(super) fn calendar(periods: &[Period], across: &Across, size: f64, language: Language) -> Vec<Tick> {
    let (Some(first), Some(last)) = (periods.first(), periods.last()) else { return Vec::new() };
    let finest = periods.iter().map(|it| it.frequency()).max().unwrap_or(Frequency::Annual);
    let (from, to) = (middle(*first), middle(*last));
    let candidates = CALENDAR.iter().filter(|(frequency, _)| usable(*frequency, finest));
    let mut steps = candidates.flat_map(|(frequency, steps)| steps.iter().map(move |step| (*frequency, *step)));
    let found = steps.find_map(|(frequency, step)| {
        let days = (to - from) / (step as f64 * days_of(frequency));
        if days > 100.0 {
            return None;
        }
        let place = |period: Period| if frequency == finest { middle(period) } else { start(period) };
        let first = Period::containing(frequency, first.start())?;
        let inside = std::iter::successors(Some(first), |it| it.succ()).take_while(|it| place(*it) <= to);
        let offset = if frequency == Frequency::Daily && step >= 7 { MONDAY } else { 0 };
        let marked = inside.filter(|it| place(*it) >= from && (it.ordinal() - offset).rem_euclid(step) == 0);
        let ticks: Vec<Tick> = marked.map(|it| Tick { x: across.day(place(it)), words: words::period(it, language) }).collect();
        (!ticks.is_empty() && room(&ticks, size)).then_some(ticks)
    });
    let end = |it: &Period| Tick { x: across.of(*it), words: words::period(*it, language) };
    found.unwrap_or_else(|| {
        let both = vec![end(first), end(last)];
        if first != last && room(&both, size) { both } else { vec![end(last)] }
    })
}

/// Whether periods may be marked where the finest figures are of `finest` ones.
fn usable(frequency: Frequency, finest: Frequency) -> bool {
    match frequency {
        Frequency::Annual => true,
        Frequency::Monthly => finest >= Frequency::Monthly,
        _ => frequency == finest,
    }
}

fn days_of(frequency: Frequency) -> f64 {
    match frequency {
        Frequency::Annual => 365.0,
        Frequency::HalfYearly => 182.0,
        Frequency::Trimestrial => 121.0,
        Frequency::Quarterly => 91.0,
        Frequency::Monthly => 30.0,
        Frequency::Weekly => 7.0,
        Frequency::Daily => 1.0,
    }
}

/// Whether the words of neighbours leave a space between them.
pub(super) fn room(ticks: &[Tick], size: f64) -> bool {
    let half = |tick: &Tick| text::width(&tick.words, size) / 2.0;
    ticks.windows(2).all(|pair| pair[1].x - pair[0].x >= half(&pair[0]) + half(&pair[1]) + size)
}

/// Whether a linear scale begins at zero for these figures: they come near it.
pub(super) fn from_zero(least: f64, greatest: f64) -> bool {
    least > 0.0 && least <= greatest * 0.4 || greatest < 0.0 && greatest >= least * 0.4
}

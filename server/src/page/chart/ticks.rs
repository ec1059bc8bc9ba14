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
    let last = low + (decades as usize).next_multiple_of(each) as i32;
    let all: Vec<f64> =
        (low..=last).step_by(each).flat_map(|power| digits.iter().map(move |digit| decimal(*digit, power))).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(marked: Marked, language: Language) -> String {
        figures(&marked.figures, 13.0, 200.0, language).join(" | ")
    }

    #[test]
    fn figures_are_marked_at_round_numbers() {
        let of = |least, greatest| marks(linear(least, greatest, 5, false), Language::En);
        assert_eq!(
            of(0.0, 14.16e12),
            "0 | 2 trillion | 4 trillion | 6 trillion | 8 trillion | 10 trillion | 12 trillion | 14 trillion | 16 trillion"
        );
        assert_eq!(of(-6.9, 18.3), "-10 | -5 | 0 | 5 | 10 | 15 | 20");
        assert_eq!(of(0.1, 0.3), "0.1 | 0.15 | 0.2 | 0.25 | 0.3");
        assert_eq!(of(0.0, 0.0), "0 | 0.2 | 0.4 | 0.6 | 0.8 | 1");
        assert_eq!(of(7.0, 7.0), "0 | 1 | 2 | 3 | 4 | 5 | 6 | 7");
        assert_eq!(of(-3e-20, 0.0), "-3×10⁻²⁰ | -2.5×10⁻²⁰ | -2×10⁻²⁰ | -1.5×10⁻²⁰ | -10⁻²⁰ | -5×10⁻²¹ | 0");
        assert_eq!(marks(linear(0.0, 3.0, 5, true), Language::En), "0 | 1 | 2 | 3");
        assert_eq!(marks(linear(0.0, 3e12, 3, true), Language::Zh), "0 | 1 万亿 | 2 万亿 | 3 万亿");
    }

    #[test]
    fn figures_that_look_alike_in_few_digits_have_all_of_them() {
        assert_eq!(
            marks(linear(1_234_567.0, 1_234_571.0, 2, true), Language::En),
            "1,234,566 | 1,234,568 | 1,234,570 | 1,234,572"
        );
    }

    #[test]
    fn a_log_scale_is_marked_at_powers_and_between() {
        let of = |least, greatest| marks(log(least, greatest, 5), Language::En);
        assert_eq!(of(3.0, 80.0), "2 | 5 | 10 | 20 | 50 | 100");
        assert_eq!(of(1.0, 9e4), "1 | 10 | 100 | 1,000 | 10,000 | 100,000");
        assert_eq!(of(3.0, 1e7), "1 | 100 | 10,000 | 1 million | 100 million");
        assert_eq!(of(22.0, 41.0), "20 | 25 | 30 | 35 | 40 | 45");
        assert_eq!(of(1e-20, 1e27).split(" | ").count(), 6);
    }

    #[test]
    fn time_is_marked_at_places_of_the_calendar() {
        let of = |from: &str, to: &str, wide: f64| {
            let [from, to]: [Period; 2] = [from, to].map(|text| text.parse().unwrap());
            let periods: Vec<Period> = std::iter::successors(Some(from), |it| it.succ()).take_while(|it| *it <= to).collect();
            let across = Across::Time { from: middle(from), to: middle(to), left: 0.0, right: wide };
            calendar(&periods, &across, 13.0, Language::En).into_iter().map(|tick| tick.words).collect::<Vec<_>>().join(" | ")
        };
        assert_eq!(of("1998", "2021", 300.0), "2000 | 2005 | 2010 | 2015 | 2020");
        assert_eq!(of("2019-Q3", "2021-Q2", 300.0), "Q3 2019 | Q1 2020 | Q3 2020 | Q1 2021");
        assert_eq!(of("2019-11", "2021-12", 400.0), "Jan 2020 | Jul 2020 | Jan 2021 | Jul 2021");
        assert_eq!(of("2020-W10", "2020-W40", 300.0), "May 2020 | Jul 2020 | Sep 2020");
        assert_eq!(of("2021-12-06", "2021-12-08", 400.0), "6 Dec 2021 | 7 Dec 2021 | 8 Dec 2021");
        assert_eq!(of("2001-12-06", "2021-12-08", 400.0), "2005 | 2010 | 2015 | 2020");
        assert_eq!(of("2021-12-06", "2021-12-06", 400.0), "6 Dec 2021");
        assert_eq!(of("0001", "9999", 300.0), "2000 | 4000 | 6000 | 8000");
    }
}

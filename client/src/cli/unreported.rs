//! Regions without a figure, told once for all periods that lack the same ones.

use indicator_proto::words::Language;

/// The regions that periods lack, each list once with its periods, in order of the first; periods that lack none are left out.
pub(crate) fn grouped<'a>(lacking: impl IntoIterator<Item = (&'a str, &'a [String])>) -> Vec<(&'a [String], Vec<&'a str>)> {
    let mut groups: Vec<(&[String], Vec<&str>)> = Vec::new();
    for (period, regions) in lacking.into_iter().filter(|(_, regions)| !regions.is_empty()) {
        match groups.iter_mut().find(|(same, _)| *same == regions) {
            Some((_, periods)) => periods.push(period),
            None => groups.push((regions, vec![period])),
        }
    }
    groups
}

/// A few periods one by one, of many the first and the last.
pub(crate) fn listed(periods: &[&str], language: Language) -> String {
    match periods {
        [first, .., last] if periods.len() > 5 => format!("{first} … {last} ({})", periods.len()),
        few => few.join(language.word(", ", "、")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicator_proto::words::Language;

    #[test]
    fn periods_that_lack_the_same_regions_are_one_group() {
        let [two, one] = [vec!["CN-HK".to_owned(), "CN-MO".to_owned()], vec!["CN-MO".to_owned()]];
        let lacking = [("2018", &two[..]), ("2019", &one[..]), ("2020", &[][..]), ("2021", &two[..])];
        assert_eq!(grouped(lacking), [(&two[..], vec!["2018", "2021"]), (&one[..], vec!["2019"])]);
    }

    #[test]
    fn many_periods_are_told_by_the_first_and_the_last() {
        assert_eq!(listed(&["2019", "2020"], Language::Zh), "2019、2020");
        assert_eq!(listed(&["1992", "1993", "1994", "1995", "1996", "1997"], Language::En), "1992 … 1997 (6)");
    }
}

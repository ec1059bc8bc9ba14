//! SDMX codes and short names of observation statuses and missing reasons.
//!
//! The codes are those of SDMX CL_OBS_STATUS 2.3: <https://registry.sdmx.org/items/codelist.html>.

use crate::v1::{MissingReason, ObservationStatus};

/// Statuses with their codes and names, in the order of their numbers, from 1.
const STATUSES: [(ObservationStatus, char, &str); 14] = [
    (ObservationStatus::Break, 'B', "break"),
    (ObservationStatus::DefinitionDiffers, 'D', "definition-differs"),
    (ObservationStatus::Estimated, 'E', "estimated"),
    (ObservationStatus::Forecast, 'F', "forecast"),
    (ObservationStatus::Experimental, 'G', "experimental"),
    (ObservationStatus::Imputed, 'I', "imputed"),
    (ObservationStatus::Derogation, 'J', "derogation"),
    (ObservationStatus::IncludedElsewhere, 'K', "included-elsewhere"),
    (ObservationStatus::NotSignificant, 'N', "not-significant"),
    (ObservationStatus::Provisional, 'P', "provisional"),
    (ObservationStatus::SpecialEvent, 'S', "special-event"),
    (ObservationStatus::LowReliability, 'U', "low-reliability"),
    (ObservationStatus::Unvalidated, 'V', "unvalidated"),
    (ObservationStatus::IncludesOther, 'W', "includes-other"),
];

/// Reasons with their codes and names, in the order of their numbers, from 1. The last is of computed figures, which SDMX has no
/// code for.
const REASONS: [(MissingReason, Option<char>, &str); 6] = [
    (MissingReason::NotAvailable, Some('O'), "not-available"),
    (MissingReason::NotCollected, Some('L'), "not-collected"),
    (MissingReason::CannotExist, Some('M'), "cannot-exist"),
    (MissingReason::Suppressed, Some('Q'), "suppressed"),
    (MissingReason::Holiday, Some('H'), "holiday"),
    (MissingReason::Undetermined, None, "undetermined"),
];

impl ObservationStatus {
    /// Every status but "unspecified", in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        STATUSES.into_iter().map(|(status, ..)| status)
    }

    /// Its SDMX code; `None` for "unspecified".
    pub fn code(self) -> Option<char> {
        STATUSES.into_iter().find(|(status, ..)| *status == self).map(|(_, code, _)| code)
    }

    /// The status with an SDMX code. A normal figure (`A`) has none.
    pub fn from_code(code: char) -> Option<Self> {
        STATUSES.into_iter().find(|(_, c, _)| *c == code).map(|(status, ..)| status)
    }

    /// Its short name, such as "provisional"; `None` for "unspecified".
    pub fn name(self) -> Option<&'static str> {
        STATUSES.into_iter().find(|(status, ..)| *status == self).map(|(.., name)| name)
    }

    /// The status with a short name.
    pub fn from_name(name: &str) -> Option<Self> {
        STATUSES.into_iter().find(|(.., n)| *n == name).map(|(status, ..)| status)
    }
}

impl MissingReason {
    /// Every reason but "unspecified", in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        REASONS.into_iter().map(|(reason, ..)| reason)
    }

    /// Its SDMX code; `None` for "unspecified" and "undetermined".
    pub fn code(self) -> Option<char> {
        REASONS.into_iter().find(|(reason, ..)| *reason == self).and_then(|(_, code, _)| code)
    }

    /// The reason with an SDMX code.
    pub fn from_code(code: char) -> Option<Self> {
        REASONS.into_iter().find(|(_, c, _)| *c == Some(code)).map(|(reason, ..)| reason)
    }

    /// Its short name, such as "not-collected"; `None` for "unspecified".
    pub fn name(self) -> Option<&'static str> {
        REASONS.into_iter().find(|(reason, ..)| *reason == self).map(|(.., name)| name)
    }

    /// The reason with a short name.
    pub fn from_name(name: &str) -> Option<Self> {
        REASONS.into_iter().find(|(.., n)| *n == name).map(|(reason, ..)| reason)
    }
}

/// A set of statuses: bit `n` is the status of number `n`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Statuses(u32);

impl Statuses {
    /// The bits of every status.
    const KNOWN: u32 = (1 << (STATUSES.len() + 1)) - 2;

    /// Of its bits; `None` if one of them is no status.
    pub fn from_bits(bits: u32) -> Option<Self> {
        (bits & !Self::KNOWN == 0).then_some(Self(bits))
    }

    /// Its bits.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Those of both sets.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Adds a status; "unspecified" adds nothing.
    pub fn insert(&mut self, status: ObservationStatus) {
        self.0 |= Self::bit(status);
    }

    /// Whether a status is in it.
    pub fn contains(self, status: ObservationStatus) -> bool {
        self.0 & Self::bit(status) != 0
    }

    /// A normal figure.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its statuses, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = ObservationStatus> {
        ObservationStatus::all().filter(move |status| self.contains(*status))
    }

    fn bit(status: ObservationStatus) -> u32 {
        (1 << status as u32) & Self::KNOWN
    }
}

impl FromIterator<ObservationStatus> for Statuses {
    fn from_iter<I: IntoIterator<Item = ObservationStatus>>(statuses: I) -> Self {
        let mut set = Self::default();
        statuses.into_iter().for_each(|status| set.insert(status));
        set
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_status_and_reason_has_a_code_and_a_name_of_its_own() {
        for (index, status) in ObservationStatus::all().enumerate() {
            assert_eq!(status as usize, index + 1);
            assert_eq!(status.code().and_then(ObservationStatus::from_code), Some(status));
            assert_eq!(status.name().and_then(ObservationStatus::from_name), Some(status));
        }
        for (index, reason) in MissingReason::all().enumerate() {
            assert_eq!(reason as usize, index + 1);
            let coded = (reason != MissingReason::Undetermined).then_some(reason);
            assert_eq!(reason.code().and_then(MissingReason::from_code), coded);
            assert_eq!(reason.name().and_then(MissingReason::from_name), Some(reason));
        }
        assert_eq!(ObservationStatus::Unspecified.code(), None);
        assert_eq!(MissingReason::Unspecified.name(), None);
        assert_eq!(ObservationStatus::from_code('A'), None);
    }

    #[test]
    fn the_tables_have_every_value_of_the_contract() {
        assert!(ObservationStatus::try_from(STATUSES.len() as i32).is_ok());
        assert!(ObservationStatus::try_from(STATUSES.len() as i32 + 1).is_err());
        assert!(MissingReason::try_from(REASONS.len() as i32).is_ok());
        assert!(MissingReason::try_from(REASONS.len() as i32 + 1).is_err());
    }

    #[test]
    fn names_are_those_of_the_contract_in_lower_case() {
        for status in ObservationStatus::all() {
            let contract = status.as_str_name().trim_start_matches("OBSERVATION_STATUS_").to_lowercase().replace('_', "-");
            assert_eq!(status.name(), Some(contract.as_str()));
        }
        for reason in MissingReason::all() {
            let contract = reason.as_str_name().trim_start_matches("MISSING_REASON_").to_lowercase().replace('_', "-");
            assert_eq!(reason.name(), Some(contract.as_str()));
        }
    }

    #[test]
    fn codes_and_bits_are_stored_and_keep_their_meaning() {
        assert_eq!(ObservationStatus::Provisional.code(), Some('P'));
        assert_eq!(MissingReason::NotCollected.code(), Some('L'));
        assert_eq!(Statuses::from_iter([ObservationStatus::Provisional]).bits(), 1 << 10);
        assert_eq!(Statuses::from_bits(1), None);
        assert_eq!(Statuses::from_bits(1 << 15), None);
    }

    #[test]
    fn unspecified_is_in_no_set() {
        let set = Statuses::from_iter([ObservationStatus::Unspecified]);
        assert!(set.is_empty() && !set.contains(ObservationStatus::Unspecified));
    }

    proptest! {
        #[test]
        fn a_set_has_each_status_once_in_the_order_of_the_contract(numbers in prop::collection::vec(1..=14i32, 0..30)) {
            let statuses = numbers.iter().map(|number| ObservationStatus::try_from(*number).expect("a status"));
            let set: Statuses = statuses.collect();
            let sorted: Vec<i32> = numbers.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
            prop_assert_eq!(set.iter().map(i32::from).collect::<Vec<_>>(), sorted);
            prop_assert_eq!(set.is_empty(), numbers.is_empty());
            prop_assert_eq!(Statuses::from_bits(set.bits()), Some(set));
        }
    }
}

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

/// Reasons with their codes and names, in the order of their numbers, from 1.
const REASONS: [(MissingReason, char, &str); 5] = [
    (MissingReason::NotAvailable, 'O', "not-available"),
    (MissingReason::NotCollected, 'L', "not-collected"),
    (MissingReason::CannotExist, 'M', "cannot-exist"),
    (MissingReason::Suppressed, 'Q', "suppressed"),
    (MissingReason::Holiday, 'H', "holiday"),
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

    /// Its SDMX code; `None` for "unspecified".
    pub fn code(self) -> Option<char> {
        REASONS.into_iter().find(|(reason, ..)| *reason == self).map(|(_, code, _)| code)
    }

    /// The reason with an SDMX code.
    pub fn from_code(code: char) -> Option<Self> {
        REASONS.into_iter().find(|(_, c, _)| *c == code).map(|(reason, ..)| reason)
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

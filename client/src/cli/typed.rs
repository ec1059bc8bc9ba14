//! The words that people type for the schema's codes.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use indicator_proto::v1::{
    AggregationMethod, Bound, ChangeKind, EntryKind, Frequency, MissingReason, ObservationStatus, VintageAxis, VintageView,
};

/// A code that is typed on the command line as the end of its name in the schema: `OBSERVATION_STATUS_PROVISIONAL` is
/// `provisional`.
pub(crate) trait Typed: Copy + PartialEq + Send + Sync + 'static {
    /// The codes that can be typed, and what is typed for them.
    const ALL: &'static [(Self, &'static str)];

    /// What is typed for it. Empty for a code that cannot be typed.
    fn typed(self) -> &'static str {
        Self::ALL.iter().find(|(code, _)| *code == self).map_or("", |(_, typed)| typed)
    }

    /// Reads it from an argument; completions and errors list all that can be typed.
    fn parser() -> impl TypedValueParser<Value = Self> {
        let names = Self::ALL.iter().map(|(_, typed)| PossibleValue::new(*typed));
        PossibleValuesParser::new(names).map(|typed| {
            let found = Self::ALL.iter().find(|(_, name)| *name == typed);
            found.expect("the parser takes no other names").0
        })
    }
}

macro_rules! typed {
    ($code:ident: $($value:ident $typed:literal),* $(,)?) => {
        impl Typed for $code {
            const ALL: &'static [(Self, &'static str)] = &[$((Self::$value, $typed)),*];
        }
    };
}

typed! { Bound:
    Exact "exact",
    GreaterThan "greater-than",
    AtLeast "at-least",
    LessThan "less-than",
    AtMost "at-most",
    Approximate "approximate",
}

typed! { MissingReason:
    NotAvailable "not-available",
    NotCollected "not-collected",
    CannotExist "cannot-exist",
    Suppressed "suppressed",
    Holiday "holiday",
    Undetermined "undetermined",
}

typed! { AggregationMethod:
    Average "average",
    Sum "sum",
    Last "last",
    First "first",
    Max "max",
    Min "min",
}

impl Typed for EntryKind {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::Region, Self::Region.noun()),
        (Self::Source, Self::Source.noun()),
        (Self::Unit, Self::Unit.noun()),
        (Self::Dimension, Self::Dimension.noun()),
        (Self::Indicator, Self::Indicator.noun()),
    ];
}

typed! { Frequency:
    Annual "annual",
    HalfYearly "half-yearly",
    Trimestrial "trimestrial",
    Quarterly "quarterly",
    Monthly "monthly",
    Weekly "weekly",
    Daily "daily",
}

typed! { ChangeKind:
    Inserted "inserted",
    Revised "revised",
    Deleted "deleted",
    Backfilled "backfilled",
    Entered "entered",
    Left "left",
}

typed! { ObservationStatus:
    Break "break",
    DefinitionDiffers "definition-differs",
    Estimated "estimated",
    Forecast "forecast",
    Experimental "experimental",
    Imputed "imputed",
    Derogation "derogation",
    IncludedElsewhere "included-elsewhere",
    NotSignificant "not-significant",
    Provisional "provisional",
    SpecialEvent "special-event",
    LowReliability "low-reliability",
    Unvalidated "unvalidated",
    IncludesOther "includes-other",
}

typed! { VintageAxis:
    Published "published",
    Recorded "recorded",
}

typed! { VintageView:
    RealTimePeriods "real-time-periods",
    AllByVintage "all-by-vintage",
    NewOrRevised "new-or-revised",
    InitialRelease "initial-release",
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agree_with_the_schema<T: Typed + std::fmt::Debug>(name: &str, schema_name: impl Fn(T) -> &'static str) {
        let schema = indicator_proto::pool().get_enum_by_name(&format!("indicator.v1.{name}")).unwrap();
        assert_eq!(T::ALL.len(), schema.values().len() - 1, "every code of {name} but the unspecified one can be typed");
        for (code, typed) in T::ALL {
            let end = typed.to_uppercase().replace('-', "_");
            assert!(schema_name(*code).ends_with(&format!("_{end}")), "{code:?} is typed {typed}");
        }
    }

    #[test]
    fn what_is_typed_is_the_end_of_the_name_in_the_schema() {
        agree_with_the_schema("Bound", |it: Bound| it.as_str_name());
        agree_with_the_schema("MissingReason", |it: MissingReason| it.as_str_name());
        agree_with_the_schema("AggregationMethod", |it: AggregationMethod| it.as_str_name());
        agree_with_the_schema("EntryKind", |it: EntryKind| it.as_str_name());
        agree_with_the_schema("Frequency", |it: Frequency| it.as_str_name());
        agree_with_the_schema("ChangeKind", |it: ChangeKind| it.as_str_name());
        agree_with_the_schema("ObservationStatus", |it: ObservationStatus| it.as_str_name());
        agree_with_the_schema("VintageAxis", |it: VintageAxis| it.as_str_name());
        agree_with_the_schema("VintageView", |it: VintageView| it.as_str_name());
    }
}

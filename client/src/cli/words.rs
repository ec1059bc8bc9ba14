//! The words for the schema's codes: those that people read, and those that they type.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use indicator_proto::v1::{
    AggregationMethod, Bound, ChangeKind, Crossing, EntryKind, Frequency, MatchKind, MilestoneState, MissingReason,
    ObservationStatus, VintageAxis, VintageView,
};

use crate::context::Language;

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

/// What stands before the number. Empty for an exact figure.
pub(crate) fn bound_sign(bound: Bound) -> &'static str {
    match bound {
        Bound::Unspecified | Bound::Exact => "",
        Bound::GreaterThan => "> ",
        Bound::AtLeast => "≥ ",
        Bound::LessThan => "< ",
        Bound::AtMost => "≤ ",
        Bound::Approximate => "≈ ",
    }
}

/// Why there is no figure.
pub(crate) fn missing(reason: MissingReason, language: Language) -> &'static str {
    match reason {
        MissingReason::Unspecified => "",
        MissingReason::NotAvailable => language.word("not available", "暂缺"),
        MissingReason::NotCollected => language.word("not collected", "未采集"),
        MissingReason::CannotExist => language.word("cannot exist", "不存在"),
        MissingReason::Suppressed => language.word("suppressed", "保密"),
        MissingReason::Holiday => language.word("holiday", "节假日"),
        MissingReason::Undetermined => language.word("undetermined", "无法确定"),
    }
}

/// A property of a figure.
pub(crate) fn status(status: ObservationStatus, language: Language) -> &'static str {
    match status {
        ObservationStatus::Unspecified => "",
        ObservationStatus::Break => language.word("break in series", "序列中断"),
        ObservationStatus::DefinitionDiffers => language.word("definition differs", "口径不同"),
        ObservationStatus::Estimated => language.word("estimated", "估计"),
        ObservationStatus::Forecast => language.word("forecast", "预测"),
        ObservationStatus::Experimental => language.word("experimental", "试验性"),
        ObservationStatus::Imputed => language.word("imputed", "插补"),
        ObservationStatus::Derogation => language.word("derogation", "豁免"),
        ObservationStatus::IncludedElsewhere => language.word("included elsewhere", "计入他处"),
        ObservationStatus::NotSignificant => language.word("not significant", "不显著"),
        ObservationStatus::Provisional => language.word("provisional", "初步"),
        ObservationStatus::SpecialEvent => language.word("special event", "特殊事件"),
        ObservationStatus::LowReliability => language.word("low reliability", "可靠性低"),
        ObservationStatus::Unvalidated => language.word("unvalidated", "未核实"),
        ObservationStatus::IncludesOther => language.word("includes other data", "含其他类别"),
    }
}

/// What became of a cell or an entry.
pub(crate) fn change(kind: ChangeKind, language: Language) -> &'static str {
    match kind {
        ChangeKind::Unspecified => "",
        ChangeKind::Inserted => language.word("inserted", "新增"),
        ChangeKind::Revised => language.word("revised", "修订"),
        ChangeKind::Deleted => language.word("withdrawn", "撤回"),
        ChangeKind::Backfilled => language.word("backfilled", "补录"),
        ChangeKind::Entered => language.word("entered", "移入"),
        ChangeKind::Left => language.word("left", "移出"),
    }
}

/// How certain it is that a figure crossed a threshold.
pub(crate) fn milestone(state: MilestoneState, crossing: Crossing, language: Language) -> &'static str {
    let fell = crossing == Crossing::FellTo;
    match state {
        MilestoneState::Unspecified => "",
        MilestoneState::NotReached if fell => language.word("still above", "尚未降至"),
        MilestoneState::NotReached => language.word("not reached", "尚未达到"),
        MilestoneState::Possible => language.word("in the making", "可能已达"),
        MilestoneState::Proven if fell => language.word("fell to it", "已降至"),
        MilestoneState::Proven => language.word("reached", "已达到"),
    }
}

/// A kind of catalog entries.
pub(crate) fn entry_kind(kind: EntryKind, language: Language) -> &'static str {
    match kind {
        EntryKind::Unspecified => "",
        EntryKind::Region => language.word("region", "地区"),
        EntryKind::Source => language.word("source", "来源"),
        EntryKind::Unit => language.word("unit", "单位"),
        EntryKind::Dimension => language.word("dimension", "维度"),
        EntryKind::Indicator => language.word("indicator", "指标"),
    }
}

/// How a search hit matched.
pub(crate) fn matched(kind: MatchKind, language: Language) -> &'static str {
    match kind {
        MatchKind::Unspecified => "",
        MatchKind::Id => language.word("id", "标识"),
        MatchKind::Code => language.word("code", "代码"),
        MatchKind::Name => language.word("name", "名称"),
        MatchKind::Alias => language.word("alias", "别名"),
        MatchKind::Prefix => language.word("begins with", "开头"),
        MatchKind::Contains => language.word("contains", "包含"),
        MatchKind::Description => language.word("description", "说明"),
        MatchKind::Similar => language.word("similar", "近似"),
    }
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

    #[test]
    fn every_status_has_a_word_in_every_language() {
        for (code, _) in ObservationStatus::ALL {
            assert!(!status(*code, Language::En).is_empty() && !status(*code, Language::Zh).is_empty());
        }
    }
}

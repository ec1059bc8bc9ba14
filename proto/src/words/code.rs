//! The words for the schema's codes.

use super::Language;
use crate::v1::{Bound, ChangeKind, Crossing, EntryKind, MatchKind, MilestoneState, MissingReason, ObservationStatus};

/// What stands before the number. Empty for an exact figure.
pub fn bound_sign(bound: Bound) -> &'static str {
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
pub fn missing(reason: MissingReason, language: Language) -> &'static str {
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
pub fn status(status: ObservationStatus, language: Language) -> &'static str {
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
pub fn change(kind: ChangeKind, language: Language) -> &'static str {
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
pub fn milestone(state: MilestoneState, crossing: Crossing, language: Language) -> &'static str {
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
pub fn entry_kind(kind: EntryKind, language: Language) -> &'static str {
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
pub fn matched(kind: MatchKind, language: Language) -> &'static str {
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

    #[test]
    fn every_status_has_a_word_in_every_language() {
        let codes = (1..).map_while(|number| ObservationStatus::try_from(number).ok());
        assert_eq!(codes.clone().count(), 14);
        for code in codes {
            assert!(!status(code, Language::En).is_empty() && !status(code, Language::Zh).is_empty());
        }
    }
}

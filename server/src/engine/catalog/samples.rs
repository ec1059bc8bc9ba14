//! Entries for tests.

use indicator_proto::v1;

/// A region; its level follows from nothing.
pub(super) fn region(id: &str, parent: &str) -> v1::Region {
    v1::Region {
        id: id.into(),
        parent: parent.into(),
        level: "province".into(),
        names: [("en".into(), id.into())].into(),
        ..Default::default()
    }
}

/// A unit of currency.
pub(super) fn unit(id: &str, name: &str) -> v1::Unit {
    v1::Unit {
        id: id.into(),
        names: [("en".into(), name.into())].into(),
        kind: v1::UnitKind::Currency.into(),
        ..Default::default()
    }
}

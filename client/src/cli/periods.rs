//! Which periods of regions: one, those within limits, or the latest of each.

use indicator_proto::{
    Period,
    v1::{Frequency, RegionSelection},
};

use crate::typed::Typed as _;

/// One period, or limits of several.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct PeriodArgs {
    /// Only this period: 2020, 2020-Q4, 2020-12, … [default: the latest of each region]
    #[arg(long, value_name = "PERIOD", conflicts_with_all = ["from", "to", "frequency"])]
    period: Option<Period>,
    /// Each period that starts in this one or later
    #[arg(long, value_name = "PERIOD")]
    from: Option<Period>,
    /// Each period that ends in this one or earlier
    #[arg(long, value_name = "PERIOD")]
    to: Option<Period>,
    /// Each period of this frequency
    #[arg(short, long, value_name = "FREQUENCY", value_parser = Frequency::parser())]
    frequency: Option<Frequency>,
}

impl PeriodArgs {
    /// A selection of these periods.
    pub(crate) fn of(&self, selection: RegionSelection) -> RegionSelection {
        let text = |period: Option<Period>| period.map(|period| period.to_string()).unwrap_or_default();
        RegionSelection {
            period: text(self.period),
            start_period: text(self.from),
            end_period: text(self.to),
            frequency: self.frequency.unwrap_or_default().into(),
            ..selection
        }
    }
}

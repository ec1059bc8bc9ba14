//! `indicator status`: how the service is.

use std::io::Write as _;

use indicator_proto::{
    to_json,
    v1::{AlarmKind, GetStatusRequest, GetStatusResponse},
    words::grouped,
};

use crate::{
    context::{Context, Format},
    output::{Card, clock, time},
};

/// Arguments of `indicator status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator status
  indicator status -o json --server http://records.example:7430")]
pub(crate) struct Args {}

/// Prints the status.
pub(crate) async fn run(cx: &Context, _: Args) -> anyhow::Result<()> {
    let status = cx.client.get_status(GetStatusRequest {}).await?;
    let mut out = cx.stdout();
    match cx.format {
        Format::Table => card(cx, &status).write(cx.style, &mut out)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &to_json(&status))?;
            writeln!(out)?;
        }
        Format::Ndjson => {
            serde_json::to_writer(&mut out, &to_json(&status))?;
            writeln!(out)?;
        }
        Format::Csv => {
            let mut writer = csv::Writer::from_writer(&mut out);
            let (fields, record): (Vec<_>, Vec<_>) = fields(&status).into_iter().unzip();
            writer.write_record(fields)?;
            writer.write_record(record)?;
            writer.flush()?;
        }
    }
    out.flush()?;
    Ok(())
}

fn card(cx: &Context, status: &GetStatusResponse) -> Card {
    let word = |en, zh| cx.language.word(en, zh);
    let number = |number: u64| grouped(&number.to_string(), 0);
    let mut card = Card::new(format!("indicatord {} {} {}", status.version, word("at", "位于"), cx.client.server()));
    let head = match status.head_revision {
        0 => word("none yet", "尚无").to_owned(),
        head => format!("{}, {}", number(head), clock(status.head_recorded_at.as_ref())),
    };
    card.line(word("revision", "修订号"), head)
        .line(word("head hash", "校验值"), hex(&status.head_hash))
        .line(word("history", "历史标识"), &*status.epoch)
        .line(word("series", "序列"), number(status.series))
        .line(word("indicators", "指标"), number(status.indicators))
        .line(word("regions", "地区"), number(status.regions))
        .line(word("sources", "来源"), number(status.sources))
        .line(word("units", "单位"), number(status.units))
        .line(word("dimensions", "维度"), number(status.dimensions))
        .line(word("on disk", "磁盘占用"), format!("{} {}", number(status.store_bytes), word("bytes", "字节")))
        .line(word("disk free", "磁盘剩余"), format!("{} {}", number(status.disk_free_bytes), word("bytes", "字节")))
        .line(word("watches", "订阅"), number(status.subscribers))
        .line(word("replays after", "可重放自"), number(status.horizon_revision))
        .line(word("waiting writes", "待写入"), number(status.queued_writes))
        .line(word("started", "启动时间"), clock(status.started_at.as_ref()));
    if status.quota_bytes != 0 {
        card.line(word("quota", "磁盘配额"), format!("{} {}", number(status.quota_bytes), word("bytes", "字节")));
    }
    for alarm in &status.alarms {
        let since = clock(alarm.since.as_ref());
        card.line(word("writes stopped", "写入已停止"), format!("{} {since}: {}", word("since", "自"), alarm.message));
    }
    card
}

fn fields(status: &GetStatusResponse) -> [(&'static str, String); 20] {
    let kinds = status.alarms.iter().map(|alarm| alarm_name(alarm.kind()));
    [
        ("version", status.version.clone()),
        ("epoch", status.epoch.clone()),
        ("head_revision", status.head_revision.to_string()),
        ("head_recorded_at", time(status.head_recorded_at.as_ref())),
        ("head_hash", hex(&status.head_hash)),
        ("series", status.series.to_string()),
        ("regions", status.regions.to_string()),
        ("sources", status.sources.to_string()),
        ("units", status.units.to_string()),
        ("dimensions", status.dimensions.to_string()),
        ("indicators", status.indicators.to_string()),
        ("store_bytes", status.store_bytes.to_string()),
        ("subscribers", status.subscribers.to_string()),
        ("queued_writes", status.queued_writes.to_string()),
        ("horizon_revision", status.horizon_revision.to_string()),
        ("started_at", time(status.started_at.as_ref())),
        ("disk_free_bytes", status.disk_free_bytes.to_string()),
        ("min_free_bytes", status.min_free_bytes.to_string()),
        ("quota_bytes", status.quota_bytes.to_string()),
        ("alarms", kinds.collect::<Vec<_>>().join(" ")),
    ]
}

/// A kind of alarm, without the name of the enumeration.
fn alarm_name(kind: AlarmKind) -> String {
    let name = kind.as_str_name();
    name.strip_prefix("ALARM_KIND_").unwrap_or(name).to_ascii_lowercase()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

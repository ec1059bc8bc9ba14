//! A full disk: writes are refused, reads go on, and it recovers when there is room.
//!
//! Needs root, to mount a small file system; `tests/run` leaves it out where that is impossible, and says so.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use indicator_proto::{
    health::{HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus},
    v1::{Alarm, AlarmKind, WriteObservationsRequest},
};
use indicator_tests::{
    LONG,
    client::merge,
    disk::{MemoryDisk, fill},
    figures::{stations, value},
    server::{Server, serve},
};
use tokio::time::timeout;
use tonic::{Code, Streaming};

async fn next(health: &mut Streaming<HealthCheckResponse>) -> ServingStatus {
    timeout(LONG, health.message()).await.expect("the health changes").unwrap().unwrap().status()
}

#[tokio::test]
async fn a_full_disk_refuses_writes_keeps_reading_and_recovers() {
    let disk = MemoryDisk::mount("160m");
    let mut server = Server::start_in(&disk.path().join("data"), &[]);
    let client = server.client_with_catalog().await;
    let series = stations();
    client.put(vec![value(&series, "2020", "1")]).await;

    let writes = || HealthCheckRequest { service: "writes".to_owned() };
    let mut health = client.health().watch(writes()).await.unwrap().into_inner();
    assert_eq!(next(&mut health).await, ServingStatus::Serving);
    let filler = fill(disk.path());
    // Without a write.
    assert_eq!(next(&mut health).await, ServingStatus::NotServing);
    assert_eq!(client.status().await.alarms.iter().map(Alarm::kind).collect::<Vec<_>>(), [AlarmKind::LowDisk]);
    for _ in 0..3 {
        let refusal = client.try_write(merge(vec![value(&series, "2020", "2")])).await.unwrap_err();
        assert_eq!(refusal.what(), (Code::ResourceExhausted, "STORAGE_FULL"), "{refusal:?}");
        assert!(refusal.message.contains("make room"), "{}", refusal.message);
    }
    let refusal = client.try_apply(indicator_tests::catalog::small()).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::ResourceExhausted, "STORAGE_FULL"), "the catalog's too");
    assert_eq!(client.value(&series, "2020").await, "1");
    assert_eq!(client.everything(None).await.observations.len(), 1);
    assert_eq!(client.head().await, 2);

    fs::remove_file(&filler).unwrap();
    assert_eq!(next(&mut health).await, ServingStatus::Serving, "by itself");
    assert_eq!(client.status().await.alarms, []);
    client.put(vec![value(&series, "2020", "3")]).await;
    server.restart().await;
    assert_eq!(server.client().value(&series, "2020").await, "3");
}

#[tokio::test]
async fn a_disk_that_fills_by_writing_is_refused_in_time() {
    let disk = MemoryDisk::mount("120m");
    let mut server = Server::start_in(&disk.path().join("data"), &[]);
    let client = server.client_with_catalog().await;
    let mut acknowledged = 0;
    let refusal = loop {
        let note = |n: u32| format!("{n}").repeat(300);
        let changes = (1000..2000).map(|year| {
            let mut change = value(&stations(), &year.to_string(), &acknowledged.to_string());
            change.note = note(year + acknowledged);
            change
        });
        match client.try_write(WriteObservationsRequest { omit_changes: true, ..merge(changes.collect()) }).await {
            Ok(_) => acknowledged += 1,
            Err(refusal) => break refusal,
        }
        assert!(acknowledged < 1000, "the disk does not fill");
    };
    assert_eq!(refusal.what(), (Code::ResourceExhausted, "STORAGE_FULL"), "{refusal:?}");
    assert!(acknowledged > 0);
    let last = (acknowledged - 1).to_string();
    assert_eq!(client.value(&stations(), "1500").await, last, "reads go on");
    server.kill();
    server.start_again();
    assert_eq!(server.client().value(&stations(), "1500").await, last, "and nothing acknowledged is lost");
}

#[test]
fn a_read_only_disk_is_refused_with_one_clear_line() {
    let disk = MemoryDisk::mount("1m");
    disk.make_read_only();
    let ended = serve(&disk.path().join("data"));
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("Read-only"), "{}", ended.stderr);
}

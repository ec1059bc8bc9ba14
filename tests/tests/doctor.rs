//! `indicatord doctor` finds what is to be mended, each in turn, on a machine where all else is well.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

use indicator_tests::server::{binary, run};
use rcgen::{CertificateParams, KeyPair};

/// The lines of what it says, and whether all is well.
fn doctor(data: &Path, flags: &[&str]) -> (Vec<String>, bool) {
    let ended = run(&[&["doctor", "--data", data.to_str().unwrap()], flags].concat());
    let lines: Vec<String> = ended.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert!(matches!(ended.code, Some(0 | 1)), "{ended:?}");
    (lines, ended.code == Some(0))
}

fn says(lines: &[String], start: &str, text: &str) -> bool {
    lines.iter().any(|line| line.starts_with(start) && line.contains(text))
}

#[test]
fn a_machine_that_is_well_is_told_so() {
    let directory = tempfile::tempdir().unwrap();
    let (lines, healthy) = doctor(&directory.path().join("data"), &["--max-connections", "100"]);
    assert!(healthy, "{lines:?}");
    for what in ["directory", "room", "open files", "clock"] {
        assert!(says(&lines, &format!("ok {what}"), ""), "{what}: {lines:?}");
    }
    assert!(!directory.path().join("data").exists(), "it only looks");
}

#[test]
fn secrets_that_others_read_and_a_directory_that_others_write_are_told() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    run(&["token", "create", "--data", data.to_str().unwrap(), "--role", "reader"]);
    assert!(says(&doctor(data, &["--max-connections", "100"]).0, "ok permissions", "credentials.json"));
    fs::set_permissions(data.join("credentials.json"), Permissions::from_mode(0o640)).unwrap();
    fs::set_permissions(data, Permissions::from_mode(0o777)).unwrap();
    let (lines, healthy) = doctor(data, &[]);
    assert!(!healthy);
    assert!(says(&lines, "MEND permissions", "credentials.json; chmod 600 it"), "{lines:?}");
    assert!(says(&lines, "MEND permissions", "everybody can write"), "{lines:?}");
}

#[test]
fn too_few_files_too_little_room_and_a_disk_that_forgets_are_told() {
    let data = tempfile::tempdir().unwrap();
    let command = "ulimit -n 64; exec \"$0\" doctor --data \"$1\" --max-connections 100";
    let output = Command::new("sh").arg("-c").arg(command).arg(binary()).arg(data.path()).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(told.lines().any(|line| line.starts_with("MEND") && line.contains("64 are allowed")), "{told}");
    let (lines, _) = doctor(data.path(), &["--min-free-bytes", "1000000000000000"]);
    assert!(says(&lines, "MEND room", "make room"), "{lines:?}");
    let (lines, _) = doctor(Path::new("/dev/shm/no-such-directory"), &[]);
    assert!(says(&lines, "MEND file system", "tmpfs"), "{lines:?}");
    let (lines, _) = doctor(Path::new("/proc/no-such-directory"), &[]);
    assert!(says(&lines, "MEND directory", "/proc"), "{lines:?}");
}

#[test]
fn a_clock_behind_the_last_commit_is_told() {
    let data = tempfile::tempdir().unwrap();
    let file = File::create(data.path().join("WATERMARK")).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(3600)).unwrap();
    assert!(says(&doctor(data.path(), &[]).0, "MEND clock", "set it right"));
}

#[test]
fn certificates_that_end_and_keys_of_others_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let (cert_path, key_path) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    let (data, flags) =
        (directory.path().join("data"), ["--tls-cert", cert_path.to_str().unwrap(), "--tls-key", key_path.to_str().unwrap()]);
    fs::write(&key_path, key.serialize_pem()).unwrap();
    fs::set_permissions(&key_path, Permissions::from_mode(0o600)).unwrap();
    let year = |offset: i32| {
        let now = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).year();
        rcgen::date_time_ymd(i32::from(now) + offset, 1, 1)
    };
    for (end, told) in [(year(2), "ok certificate"), (year(-1), "MEND certificate")] {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (year(-2), end);
        fs::write(&cert_path, params.self_signed(&key).unwrap().pem()).unwrap();
        let (lines, _) = doctor(&data, &flags);
        assert!(says(&lines, told, "ends"), "{lines:?}");
    }
    fs::write(&key_path, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    fs::set_permissions(&key_path, Permissions::from_mode(0o644)).unwrap();
    let (lines, healthy) = doctor(&data, &flags);
    assert!(!healthy && says(&lines, "MEND permissions", "key.pem"), "{lines:?}");
    assert!(says(&lines, "MEND certificate", "do not make a TLS server"), "{lines:?}");
}

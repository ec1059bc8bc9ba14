use proptest::prelude::*;
use tonic::body::Body;

use super::*;

fn violation(field: &str, reason: ErrorReason, description: &str) -> Violation {
    Violation::new(field, reason, description)
}

/// Bytes of the trailers as clients count them: RFC 9113, section 6.5.2.
fn header_list_bytes(status: Status) -> usize {
    let response = status.into_http::<Body>();
    response.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

fn reason(status: &Status) -> String {
    let info = status.get_details_error_info().expect("every status has an ErrorInfo");
    assert_eq!(info.domain, "indicator.v1");
    info.reason
}

#[test]
fn an_invalid_request_lists_each_field_with_its_own_reason() {
    let status = Status::from(Error::Invalid(vec![
        violation("changes[0].period", ErrorReason::InvalidPeriod, "2021-02-30 does not exist"),
        violation("changes[3].value", ErrorReason::InvalidDecimal, "1e999 is not a decimal"),
    ]));
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(reason(&status), "INVALID_REQUEST");
    assert_eq!(status.message(), "changes[0].period: 2021-02-30 does not exist; changes[3].value: 1e999 is not a decimal");
    let fields = status.get_details_bad_request().unwrap().field_violations;
    assert_eq!(fields[0].field, "changes[0].period");
    assert_eq!(fields[0].reason, "INVALID_PERIOD");
    assert_eq!(fields[1].reason, "INVALID_DECIMAL");
    assert_eq!(fields[1].description, "1e999 is not a decimal");
}

#[test]
fn a_reason_that_all_violations_share_is_the_reason_of_the_status() {
    let status = Status::from(Error::Invalid(vec![
        violation("a", ErrorReason::UnknownRegion, "no"),
        violation("b", ErrorReason::UnknownRegion, "no"),
    ]));
    assert_eq!(reason(&status), "UNKNOWN_REGION");
}

#[test]
fn an_obstacle_is_a_failed_precondition() {
    let status = Status::from(Error::Forbidden(vec![violation("CN-SD", ErrorReason::EntryInUse, "has 12 series")]));
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(reason(&status), "ENTRY_IN_USE");
    let violations = status.get_details_precondition_failure().unwrap().violations;
    assert_eq!(
        (violations[0].r#type.as_str(), violations[0].subject.as_str(), violations[0].description.as_str()),
        ("ENTRY_IN_USE", "CN-SD", "has 12 series")
    );
}

#[test]
fn what_is_not_found_is_named() {
    let status = Status::from(Error::NotFound { reason: ErrorReason::UnknownRegion, kind: "region", name: "CN-XX".to_owned() });
    assert_eq!((status.code(), status.message()), (Code::NotFound, "region CN-XX not found"));
    assert_eq!(reason(&status), "UNKNOWN_REGION");
    let resource = status.get_details_resource_info().unwrap();
    assert_eq!((resource.resource_type.as_str(), resource.resource_name.as_str()), ("region", "CN-XX"));
}

#[test]
fn codes_and_reasons_are_those_the_schema_documents() {
    let changed = SeriesChanged { series: "s".into(), expected: 3, actual: 7 };
    let cases = [
        (Error::RequestIdReused("id".into()), Code::AlreadyExists, "REQUEST_ID_REUSED"),
        (Error::SeriesChanged(vec![changed]), Code::Aborted, "SERIES_CHANGED"),
        (Error::OtherEpoch, Code::FailedPrecondition, "OTHER_EPOCH"),
        (Error::FutureRevision { asked: 9, head: 4 }, Code::OutOfRange, "FUTURE_REVISION"),
        (Error::RevisionNotReached { asked: 9, head: 4 }, Code::Unavailable, "REVISION_NOT_REACHED"),
        (Error::QueueFull, Code::ResourceExhausted, "WRITE_QUEUE_FULL"),
        (Error::ShuttingDown, Code::Unavailable, "SHUTTING_DOWN"),
        (Error::Store(store::Error::Full { free: 1, needed: 2 }), Code::ResourceExhausted, "STORAGE_FULL"),
        (Error::Store(store::Error::Corrupt("block 7".into())), Code::Internal, "STORAGE_FAILED"),
    ];
    for (error, code, expected) in cases {
        let text = error.to_string();
        let status = Status::from(error);
        assert_eq!((status.code(), reason(&status).as_str()), (code, expected), "{text}");
        assert!(!status.message().is_empty());
    }
    assert_eq!(reason(&deadline_exceeded()), "DEADLINE");
    assert_eq!(reason(&message_too_large(2, 1)), "REQUEST_TOO_LARGE");
}

#[test]
fn what_can_be_retried_says_when() {
    for error in [Error::QueueFull, Error::ShuttingDown, Error::RevisionNotReached { asked: 2, head: 1 }] {
        let delay = Status::from(error).get_details_retry_info().unwrap().retry_delay.unwrap();
        assert!(delay > Duration::ZERO);
    }
}

#[test]
fn how_the_store_failed_stays_in_the_log() {
    let path = "/srv/secret";
    let status = Status::from(Error::Store(store::Error::InUse(path.into())));
    assert!(!status.message().contains(path));
    assert!(!String::from_utf8_lossy(status.details()).contains(path));
}

#[test]
fn problems_beyond_the_twentieth_are_counted() {
    let violations = (0..1000).map(|i| violation(&format!("c[{i}].p"), ErrorReason::InvalidPeriod, "bad")).collect();
    let status = Status::from(Error::Invalid(violations));
    assert!(status.message().starts_with("c[0].p: bad; c[1].p: bad"), "{}", status.message());
    assert!(status.message().ends_with("c[19].p: bad and 980 more"), "{}", status.message());
    assert_eq!(status.get_details_bad_request().unwrap().field_violations.len(), 20);
    assert_eq!(status.get_details_error_info().unwrap().metadata["violations"], "1000");
}

fn long_text() -> impl Strategy<Value = String> {
    (any::<char>(), ".{0,9}", 0..900_usize).prop_map(|(first, rest, times)| format!("{first}{rest}").repeat(times))
}

proptest! {
    #[test]
    fn any_status_fits_into_the_trailers_that_clients_accept(
        texts in prop::collection::vec((long_text(), long_text()), 1..60),
        forbidden in any::<bool>(),
    ) {
        let violations: Vec<_> = texts.iter().map(|(f, d)| violation(f, ErrorReason::ResumeTokenOtherFilter, d)).collect();
        let error = if forbidden { Error::Forbidden(violations) } else { Error::Invalid(violations) };
        prop_assert!(header_list_bytes(error.into()) < 8000);
    }

    #[test]
    fn a_name_of_any_length_fits_into_the_trailers(name in long_text()) {
        let not_found = Error::NotFound { reason: ErrorReason::UnknownIndicator, kind: "indicator", name: name.clone() };
        prop_assert!(header_list_bytes(not_found.into()) < 8000);
        prop_assert!(header_list_bytes(Error::RequestIdReused(name).into()) < 8000);
    }

    #[test]
    fn a_shortened_text_is_within_its_limit_and_begins_like_the_whole(text in ".{0,200}", limit in 3_usize..200) {
        let short = shorten(&text, limit);
        prop_assert!(short.len() <= limit);
        prop_assert!(short == text || text.starts_with(short.strip_suffix("...").unwrap()));
    }
}

use std::{cell::RefCell, future::pending, path::PathBuf};

use indicator_client::{
    import::{Import, Input, Options, Order, source},
    names::Names,
};
use tokio::time::Instant;
use tonic::Code;

use super::*;

/// Steps of one figure each, by year from 2000.
fn steps(years: u32) -> Steps {
    let rows: String = (2000..2000 + years).map(|year| format!("gdp,CN,o,{year},1\n")).collect();
    let content = format!("indicator,region,source,period,value\n{rows}");
    let text = source::from_bytes("a.csv".to_owned(), content.into_bytes(), None, None).expect("a text");
    let mapping = "[create.region]\nlevel.constant = \"country\"\n[create.indicator]\nunit.constant = \"USD\"\n";
    let input = Input { text, mapping: toml::from_str(mapping).expect("a mapping"), directory: PathBuf::new() };
    let options = Options { mode: WriteMode::Merge, create_missing: true, include_changes: false };
    let import = Import::prepare(vec![input], Names::default(), options).expect("an import");
    Steps::new(import, Order::Period, None, None)
}

fn settings(speed: &str) -> Settings {
    Settings { speed: speed.parse().expect("a speed"), context: WriteContext::default() }
}

fn inserted() -> WriteObservationsResponse {
    WriteObservationsResponse { inserted: 1, ..WriteObservationsResponse::default() }
}

fn unchanged() -> WriteObservationsResponse {
    WriteObservationsResponse { unchanged: 1, ..WriteObservationsResponse::default() }
}

fn unavailable() -> Error {
    Error::Rpc { code: Code::Unavailable, reason: None, message: String::new(), violations: Vec::new(), retry_after: None }
}

/// Runs five steps, and returns the seconds at which each attempt began, its period and its request id.
async fn attempts(
    speed: &str,
    stop: impl Future<Output = ()> + Clone,
    mut answer: impl AsyncFnMut(&str) -> Result<WriteObservationsResponse, Error>,
) -> (Result<(), Ended>, Vec<(f64, String, String)>) {
    let (start, attempts) = (Instant::now(), RefCell::new(Vec::new()));
    let write = async |request: WriteObservationsRequest| {
        let period = request.changes[0].period.clone();
        attempts.borrow_mut().push((start.elapsed().as_secs_f64(), period.clone(), request.request_id));
        answer(&period).await
    };
    let ended = run(&steps(5), &settings(speed), stop, write, |_| Ok(())).await;
    (ended, attempts.into_inner())
}

/// The whole seconds and the periods of attempts.
fn told(attempts: &[(f64, String, String)]) -> Vec<(u64, &str)> {
    attempts.iter().map(|(at, period, _)| (at.round() as u64, &**period)).collect()
}

#[tokio::test(start_paused = true)]
async fn each_step_is_written_when_it_is_due_however_long_the_others_took() {
    let (ended, attempts) = attempts("0.1", pending(), async |_| {
        sleep(Duration::from_secs(9)).await;
        Ok(inserted())
    })
    .await;
    assert!(ended.is_ok());
    assert_eq!(told(&attempts), [(0, "2000"), (10, "2001"), (20, "2002"), (30, "2003"), (40, "2004")]);
    assert!(attempts.windows(2).all(|pair| pair[0].2 != pair[1].2), "each step has a request id of its own");
}

#[tokio::test(start_paused = true)]
async fn the_greatest_speed_waits_for_nothing() {
    let (ended, attempts) = attempts("max", pending(), async |_| Ok(inserted())).await;
    assert!(ended.is_ok());
    assert_eq!(attempts.last().map(|last| last.0), Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn what_is_there_already_takes_no_time() {
    let there = ["2000", "2001", "2003"];
    let answer = async |period: &str| {
        sleep(Duration::from_millis(10)).await;
        Ok(if there.contains(&period) { unchanged() } else { inserted() })
    };
    let (_, attempts) = attempts("0.1", pending(), answer).await;
    assert_eq!(told(&attempts), [(0, "2000"), (0, "2001"), (0, "2002"), (10, "2003"), (10, "2004")]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_server_is_waited_for_with_the_same_request_and_nothing_is_made_up_for() {
    let start = Instant::now();
    let answer = async |_: &str| {
        let away = (10..200).contains(&start.elapsed().as_secs());
        if away { Err(unavailable()) } else { Ok(inserted()) }
    };
    let (ended, attempts) = attempts("0.1", pending(), answer).await;
    assert!(ended.is_ok());
    let of = |period: &str| attempts.iter().filter(|it| it.1 == period).map(|it| &it.2).collect::<Vec<_>>();
    assert!(of("2001").len() > 10, "more often than the client does by itself");
    assert!(of("2001").windows(2).all(|pair| pair[0] == pair[1]), "one request id makes the repetitions safe");
    let at = |period: &str| attempts.iter().rfind(|it| it.1 == period).map(|it| it.0).expect("it was written");
    assert!((at("2002") - at("2001") - 10.0).abs() < 0.1, "the stream goes on at its pace: {attempts:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_service_refuses_ends_the_replay() {
    let refusal = || Error::Rpc {
        code: Code::InvalidArgument,
        reason: None,
        message: "no".to_owned(),
        violations: Vec::new(),
        retry_after: None,
    };
    let (ended, attempts) =
        attempts("1", pending(), async |period| if period == "2002" { Err(refusal()) } else { Ok(inserted()) }).await;
    assert!(matches!(ended, Err(Ended::Refused { done: 2, steps: 5, .. })), "{ended:?}");
    assert_eq!(attempts.len(), 3);
}

/// Asks to stop after so many seconds.
fn after(seconds: u64) -> impl Future<Output = ()> + Clone {
    use futures::FutureExt as _;
    sleep(Duration::from_secs(seconds)).shared()
}

#[tokio::test(start_paused = true)]
async fn it_stops_between_two_steps() {
    let (ended, attempts) = attempts("0.1", after(15), async |_| Ok(inserted())).await;
    assert!(matches!(ended, Err(Ended::Stopped { done: 2, steps: 5, unanswered: false })), "{ended:?}");
    assert_eq!(told(&attempts), [(0, "2000"), (10, "2001")]);
}

#[tokio::test(start_paused = true)]
async fn a_step_on_its_way_is_finished_before_it_stops() {
    let slow = async |_: &str| {
        sleep(Duration::from_millis(1_500)).await;
        Ok(inserted())
    };
    let (ended, _) = attempts("max", after(1), slow).await;
    assert!(matches!(ended, Err(Ended::Stopped { done: 1, unanswered: false, .. })), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn it_also_stops_while_the_server_does_not_answer_and_says_so() {
    let (ended, _) = attempts("max", after(60), async |_| Err(unavailable())).await;
    assert!(matches!(ended, Err(Ended::Stopped { done: 0, unanswered: true, .. })), "{ended:?}");
    assert!(ended.is_err_and(|ended| ended.to_string().ends_with("; the next one may be written too")));
}

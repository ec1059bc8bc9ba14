use std::sync::{Arc, Mutex};

use indicator_proto::v1::{Closing, Progress, RankMoves, Ranking, Reset, WatchOpened};
use tokio::time::Instant;
use tonic::Code;

use super::*;

/// What a server does with one connection.
enum Answer {
    /// Sends these, and then hangs up.
    Sends(Vec<OfRank>),
    /// Sends these, and then nothing.
    FallsSilent(Vec<OfRank>),
    /// Refuses.
    Refuses(Code, Option<ErrorReason>),
    /// Does not answer at all.
    Hangs,
}

fn opened() -> OfRank {
    OfRank::Opened(WatchOpened::default())
}

fn moves(revision: u64) -> OfRank {
    OfRank::Moves(RankMoves { revision, ..RankMoves::default() })
}

fn ranking(ranked: u32) -> OfRank {
    OfRank::Ranking(Ranking { ranked, ..Ranking::default() })
}

fn progress(revision: u64) -> OfRank {
    OfRank::Progress(Progress { revision, resume_token: revision.to_string(), ..Progress::default() })
}

fn closing(token: &str, seconds: i64) -> OfRank {
    let retry_after = Some(prost_types::Duration { seconds, nanos: 0 });
    OfRank::Closing(Closing { resume_token: token.into(), retry_after })
}

/// What the application has got: `ranking 3`, `moves 4`, `progress 4`, and the error at the end. And with which token each
/// connection was asked for, and after how long.
async fn followed(answers: Vec<Answer>) -> (Vec<String>, Vec<(String, Duration)>) {
    let asked: Arc<Mutex<Vec<(String, Duration)>>> = Arc::default();
    let (seen, answers, begin) = (Arc::clone(&asked), Arc::new(Mutex::new(answers.into_iter())), Instant::now());
    let open = move |request: WatchRankRequest| -> BoxFuture<'static, Result<Messages<WatchRankResponse>, Error>> {
        seen.lock().unwrap().push((request.resume_token, begin.elapsed()));
        let answer = answers.lock().unwrap().next();
        Box::pin(async move {
            let sent = |messages: Vec<OfRank>| {
                stream::iter(messages.into_iter().map(|message| Ok(WatchRankResponse { message: Some(message) })))
            };
            match answer {
                Some(Answer::Sends(messages)) => Ok(sent(messages).boxed()),
                Some(Answer::FallsSilent(messages)) => Ok(sent(messages).chain(stream::pending()).boxed()),
                Some(Answer::Hangs) => std::future::pending().await,
                Some(Answer::Refuses(code, reason)) => {
                    let message = "refused".to_owned();
                    Err(Error::Rpc { code, reason, message, violations: Vec::new(), retry_after: None })
                }
                None => Err(Error::Protocol { what: "the end of the test" }),
            }
        })
    };
    let (policy, request) = (Policy::default(), WatchRankRequest::default());
    let wait = Duration::ZERO;
    let following = Following { policy, request, open, messages: None, wait, failures: 0, given: 0, ended: false };
    let told: Vec<String> = following
        .into_stream()
        .map(|message| match message.map(|message| message.message.unwrap()) {
            Ok(OfRank::Ranking(ranking)) => format!("ranking {}", ranking.ranked),
            Ok(OfRank::Moves(moves)) => format!("moves {}", moves.revision),
            Ok(OfRank::Progress(progress)) => format!("progress {}", progress.revision),
            Ok(other) => format!("{other:?}"),
            Err(Error::Protocol { what }) => what.to_owned(),
            Err(error) => error.to_string(),
        })
        .collect()
        .await;
    let asked = asked.lock().unwrap().clone();
    (told, asked)
}

fn tokens(asked: &[(String, Duration)]) -> Vec<&str> {
    asked.iter().map(|(token, _)| token.as_str()).collect()
}

const END: &str = "the end of the test";

#[tokio::test(start_paused = true)]
async fn what_is_told_again_after_a_cut_is_left_out() {
    let (told, asked) = followed(vec![
        Answer::Sends(vec![opened(), ranking(3), progress(3), moves(4), moves(6)]),
        // The token lies before what was given out already.
        Answer::Sends(vec![opened(), progress(3), moves(4), moves(6), moves(7)]),
    ])
    .await;
    assert_eq!(told, ["ranking 3", "progress 3", "moves 4", "moves 6", "moves 7", END]);
    assert_eq!(tokens(&asked), ["", "3", "3"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_is_left_with_its_token_for_as_long_as_it_asks() {
    let (told, asked) = followed(vec![
        Answer::Sends(vec![opened(), ranking(3), progress(3), moves(4), closing("4!", 7), moves(5)]),
        Answer::Sends(vec![opened(), moves(5)]),
    ])
    .await;
    assert_eq!(told, ["ranking 3", "progress 3", "moves 4", "moves 5", END]);
    assert_eq!(tokens(&asked)[..2], ["", "4!"]);
    assert!(asked[1].1 >= Duration::from_secs(7), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn another_ranking_replaces_everything_and_its_moves_count_anew() {
    let reset = OfRank::Reset(Reset { reason: "the horizon".into() });
    let (told, asked) = followed(vec![
        Answer::Sends(vec![opened(), ranking(3), progress(3), moves(9)]),
        // The store is another one, whose revisions begin again.
        Answer::Refuses(Code::FailedPrecondition, Some(ErrorReason::OtherEpoch)),
        Answer::Sends(vec![opened(), reset, ranking(1), progress(1), moves(2)]),
    ])
    .await;
    assert_eq!(told, ["ranking 3", "progress 3", "moves 9", "ranking 1", "progress 1", "moves 2", END]);
    assert_eq!(tokens(&asked), ["", "3", "", "1"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_silent_or_does_not_answer_is_left() {
    let (told, asked) = followed(vec![
        Answer::FallsSilent(vec![opened(), ranking(3), progress(3)]),
        Answer::Hangs,
        Answer::Refuses(Code::Unavailable, None),
        Answer::Sends(vec![opened(), moves(4)]),
    ])
    .await;
    assert_eq!(told, ["ranking 3", "progress 3", "moves 4", END]);
    assert_eq!(tokens(&asked)[..4], ["", "3", "3", "3"]);
    assert!(asked[2].1 - asked[1].1 >= Policy::default().deadline, "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn what_no_repetition_mends_ends_it() {
    for code in [Code::InvalidArgument, Code::NotFound, Code::Internal] {
        let (told, asked) = followed(vec![Answer::Refuses(code, None), Answer::Sends(vec![ranking(1)])]).await;
        assert_eq!((told.len(), asked.len()), (1, 1), "{told:?}");
    }
}

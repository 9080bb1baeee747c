//! Random requests to every operation of the gateway's own description.
//!
//! Keeps true: an answer has a status that the description lists for the operation, or a refusal
//! that any request may meet; a refusal is a problem document; nothing is the gateway's fault, and
//! nothing takes long. `HAVEN_FUZZ_SEED` and `HAVEN_FUZZ_CASES` repeat a run or make it longer.
//! Leaves out on purpose: heads that are no HTTP; those never reach the gateway's own code.

mod description;
mod requests;

use super::{Front, Session, on_front_with};
use crate::support::chance::{Chance, Run};
use crate::support::http::Answer;
use description::{Description, Operation};
use haven_gateway::GatewayConfig;
use haven_rules::errors;
use requests::{Guess, Request};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Requests of the usual run: about 15 s.
const REQUESTS: u64 = 4_000;
/// Requests between two looks at whether others are served.
const REQUESTS_PER_LOOK: u64 = 200;
/// The longest an answer may take, on a busy machine.
const ANSWER: Duration = Duration::from_secs(5);
/// How the codes begin of refusals that any request may meet.
const ANYWHERE: [&str; 3] = ["request.", "token.", "session."];
/// Codes of the gateway's own that say it is not the caller's fault, and pass.
const PASSING: [&str; 5] = [
    "gateway.busy",
    "gateway.unavailable",
    "gateway.not_ready",
    "gateway.not_written",
    "realm.offline",
];

/// Limits so high that random requests meet none.
fn unlimited(config: &mut GatewayConfig) {
    let limits = &mut config.limits;
    (limits.auth_per_second, limits.auth_burst) = (1_000_000, 1_000_000);
    (limits.other_per_second, limits.other_burst) = (1_000_000, 1_000_000);
    (limits.login_interval_millis, limits.login_burst) = (1, 1_000_000);
}

/// Sends a request and reads the answer to its end; none when the connection was closed instead.
///
/// # Errors
/// When that takes too long.
async fn exchange(host: &str, request: &Request) -> Result<Option<Answer>, String> {
    let began = Instant::now();
    let talk = async {
        let mut stream = TcpStream::connect(host).await.ok()?;
        // Who is refused early may find the connection closed before the body is through.
        let _ = stream.write_all(&request.bytes(host)).await;
        let mut bytes = vec![];
        let _ = stream.read_to_end(&mut bytes).await;
        (!bytes.is_empty()).then_some(bytes)
    };
    match tokio::time::timeout(ANSWER, talk).await {
        Ok(bytes) => Ok(bytes.map(|bytes| crate::support::http::parse(&bytes))),
        Err(_) => Err(format!("no answer after {:?}", began.elapsed())),
    }
}

/// Whether an answer is one that the description allows.
fn judge(operation: &Operation, request: &Request, answer: &Answer) -> Result<(), String> {
    let status = answer.status;
    if request.may_be_cut && (400..500).contains(&status) && answer.text.is_empty() {
        return Ok(());
    }
    if answer.header("x-request-id").is_empty() {
        return Err("an answer without a request id".to_owned());
    }
    match status {
        200..=299 if request.method == "OPTIONS" => empty(answer),
        200..=299 | 400..=499 | 503 if request.method == "HEAD" => empty(answer),
        200..=299 if request.is_elsewhere => Ok(()),
        200..=299 => operation.success(status, &answer.text, &answer.json),
        400..=499 | 503 => {
            problem(answer)?;
            let code = answer.code();
            let is_known = errors::all().iter().any(|entry| entry.code == code)
                || ANYWHERE.iter().any(|start| code.starts_with(start))
                || PASSING.contains(&code);
            let is_listed = operation.lists(status) || ANYWHERE.iter().any(|s| code.starts_with(s));
            match (is_known, is_listed, code) {
                (_, _, "request.timeout" | "request.rate_limited") => Err("a limit".to_owned()),
                (true, true, _) => Ok(()),
                (false, _, _) => Err("a code that nobody knows".to_owned()),
                (_, false, _) => Err("a status that is not in the description".to_owned()),
            }
        }
        _ => Err("a status that no answer has".to_owned()),
    }
}

fn empty(answer: &Answer) -> Result<(), String> {
    if answer.text.is_empty() { Ok(()) } else { Err("a body where there is none".to_owned()) }
}

/// Every refusal is the same document.
fn problem(answer: &Answer) -> Result<(), String> {
    let filled = |member: &&str| answer.json[*member].as_str().is_some_and(|text| !text.is_empty());
    let members = ["type", "title", "detail", "code", "request_id"];
    let is_document = answer.header("content-type") == "application/problem+json"
        && answer.json["status"] == answer.status
        && answer.json["request_id"] == answer.header("x-request-id")
        && members.iter().all(filled);
    if is_document { Ok(()) } else { Err("a refusal that is no problem document".to_owned()) }
}

/// Who sends: two accounts, and somebody who only wants to be served.
struct Cast {
    players: Vec<Session>,
    bystander: Session,
}

impl Cast {
    /// Makes new accounts for those whose sessions have ended.
    async fn mend(&mut self, front: &Front, chance: &mut Chance) {
        for player in &mut self.players {
            if front.get("/v1/characters", Some(&player.access)).await.status != 200 {
                *player = front.register(&format!("{:x}@example.org", chance.bits())).await;
            }
        }
    }

    /// Something to send where a request asks for it.
    fn guess(&self, chance: &mut Chance) -> Guess {
        let player = chance.pick(&self.players);
        Guess { access: player.access.clone(), refresh: player.refresh.clone() }
    }
}

async fn serves(front: &Front, cast: &Cast) -> Result<(), String> {
    let began = Instant::now();
    for (path, token) in [("/healthz", None), ("/v1/characters", Some(&*cast.bystander.access))] {
        let answer = front.get(path, token).await;
        if answer.status != 200 || began.elapsed() > ANSWER {
            return Err(format!("{path}: {} in {:?}", answer.text, began.elapsed()));
        }
    }
    Ok(())
}

#[test]
fn random_requests_get_answers_that_the_description_lists() {
    let run = Run::new("random requests", REQUESTS);
    on_front_with(unlimited, async |front| {
        let document = front.get("/v1/openapi.json", None).await.json;
        let description = Description::read(&document);
        let host = front.gateway.uri().replacen("http://", "", 1);
        let bystander = front.register("ann@example.org").await;
        let players = vec![front.register("bob@example.org").await];
        let mut cast = Cast { players, bystander };
        cast.players.push(front.register("cid@example.org").await);
        let mut successes = 0;
        for case in 0..run.cases {
            let mut chance = run.case(case);
            let operation = chance.pick(&description.operations).clone();
            let guess = cast.guess(&mut chance);
            let request = Request::random(&description, &operation, &guess, &mut chance);
            let judged = match exchange(&host, &request).await {
                Ok(Some(answer)) => {
                    successes += u64::from((200..300).contains(&answer.status));
                    judge(&operation, &request, &answer)
                        .map_err(|wrong| format!("{wrong}: {} {}", answer.status, answer.text))
                }
                Ok(None) if request.may_be_cut => Ok(()),
                Ok(None) => Err("the connection was closed without an answer".to_owned()),
                Err(wrong) => Err(wrong),
            };
            if let Err(wrong) = judged {
                run.fail(case, &format!("{request}: {wrong}"));
            }
            if case % REQUESTS_PER_LOOK == REQUESTS_PER_LOOK - 1 {
                if let Err(wrong) = serves(front, &cast).await {
                    run.fail(case, &format!("others are not served: {wrong}"));
                }
                cast.mend(front, &mut chance).await;
            }
        }
        run.assert_share(successes, "requests succeeded");
    });
}

//! Codes, statuses and documents.

use super::*;

fn check(problem: Problem, status: u16, code: &str, retry_after: Option<&str>) {
    let mut response = problem.into_response();
    assert_eq!(response.status().as_u16(), status, "{code}");
    let header = response.headers().get(header::RETRY_AFTER);
    assert_eq!(header.and_then(|value| value.to_str().ok()), retry_after, "{code}");
    let problem = response.extensions_mut().remove::<Problem>().expect("a problem");
    assert_eq!(problem.code(), code);
    problem.render(&mut response, "id");
    assert_eq!(response.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
}

#[test]
fn codes_of_the_contract_have_its_statuses() {
    check(AccountError::EmailTaken.into(), 409, "account.email_taken", None);
    check(AccountError::BadCredentials.into(), 401, "account.bad_credentials", None);
    check(AccountError::Banned.into(), 403, "account.banned", None);
    check(AccountError::RefreshReused.into(), 401, "session.refresh_reused", None);
    check(RealmError::Closed.into(), 403, "realm.closed", None);
    check(RealmError::Full.into(), 503, "realm.full", Some("10"));
    check(RealmError::Offline.into(), 503, "realm.offline", Some("5"));
    check(RealmError::ReadOnly.into(), 503, "realm.read_only", Some("30"));
    check(CharacterError::NameTaken.into(), 409, "character.name_taken", None);
    check(CharacterError::Unknown.into(), 404, "character.unknown", None);
    check(Refusal::RateLimited.into(), 429, "request.rate_limited", Some("1"));
    check(CallError::NotWritten.into(), 503, "gateway.not_written", Some("1"));
}

#[test]
fn a_reducers_refusal_keeps_its_code_and_the_rest_is_internal() {
    let refused = |code| CallError::Refused { code, message: format!("{code}: text") };
    check(refused("character.name_taken").into(), 409, "character.name_taken", None);
    check(refused("command.id_invalid").into(), 400, "command.id_invalid", None);
    check(refused("command.too_old").into(), 409, "command.too_old", None);
    check(refused("command.reused").into(), 409, "command.reused", None);
    let too_many = refused("command.sessions_too_many").into();
    check(too_many, 429, "command.sessions_too_many", Some("1"));
    check(refused("account.permission_denied").into(), 500, "gateway.internal", None);
    check(refused("motion.nonsense").into(), 500, "gateway.internal", None);
    check(CallError::Broken("secret".to_owned()).into(), 500, "gateway.internal", None);
    check(CallError::Unavailable.into(), 503, "gateway.unavailable", Some("1"));
}

#[test]
fn every_error_of_the_rules_has_an_answer_and_internal_causes_stay_inside() {
    for entry in haven_rules::errors::all() {
        let problem = of_code(entry.code);
        assert!(problem.is_none_or(|problem| problem.status.is_client_error()
            || problem.status == StatusCode::SERVICE_UNAVAILABLE));
    }
    let problem = Problem::from(CallError::Broken("secret".to_owned()));
    assert!(!format!("{problem:?}").contains("secret"));
}

#[test]
fn waiting_times_are_rounded_up() {
    let wait =
        |millis| Problem::from(Refusal::RateLimited).retry_after(Duration::from_millis(millis));
    check(wait(1), 429, "request.rate_limited", Some("1"));
    check(wait(5_001), 429, "request.rate_limited", Some("6"));
}

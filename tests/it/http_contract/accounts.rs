//! Registration, login and the password: what is answered, and every refusal.

use super::{PASSWORD, Session, assert_done, on_front};
use crate::support::forge::claims_of;
use crate::support::http::assert_problem;
use crate::support::until;
use serde_json::json;

#[test]
fn register_answers_201_with_tokens_and_keeps_no_secret() {
    on_front(async |front| {
        let body = json!({ "email": " Ann@Example.ORG ", "password": PASSWORD });
        let answer = front.post("/v1/auth/register", None, &body).await;
        let session = Session::read(&answer, 201);
        assert_eq!(answer.json["expires_in"], 900);
        let claims = claims_of(&session.access);
        assert_eq!(claims["aud"], json!(["haven-gateway"]));
        assert_eq!(claims["sub"], session.account_id.to_string());
        assert_eq!(claims["role"], "player");
        let lifetime = claims["exp"].as_i64().zip(claims["iat"].as_i64());
        assert_eq!(lifetime.map(|(exp, iat)| exp - iat), Some(900));
        let row = &front.database.rows("account").await[0];
        assert_eq!(row["email"], "ann@example.org");
        assert!(row["password_phc"].as_str().is_some_and(|phc| phc.starts_with("$argon2id$")));
        for table in ["account", "account_session", "refresh_token", "audit_entry"] {
            let rows = format!("{:?}", front.database.rows(table).await);
            for secret in [PASSWORD, &session.refresh, &session.access] {
                assert!(!rows.contains(secret), "{table} has a secret");
            }
        }
        assert_eq!(front.get("/v1/characters", Some(&session.access)).await.status, 200);
    });
}

#[test]
fn register_refuses_a_taken_address_in_any_spelling() {
    on_front(async |front| {
        front.register("ann@example.org").await;
        for email in ["ann@example.org", "ANN@example.org", " ann@EXAMPLE.org"] {
            let body = json!({ "email": email, "password": "another password" });
            let answer = front.post("/v1/auth/register", None, &body).await;
            assert_problem(&answer, 409, "account.email_taken", email);
        }
        assert_eq!(front.database.rows("account").await.len(), 1);
        front.login("ann@example.org").await;
    });
}

#[test]
fn two_registrations_of_one_address_at_once_make_one_account() {
    on_front(async |front| {
        let body = json!({ "email": "ann@example.org", "password": PASSWORD });
        let one = || front.post("/v1/auth/register", None, &body);
        let answers = futures::join!(one(), one(), one(), one());
        let answers = [answers.0, answers.1, answers.2, answers.3];
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(made, 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            assert_problem(answer, 409, "account.email_taken", "the others");
        }
        assert_eq!(front.database.rows("account").await.len(), 1);
    });
}

#[test]
fn register_and_login_refuse_what_is_no_address_and_register_what_is_no_password() {
    on_front(async |front| {
        for email in ["", "ann", "ann@", "@example.org", "a b@example.org", "ann@localhost"] {
            let body = json!({ "email": email, "password": PASSWORD });
            for path in ["/v1/auth/register", "/v1/auth/login"] {
                let answer = front.post(path, None, &body).await;
                assert_problem(&answer, 400, "account.email_invalid", email);
            }
        }
        let long = format!("{}@example.org", "x".repeat(300));
        let body = json!({ "email": long, "password": PASSWORD });
        let answer = front.post("/v1/auth/register", None, &body).await;
        assert_problem(&answer, 400, "request.invalid", "a long address");
        for password in ["", "1234567", "äöüäöüä", &"x".repeat(129)] {
            let body = json!({ "email": "ann@example.org", "password": password });
            let answer = front.post("/v1/auth/register", None, &body).await;
            assert_problem(&answer, 400, "request.invalid", password);
            assert_eq!(answer.json["errors"][0]["field"], "password");
        }
        assert!(front.database.rows("account").await.is_empty());
        for (number, password) in ["12345678", "äöüäöüäö", &"é".repeat(128)].iter().enumerate()
        {
            let email = format!("ann{number}@example.org");
            let body = json!({ "email": email, "password": password });
            Session::read(&front.post("/v1/auth/register", None, &body).await, 201);
            Session::read(&front.try_login(&email, password).await, 200);
        }
    });
}

#[test]
fn login_answers_200_with_the_tokens_of_a_session_of_its_own() {
    on_front(async |front| {
        let first = front.register("ann@example.org").await;
        let second = Session::read(&front.try_login("ANN@example.org", PASSWORD).await, 200);
        assert_eq!(first.account_id, second.account_id);
        assert_ne!(first.refresh, second.refresh);
        assert_ne!(claims_of(&first.access)["sid"], claims_of(&second.access)["sid"]);
        assert_eq!(front.database.rows("account_session").await.len(), 2);
    });
}

#[test]
fn login_does_not_tell_an_unknown_address_from_a_wrong_password() {
    on_front(async |front| {
        front.register("ann@example.org").await;
        let wrong = front.try_login("ann@example.org", "wrong horse").await;
        let short = front.try_login("ann@example.org", "").await;
        let unknown = front.try_login("bob@example.org", PASSWORD).await;
        for answer in [&wrong, &short, &unknown] {
            assert_problem(answer, 401, "account.bad_credentials", "login");
            assert_eq!(answer.json["detail"], wrong.json["detail"]);
            assert_eq!(answer.json["title"], wrong.json["title"]);
        }
        until("refused logins of the account are recorded", || async {
            let rows = front.database.rows("audit_entry").await;
            let refused = rows.iter().filter(|row| row["action"] == "login_refused").count();
            (refused == 2).then_some(())
        })
        .await;
    });
}

#[test]
fn a_banned_account_is_refused_at_every_door() {
    on_front(async |front| {
        let session = front.register("ann@example.org").await;
        front.owner("account_status_set", json!([session.account_id, 2])).await;
        let login = front.try_login("ann@example.org", PASSWORD).await;
        assert_problem(&login, 403, "account.banned", "login");
        let wrong = front.try_login("ann@example.org", "wrong horse").await;
        assert_problem(&wrong, 401, "account.bad_credentials", "only who knows is told");
        let enter = front.order("/v1/realms/1/enter", &session.access).await;
        assert_problem(&enter, 403, "account.banned", "enter");
        let refresh = front.refresh(&session.refresh).await;
        assert_problem(&refresh, 401, "session.unknown", "its sessions have ended");
        front.owner("account_status_set", json!([session.account_id, 1])).await;
        let old = front.get("/v1/characters", Some(&session.access)).await;
        assert_problem(&old, 401, "session.ended", "the ban ended it for good");
        front.login("ann@example.org").await;
    });
}

#[test]
fn password_answers_204_and_only_the_new_one_opens() {
    on_front(async |front| {
        let session = front.register("ann@example.org").await;
        let change =
            |current: &str, new: &str| json!({ "current_password": current, "new_password": new });
        let path = "/v1/auth/password";
        let token = Some(session.access.as_str());
        let wrong = front.post(path, token, &change("wrong horse", "a new password")).await;
        assert_problem(&wrong, 401, "account.bad_credentials", "the current one is wrong");
        for new in ["", "1234567", &"x".repeat(129)] {
            let answer = front.post(path, token, &change(PASSWORD, new)).await;
            assert_problem(&answer, 400, "request.invalid", new);
            assert_eq!(answer.json["errors"][0]["field"], "new_password");
        }
        front.login("ann@example.org").await;
        assert_done(&front.post(path, token, &change(PASSWORD, "a new password")).await);
        let old = front.try_login("ann@example.org", PASSWORD).await;
        assert_problem(&old, 401, "account.bad_credentials", "the old password");
        Session::read(&front.try_login("ann@example.org", "a new password").await, 200);
    });
}

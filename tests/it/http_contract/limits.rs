//! How often one may ask: per address, per account, and what a hash costs.

use super::{Front, PASSWORD, on_front_with};
use crate::support::http::{Answer, assert_problem};
use crate::support::until;
use haven_gateway::GatewayConfig;
use serde_json::json;

fn wait_of(answer: &Answer) -> u32 {
    answer.header("retry-after").parse().expect("seconds")
}

/// Asks until it is refused, and answers how often it was not.
async fn until_refused(what: &str, most: usize, ask: impl AsyncFn() -> Answer) -> usize {
    for passed in 0..=most {
        let answer = ask().await;
        if answer.status == 429 {
            assert_problem(&answer, 429, "request.rate_limited", what);
            return passed;
        }
    }
    panic!("{what} was asked {most} times and never refused");
}

async fn try_login(front: &Front, email: &str) -> Answer {
    front.try_login(email, PASSWORD).await
}

#[test]
fn an_address_that_asks_too_often_gets_429_and_is_served_again_later() {
    let change = |config: &mut GatewayConfig| {
        config.limits.auth_per_second = 1;
        config.limits.auth_burst = 3;
    };
    on_front_with(change, async |front| {
        let unknown = async || front.refresh("never given").await;
        let passed = until_refused("refresh", 100, unknown).await;
        assert!(passed >= 3, "{passed}");
        // One limit for all of them, and another one for the rest.
        for path in ["/v1/auth/register", "/v1/auth/login", "/v1/auth/logout"] {
            let answer = front.post(path, None, &json!({})).await;
            assert_problem(&answer, 429, "request.rate_limited", path);
            assert_eq!(wait_of(&answer), 1);
        }
        assert_eq!(front.get("/v1/realms", None).await.status, 200);
        assert_eq!(front.get("/healthz", None).await.status, 200);
        until("the address is served again", || async {
            (front.refresh("never given").await.status == 401).then_some(())
        })
        .await;
    });
}

#[test]
fn the_other_routes_have_a_limit_of_their_own() {
    let change = |config: &mut GatewayConfig| {
        config.limits.other_per_second = 1;
        config.limits.other_burst = 40;
    };
    on_front_with(change, async |front| {
        let passed = until_refused("realms", 100, async || front.get("/v1/realms", None).await);
        assert!(passed.await > 0);
        let answer = front.get("/v1/characters", None).await;
        assert_problem(&answer, 429, "request.rate_limited", "characters");
        let answer = front.refresh("never given").await;
        assert_problem(&answer, 401, "session.unknown", "sessions go on");
    });
}

#[test]
fn logins_of_one_account_are_limited_whoever_tries() {
    let change = |config: &mut GatewayConfig| {
        config.limits.login_interval_millis = 60_000;
        config.limits.login_burst = 2;
    };
    on_front_with(change, async |front| {
        front.register("ann@example.org").await;
        let passed = until_refused("login", 10, async || try_login(front, "ann@example.org").await);
        assert_eq!(passed.await, 2);
        let refused = try_login(front, "ANN@example.org").await;
        assert_problem(&refused, 429, "request.rate_limited", "another spelling");
        assert!((2..=60).contains(&wait_of(&refused)), "{}", wait_of(&refused));
        // An address without an account is limited alike, or it could be told apart.
        let passed = until_refused("bob", 10, async || try_login(front, "bob@example.org").await);
        assert_eq!(passed.await, 2);
        let carl = front.register("carl@example.org").await;
        let body = json!({ "current_password": "wrong", "new_password": "a new password" });
        let guess = async || front.post("/v1/auth/password", Some(&carl.access), &body).await;
        assert_eq!(until_refused("guesses at the current password", 10, guess).await, 2);
    });
}

#[test]
fn a_forwarded_address_counts_only_where_a_proxy_is_trusted() {
    async fn ask(front: &Front, address: &str) -> u16 {
        let headers = [("x-forwarded-for", address), ("content-type", "application/json")];
        let body = json!({ "refresh_token": "never given" }).to_string();
        let url = front.url("/v1/auth/refresh");
        crate::support::http::send_raw("POST", &url, &headers, body).await.status
    }
    for trust in [false, true] {
        let change = |config: &mut GatewayConfig| {
            config.trust_forwarded_for = trust;
            config.limits.auth_per_second = 1;
            config.limits.auth_burst = 1;
        };
        on_front_with(change, async |front| {
            let mut statuses = vec![];
            for number in 1..=6 {
                statuses.push(ask(front, &format!("192.0.2.{number}")).await);
            }
            assert_eq!(statuses.contains(&429), !trust, "{trust}: {statuses:?}");
        });
    }
}

#[test]
fn logins_over_what_can_be_hashed_get_503_and_the_gateway_recovers() {
    let change = |config: &mut GatewayConfig| {
        config.argon2.memory_kib = 65_536;
        config.argon2.iterations = 4;
        config.argon2.concurrent = 1;
        config.argon2.queue = 0;
    };
    on_front_with(change, async |front| {
        let logins = (0..8).map(|number| {
            let email = format!("ann{number}@example.org");
            async move { try_login(front, &email).await }
        });
        let answers = futures::future::join_all(logins).await;
        let (busy, others): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.status == 503);
        assert!(!busy.is_empty() && !others.is_empty(), "{answers:?}");
        for answer in busy {
            assert_problem(answer, 503, "gateway.busy", "busy");
        }
        for answer in others {
            assert_problem(answer, 401, "account.bad_credentials", "hashed");
        }
        let answer = try_login(front, "ann@example.org").await;
        assert_problem(&answer, 401, "account.bad_credentials", "afterwards");
    });
}

//! Registration, login, and what a session's holder can do with it.
//!
//! Keeps true: whether an address is known cannot be told from a login, neither by its answer nor
//! by its time; passwords and refresh tokens stand in no log and reach no reducer.

use axum::{Json, extract::State};
use garde::Validate;
use haven_rules::accounts::{
    self, AccountError, EMAIL_BYTES_MAX, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN,
};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Shared, extract::Body, to_the_end};
use crate::{
    problem::{Problem, ProblemDocument},
    realms::Revocation,
    sessions::{Address, Caller, RefreshSecret, Tokens, bad_credentials},
    stdb::{
        CallError, Filter, Hex, reducers,
        rows::{Account, AccountSession, RefreshToken},
    },
};

/// Longest refresh token that is looked at, bytes; ours have 43.
const REFRESH_BYTES_MAX: usize = 512;

/// The body of a registration.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Registration {
    /// An e-mail address; case does not matter.
    #[garde(length(bytes, max = EMAIL_BYTES_MAX))]
    #[schema(example = "ann@example.org")]
    email: String,
    /// The password, 8 to 128 characters.
    #[garde(length(chars, min = PASSWORD_CHARS_MIN, max = PASSWORD_CHARS_MAX))]
    #[schema(format = Password)]
    password: String,
}

/// The body of a login.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    /// An e-mail address; case does not matter.
    #[garde(length(bytes, max = EMAIL_BYTES_MAX))]
    #[schema(example = "ann@example.org")]
    email: String,
    /// The password. One that is too short is wrong, not malformed.
    #[garde(length(chars, max = PASSWORD_CHARS_MAX))]
    #[schema(format = Password)]
    password: String,
}

/// The body of a refresh.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    /// The refresh token last received.
    #[garde(length(bytes, max = REFRESH_BYTES_MAX))]
    refresh_token: String,
}

/// The body of a password change.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordChange {
    /// The password so far.
    #[garde(length(chars, max = PASSWORD_CHARS_MAX))]
    #[schema(format = Password)]
    current_password: String,
    /// The new one, 8 to 128 characters.
    #[garde(length(chars, min = PASSWORD_CHARS_MIN, max = PASSWORD_CHARS_MAX))]
    #[schema(format = Password)]
    new_password: String,
}

/// Registers an account and begins its first session.
///
/// Refused with `request.invalid`, `account.email_invalid` (400) or `account.email_taken` (409).
#[utoipa::path(
    post,
    operation_id = "account_register",
    path = "/v1/auth/register",
    tag = "accounts",
    request_body = Registration,
    responses(
        (status = 201, description = "Registered", body = Tokens),
        (status = 409, response = ProblemDocument),
        (status = "default", response = ProblemDocument),
    )
)]
pub(super) async fn register(
    State(app): State<Shared>,
    Body(body): Body<Registration>,
) -> Result<(StatusCode, Json<Tokens>), Problem> {
    let address = Address::parse(&body.email)?;
    // Looked at first because a hash costs 20 ms; the reducer decides.
    if app.account_of(&address).await?.is_some() {
        return Err(AccountError::EmailTaken.into());
    }
    let phc = app.passwords.hash(body.password).await?;
    let refresh = RefreshSecret::generate();
    let lifetime_seconds = app.config.session_seconds();
    let (email, digest) = (&address.email, &address.digest);
    let token = &refresh.digest;
    reducers::account_register(&app.home, email, digest, &phc, token, lifetime_seconds).await?;
    let (account, session_id) =
        tokio::try_join!(app.account_of(&address), app.session_of(&refresh))?;
    let (Some(account), Some(session_id)) = (account, session_id) else {
        return Err(Problem::internal("a registered account cannot be found"));
    };
    Ok((StatusCode::CREATED, Json(app.tokens(&account, session_id, refresh)?)))
}

/// Begins a session.
///
/// Refused with `request.rate_limited` (429), `account.bad_credentials` (401) or
/// `account.banned` (403).
#[utoipa::path(
    post,
    operation_id = "session_open",
    path = "/v1/auth/login",
    tag = "accounts",
    request_body = Login,
    responses(
        (status = 200, description = "Logged in", body = Tokens),
        (status = 401, response = ProblemDocument),
        (status = "default", response = ProblemDocument),
    )
)]
pub(super) async fn login(
    State(app): State<Shared>,
    Body(body): Body<Login>,
) -> Result<Json<Tokens>, Problem> {
    let address = Address::parse(&body.email)?;
    app.check_login_rate(&address.digest)?;
    let account = app.account_of(&address).await?;
    let phc = account.as_ref().map(|account| account.password_phc.as_str());
    let proved = app.passwords.verify(body.password, phc).await?;
    let Some(account) = account else {
        return Err(bad_credentials());
    };
    if !proved {
        record_refusal(&app, account.account_id);
        return Err(bad_credentials());
    }
    accounts::check_status(account.status)?;
    let refresh = RefreshSecret::generate();
    let (account_id, version) = (account.account_id, account.password_version);
    let lifetime_seconds = app.config.session_seconds();
    reducers::session_open(&app.home, account_id, version, &refresh.digest, lifetime_seconds)
        .await?;
    let session_id = app.session_of(&refresh).await?;
    let session_id =
        session_id.ok_or_else(|| Problem::internal("an opened session cannot be found"))?;
    Ok(Json(app.tokens(&account, session_id, refresh)?))
}

/// Exchanges a refresh token for new tokens. Each can be used once; using one again ends the
/// session, because two hold it.
///
/// Refused with `session.unknown` or `session.refresh_reused` (401).
#[utoipa::path(
    post,
    operation_id = "session_refresh",
    path = "/v1/auth/refresh",
    tag = "accounts",
    request_body = Refresh,
    responses(
        (status = 200, description = "Exchanged", body = Tokens),
        (status = 401, response = ProblemDocument),
        (status = "default", response = ProblemDocument),
    )
)]
pub(super) async fn refresh(
    State(app): State<Shared>,
    Body(body): Body<Refresh>,
) -> Result<Json<Tokens>, Problem> {
    let spent = Hex::sha256(body.refresh_token.as_bytes());
    // Looked at first: with the session of a spent token the reducer removes its tokens.
    let filter = Filter::hex("token_sha256", &spent);
    let held = app.home.query_one::<RefreshToken>(filter).await?;
    let held = held.ok_or(AccountError::SessionUnknown)?;
    to_the_end(exchange(app, spent, held)).await.map(Json)
}

/// Exchanges a token, or takes the admissions of its session back when it was spent before.
async fn exchange(app: Shared, spent: Hex, held: RefreshToken) -> Result<Tokens, Problem> {
    let refresh = RefreshSecret::generate();
    let lifetime_seconds = app.config.session_seconds();
    let exchanged =
        reducers::session_refresh(&app.home, &spent, &refresh.digest, lifetime_seconds).await;
    let reused = held.spent_at.is_some() && may_be_done(&exchanged);
    // The reducer also commits when it ends the session of a spent token; then ours is not there.
    let issued = match exchanged {
        Ok(()) => app.session_of(&refresh).await,
        Err(error) => Err(error),
    };
    if reused || matches!(issued, Ok(None)) {
        app.realms.revoke_everywhere(Revocation::Session(held.session_id)).await;
    }
    let session_id = issued?.ok_or(AccountError::RefreshReused)?;
    let account = account_of_session(&app, session_id).await?;
    let account = account.ok_or(AccountError::SessionUnknown)?;
    app.tokens(&account, session_id, refresh)
}

/// Ends the session everywhere.
#[utoipa::path(
    post,
    operation_id = "session_close",
    path = "/v1/auth/logout",
    tag = "accounts",
    security(("bearer" = [])),
    responses(
        (status = 204, description = "Logged out"),
        (status = 401, response = ProblemDocument),
        (status = "default", response = ProblemDocument),
    )
)]
pub(super) async fn logout(
    State(app): State<Shared>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    let session_id = caller.session_id;
    to_the_end(async move {
        let closed = match reducers::session_close(&app.home, session_id).await {
            // Somebody else ended it meanwhile: that is what was asked for.
            Err(error) if error.code() == Some(AccountError::SessionUnknown.code()) => Ok(()),
            result => result,
        };
        if may_be_done(&closed) {
            app.realms.revoke_everywhere(Revocation::Session(session_id)).await;
        }
        closed?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Changes the password and ends the account's other sessions.
///
/// Refused with `account.bad_credentials` (401) when the current password is wrong.
#[utoipa::path(
    post,
    operation_id = "account_password_set",
    path = "/v1/auth/password",
    tag = "accounts",
    security(("bearer" = [])),
    request_body = PasswordChange,
    responses(
        (status = 204, description = "Changed"),
        (status = 401, response = ProblemDocument),
        (status = "default", response = ProblemDocument),
    )
)]
pub(super) async fn password(
    State(app): State<Shared>,
    caller: Caller,
    Body(body): Body<PasswordChange>,
) -> Result<StatusCode, Problem> {
    let account = &caller.account;
    let digest = Hex::parse(&account.email_sha256)
        .ok_or_else(|| Problem::internal("an account without a digest"))?;
    app.check_login_rate(&digest)?;
    let phc = Some(account.password_phc.as_str());
    if !app.passwords.verify(body.current_password, phc).await? {
        record_refusal(&app, account.account_id);
        return Err(bad_credentials());
    }
    let new_phc = app.passwords.hash(body.new_password).await?;
    let (account_id, keep_session_id) = (account.account_id, caller.session_id);
    let version = account.password_version;
    to_the_end(async move {
        let (home, keep) = (&app.home, keep_session_id);
        let set = reducers::account_password_set(home, account_id, version, &new_phc, keep).await;
        if may_be_done(&set) {
            let revocation = Revocation::Account { account_id, keep_session_id };
            app.realms.revoke_everywhere(revocation).await;
        }
        set?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Whether a call was done, for all that is known.
fn may_be_done(outcome: &Result<(), CallError>) -> bool {
    matches!(outcome, Ok(()) | Err(CallError::Lost | CallError::Timeout))
}

/// Writes a refused login into the audit trail, beside the answer: waiting for it would tell a
/// known address from an unknown one.
fn record_refusal(app: &Shared, account_id: u64) {
    let home = app.home.clone();
    tokio::spawn(async move {
        if let Err(error) = reducers::account_login_refused(&home, account_id).await {
            tracing::debug!(%error, "a refused login was not recorded");
        }
    });
}

async fn account_of_session(app: &Shared, session_id: u64) -> Result<Option<Account>, CallError> {
    let filter = Filter::number("session_id", session_id);
    let Some(session) = app.home.query_one::<AccountSession>(filter).await? else {
        return Ok(None);
    };
    app.home.query_one(Filter::number("account_id", session.account_id)).await
}

//! A gateway: where everything begins.

use crate::commands::CommandPolicy;
use crate::error::HavenError;
use crate::http::{Call, Http};
use crate::retry::RetryPolicy;
use crate::session::Session;
use crate::wire::{Realm, RealmList};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// A gateway of Haven. Clones share their connections; one is enough for any number of accounts.
#[derive(Clone)]
pub struct Haven {
    http: Http,
    commands: CommandPolicy,
}

impl Haven {
    /// A gateway by its address, such as `http://127.0.0.1:8080`. Nothing is sent yet.
    ///
    /// # Errors
    /// `client.bad_url`.
    pub fn new(gateway_url: &str) -> Result<Self, HavenError> {
        Ok(Self { http: Http::new(gateway_url)?, commands: CommandPolicy::default() })
    }

    /// From now on waits when the gateway says that it is busy, instead of answering so.
    #[must_use]
    pub fn with_retry(self, policy: RetryPolicy) -> Self {
        Self { http: self.http.with_retry(policy), ..self }
    }

    /// Whether commands are reported as done only when they are on the realm's disk, which takes
    /// half a second at most and is the default. Without it a character is made by a plain call,
    /// which is not repeated when its answer is lost.
    #[must_use]
    pub fn wait_written(self, wait: bool) -> Self {
        Self { commands: CommandPolicy { waits_written: wait, ..self.commands }, ..self }
    }

    /// For how long a command is sent again while its result is not certain; 30 seconds unless it
    /// is said here. At most 15 minutes are of use: the realm remembers commands for so long.
    #[must_use]
    pub fn command_patience(self, patience: Duration) -> Self {
        Self { commands: CommandPolicy { patience, ..self.commands }, ..self }
    }

    /// Registers an account and begins its first session.
    ///
    /// # Errors
    /// `request.invalid`, `account.email_invalid`, `account.email_taken`.
    pub async fn register(&self, email: &str, password: &str) -> Result<Session, HavenError> {
        let body = json!({ "email": email, "password": password });
        self.begin("/v1/auth/register", &body).await
    }

    /// Begins a session of an account.
    ///
    /// # Errors
    /// `account.bad_credentials`, `account.banned`.
    pub async fn login(&self, email: &str, password: &str) -> Result<Session, HavenError> {
        let body = json!({ "email": email, "password": password });
        self.begin("/v1/auth/login", &body).await
    }

    /// Goes on with a session whose refresh token was kept. The token is spent by this.
    ///
    /// # Errors
    /// `session.refresh_reused`, `session.unknown`.
    pub async fn resume(&self, refresh_token: &str) -> Result<Session, HavenError> {
        self.begin("/v1/auth/refresh", &json!({ "refresh_token": refresh_token })).await
    }

    /// The realms there are.
    pub async fn realms(&self) -> Result<Vec<Realm>, HavenError> {
        let list: RealmList = self.http.send(&Call::new(Method::GET, "/v1/realms")).await?;
        Ok(list.realms)
    }

    async fn begin(&self, path: &str, body: &Value) -> Result<Session, HavenError> {
        let grant = self.http.send(&Call::new(Method::POST, path).body(body).once()).await?;
        Ok(Session::new(self.http.clone(), grant, self.commands))
    }
}

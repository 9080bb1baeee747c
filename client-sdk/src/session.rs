//! A login: the account's characters, and the way into realms.
//!
//! Keeps true: the access token is refreshed before it expires, and once when the gateway refuses
//! it; a refusal after that is the caller's. A command is sent again under its number while its
//! result is not certain.

use crate::commands::{CommandPolicy, Numbers, key_of};
use crate::error::HavenError;
use crate::http::{Call, Http};
use crate::realm::RealmClient;
use crate::retry::Backoff;
use crate::tokens::Tokens;
use crate::wire::{
    Admission, Character, CharacterCreation, CharacterList, Grant, Realm, RealmList,
};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;

/// A session of an account. Clones are the same session.
#[derive(Clone)]
pub struct Session {
    http: Http,
    account_id: u64,
    tokens: Tokens,
    numbers: Arc<Numbers>,
    commands: CommandPolicy,
}

impl Session {
    pub(crate) fn new(http: Http, grant: Grant, commands: CommandPolicy) -> Self {
        let account_id = grant.account_id;
        let (tokens, numbers) = (Tokens::new(http.clone(), grant), Arc::new(Numbers::new()));
        Self { http, account_id, tokens, numbers, commands }
    }

    /// How its commands are sent.
    pub(crate) fn command_policy(&self) -> CommandPolicy {
        self.commands
    }

    /// Where its commands have their numbers from.
    pub(crate) fn numbers(&self) -> &Arc<Numbers> {
        &self.numbers
    }

    /// Through what realms' hosts are asked whether commands are written; none when they are not
    /// asked.
    pub(crate) fn http_to_ask(&self) -> Option<reqwest::Client> {
        self.commands.waits_written.then(|| self.http.client())
    }

    /// The account's number.
    pub fn account_id(&self) -> u64 {
        self.account_id
    }

    /// The refresh token that is good now, for [`Haven::resume`](crate::Haven::resume) at the next
    /// start. A secret: whoever has it is the account. It changes at each refresh.
    pub async fn refresh_token(&self) -> String {
        self.tokens.refresh_token().await
    }

    /// Ends the session, everywhere.
    pub async fn logout(&self) -> Result<(), HavenError> {
        self.send(|| Call::new(Method::POST, "/v1/auth/logout")).await
    }

    /// Changes the account's password; its other sessions end.
    ///
    /// # Errors
    /// `request.invalid` for a new password that is too short or too long,
    /// `account.bad_credentials` when `current` is wrong.
    pub async fn change_password(&self, current: &str, new: &str) -> Result<(), HavenError> {
        let body = json!({ "current_password": current, "new_password": new });
        self.send(|| Call::new(Method::POST, "/v1/auth/password").body(&body)).await
    }

    /// The realms there are.
    pub async fn realms(&self) -> Result<Vec<Realm>, HavenError> {
        let list: RealmList = self.http.send(&Call::new(Method::GET, "/v1/realms")).await?;
        Ok(list.realms)
    }

    /// The account's characters, deleted ones included while they can be restored.
    pub async fn characters(&self) -> Result<Vec<Character>, HavenError> {
        let list: CharacterList = self.send(|| Call::new(Method::GET, "/v1/characters")).await?;
        Ok(list.characters)
    }

    /// Makes a character, in the first realm of the list unless one is given. A command: done once
    /// even if connections break or the realm starts anew, and answered when it is on the realm's
    /// disk. It is sent again while its result is not certain, for 30 seconds unless
    /// [`Haven::command_patience`](crate::Haven::command_patience) says otherwise.
    ///
    /// # Errors
    /// The name's (`character.name_…`), `character.race_unknown`, `character.class_unknown`,
    /// `character.name_taken`, `character.too_many`, `command.…`; after `client.unreachable` and
    /// `gateway.…` it may have been made.
    pub async fn create_character(
        &self,
        realm_id: Option<u16>,
        name: &str,
        race: &str,
        class: &str,
    ) -> Result<Character, HavenError> {
        let body = CharacterCreation { realm_id, name, race, class };
        let call = || Call::new(Method::POST, "/v1/characters").body(&body).once();
        if !self.commands.waits_written {
            return self.send(call).await;
        }
        let key = key_of(&self.numbers.next());
        self.until_certain(|| call().key(&key)).await
    }

    /// Deletes a character that is not in the world; it can be restored for 30 days.
    pub async fn delete_character(&self, character_id: u64) -> Result<(), HavenError> {
        let path = format!("/v1/characters/{character_id}");
        self.send(|| Call::new(Method::DELETE, &path)).await
    }

    /// Restores a deleted character.
    pub async fn restore_character(&self, character_id: u64) -> Result<Character, HavenError> {
        let path = format!("/v1/characters/{character_id}/restore");
        self.send(|| Call::new(Method::POST, &path)).await
    }

    /// Asks to be let into a realm, or to stay: a token and an admission, without connecting.
    ///
    /// # Errors
    /// `realm.unknown`, `realm.closed` or `realm.full` (403, 503), `realm.offline` (503).
    pub async fn admission(&self, realm_id: u16) -> Result<Admission, HavenError> {
        let path = format!("/v1/realms/{realm_id}/enter");
        self.send(|| Call::new(Method::POST, &path)).await
    }

    /// Enters a realm and connects to it. No character is in the world yet.
    ///
    /// # Errors
    /// Those of [`Self::admission`]; `client.unreachable` when the realm's host does not let the
    /// connection in.
    pub async fn enter(&self, realm_id: u16) -> Result<RealmClient, HavenError> {
        RealmClient::connect(self.clone(), realm_id).await
    }

    /// Sends a command until its result is certain, or its time is over.
    async fn until_certain<'a, T: DeserializeOwned>(
        &self,
        call: impl Fn() -> Call<'a>,
    ) -> Result<T, HavenError> {
        let give_up_at = Instant::now() + self.commands.patience;
        let (mut backoff, mut is_doubtful) = (Backoff::default(), false);
        loop {
            let error = match self.send(&call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            is_doubtful |= error.leaves_doubt();
            let wait = backoff.next_wait(rand::random());
            let again = is_doubtful && error.may_pass() && Instant::now() + wait < give_up_at;
            if !again {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn send<'a, T: DeserializeOwned>(
        &self,
        call: impl Fn() -> Call<'a>,
    ) -> Result<T, HavenError> {
        let (token, generation) = self.tokens.access().await?;
        match self.http.send(&with_token(call(), &token)).await {
            Err(error) if refuses_token(&error) => {
                let (token, _) = self.tokens.access_after(generation).await?;
                self.http.send(&with_token(call(), &token)).await
            }
            result => result,
        }
    }
}

/// Narrows a call's lifetime to its token's.
fn with_token<'b, 'a: 'b>(call: Call<'a>, token: &'b str) -> Call<'b> {
    call.token(token)
}

/// Whether a fresh access token may help: a wrong password is a 401 too.
fn refuses_token(error: &HavenError) -> bool {
    error.ends_session() && error.code().starts_with("token.")
}

#[cfg(test)]
mod tests;

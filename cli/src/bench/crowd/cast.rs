//! Who plays: an admission, a character and a token for each client, without anybody logging in.
//!
//! Keeps true: what a client holds is what the gateway would have given it; only the way there is
//! shorter. Passwords are another benchmark's matter.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use haven_gateway::stdb::reducers::{Grant, admission_grant, character_create};
use haven_gateway::stdb::rows::Character;
use haven_gateway::stdb::{Filter, Link};
use haven_gateway::tokens::{Bearer, account_identity, realm_token};
use haven_rules::accounts::Role;
use haven_rules::characters::{CLASSES, RACES};

use crate::bench::server::Target;
use crate::setup::refused;

/// Calls under way at once.
const AT_ONCE: usize = 128;
/// How long admissions and tokens last: longer than any point, and the longest there is.
const LIFETIME_SECONDS: u32 = 3_600;
/// Syllables of a name; 40 different ones stand at each place.
const SYLLABLES: u32 = 4;

/// A client's papers.
#[derive(Clone, Debug)]
pub(in crate::bench) struct Actor {
    /// The character, and the entity it is in the world.
    pub(in crate::bench) character_id: u64,
    /// The token for the realm's socket.
    pub(in crate::bench) token: String,
}

/// Makes that many.
pub(in crate::bench) async fn cast(
    target: &Target,
    owner: &Link,
    count: u32,
) -> anyhow::Result<Vec<Actor>> {
    let Target { issuer, database, keys, .. } = target;
    let admitted = stream::iter(0..count).map(|number| admit(owner, issuer, number));
    admitted.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    let characters: Vec<Character> = owner.query(Filter::all()).await?;
    let mut characters: HashMap<u64, u64> =
        characters.iter().map(|row| (row.account_id, row.character_id)).collect();
    let lifetime = Duration::from_secs(LIFETIME_SECONDS.into());
    let actor = |number| {
        let account_id = account_of(number);
        let character_id = characters.remove(&account_id).context("a character is missing")?;
        let bearer = Bearer { account_id, session_id: account_id, role: Role::Player.name() };
        let token = realm_token(keys, issuer, database, bearer, lifetime)?;
        Ok(Actor { character_id, token })
    };
    (0..count).map(actor).collect()
}

async fn admit(owner: &Link, issuer: &str, number: u32) -> anyhow::Result<()> {
    let account_id = account_of(number);
    let grant = Grant {
        identity: account_identity(issuer, account_id),
        account_id,
        session_id: account_id,
        role: Role::Player.code(),
        issued_at_micros: now_micros()?,
        lifetime_seconds: LIFETIME_SECONDS,
    };
    let granted = admission_grant(owner, &grant).await;
    granted.map_err(|error| refused("admission_grant", &error))?;
    let created = character_create(owner, account_id, &name(number), RACES[0], CLASSES[0]).await;
    created.map_err(|error| refused("character_create", &error))
}

pub(in crate::bench) fn account_of(number: u32) -> u64 {
    u64::from(number) + 1
}

/// A name that looks like nobody else's.
pub(in crate::bench) fn name(number: u32) -> String {
    const CONSONANTS: [&str; 10] = ["b", "d", "f", "g", "h", "k", "p", "s", "t", "z"];
    const VOWELS: [&str; 4] = ["a", "e", "u", "y"];
    let syllable = |place| {
        let digit = number / 40_u32.pow(place) % 40;
        [CONSONANTS[digit as usize / 4], VOWELS[digit as usize % 4]].concat()
    };
    (0..SYLLABLES).map(syllable).collect()
}

fn now_micros() -> anyhow::Result<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let micros = i64::try_from(since.as_micros())?;
    ensure!(micros > 0, "the clock stands at 1970");
    Ok(micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_may_be_given_and_look_like_nobody_elses() {
        let skeleton = |number| {
            haven_rules::characters::validate_name(&name(number)).expect("a good name").skeleton
        };
        let skeletons: HashSet<String> = (0..5_000).map(skeleton).collect();
        assert_eq!(skeletons.len(), 5_000);
    }
}

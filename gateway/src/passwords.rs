//! Password hashes: argon2id on a bounded pool of blocking threads.
//!
//! Keeps true: no more than the configured number of hashes are computed at once, a bounded number
//! of requests wait for one, and a login to an unknown address costs what a known one costs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use prometheus::{Histogram, IntGauge};
use tokio::sync::Semaphore;

use crate::{
    config::Argon2Config,
    error::GatewayError,
    metrics::Metrics,
    problem::{Problem, Refusal},
};

/// The pool.
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    /// What a login to an unknown address is compared with.
    dummy_phc: String,
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue_max: usize,
    waiting_gauge: IntGauge,
    seconds: Histogram,
}

/// One place in the waiting queue.
struct Waiting<'a>(&'a Passwords);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        self.0.waiting_gauge.dec();
    }
}

impl Passwords {
    /// # Errors
    /// [`GatewayError::Config`] for parameters that argon2 does not accept together.
    pub(crate) fn new(config: &Argon2Config, metrics: &Metrics) -> Result<Self, GatewayError> {
        let refuse = |reason: String| GatewayError::Config { field: "argon2", reason };
        let params = Params::new(config.memory_kib, config.iterations, config.parallelism, None)
            .map_err(|error| refuse(error.to_string()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let dummy_phc = hash(&argon2, &hex::encode(rand::random::<[u8; 16]>())).map_err(refuse)?;
        Ok(Self {
            argon2,
            dummy_phc,
            running: Arc::new(Semaphore::new(config.concurrent)),
            waiting: AtomicUsize::new(0),
            queue_max: config.queue + config.concurrent,
            waiting_gauge: metrics.hashing_waiting.clone(),
            seconds: metrics.hashing_seconds.clone(),
        })
    }

    /// Hashes a password. The result is a PHC string.
    ///
    /// # Errors
    /// `gateway.busy` when the queue is full.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Problem> {
        let argon2 = self.argon2.clone();
        self.compute(move || hash(&argon2, &password)).await?.map_err(Problem::internal)
    }

    /// Whether the password is the one that was hashed. Without a hash it never is, after the
    /// same work.
    ///
    /// # Errors
    /// `gateway.busy` when the queue is full.
    pub(crate) async fn verify(
        &self,
        password: String,
        phc: Option<&str>,
    ) -> Result<bool, Problem> {
        let known = phc.is_some();
        let phc = phc.unwrap_or(&self.dummy_phc).to_owned();
        let argon2 = self.argon2.clone();
        let matches = self.compute(move || verify(&argon2, &password, &phc)).await?;
        Ok(known && matches)
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let waiting = Waiting(self);
        self.waiting_gauge.inc();
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.queue_max {
            return Err(Refusal::Busy.into());
        }
        let permit = Arc::clone(&self.running).acquire_owned().await;
        let permit = permit.map_err(Problem::internal)?;
        let began = Instant::now();
        // The permit goes along: who gives up waiting does not free the core he still uses.
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        let result = done.await.map_err(Problem::internal);
        self.seconds.observe(began.elapsed().as_secs_f64());
        drop(waiting);
        result
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<String, String> {
    let hashed = argon2.hash_password(password.as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(|error| error.to_string())
}

fn verify(argon2: &Argon2<'_>, password: &str, phc: &str) -> bool {
    // The parameters of the stored hash count, not ours: they may have changed since.
    let Ok(parsed) = PasswordHash::new(phc) else {
        tracing::error!("a stored password hash cannot be read");
        return false;
    };
    argon2.verify_password(password.as_bytes(), &parsed).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords(concurrent: usize, queue: usize) -> Passwords {
        let config =
            Argon2Config { memory_kib: 8_192, iterations: 1, parallelism: 1, concurrent, queue };
        Passwords::new(&config, &Metrics::new()).expect("a pool")
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let passwords = passwords(1, 8);
        let phc = passwords.hash("correct horse".to_owned()).await.expect("a hash");
        assert!(haven_rules::accounts::validate_password_phc(&phc).is_ok(), "{phc}");
        let verify = |password: &str, phc| passwords.verify(password.to_owned(), phc);
        assert!(verify("correct horse", Some(phc.as_str())).await.expect("an answer"));
        assert!(!verify("correct horsf", Some(phc.as_str())).await.expect("an answer"));
        assert!(!verify("correct horse", Some("not a hash")).await.expect("an answer"));
        assert!(!verify("correct horse", None).await.expect("an answer"));
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_is_refused() {
        let passwords = passwords(1, 1);
        let hashes = (0..8).map(|number| passwords.hash(format!("password {number}")));
        let results = futures_util::future::join_all(hashes).await;
        let refused = results.iter().filter(|result| result.is_err()).count();
        assert_eq!(refused, 6, "one runs, one waits");
        assert!(passwords.hash("password".to_owned()).await.is_ok(), "places are given back");
    }
}

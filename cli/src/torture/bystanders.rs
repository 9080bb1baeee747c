//! Two players who stand by: one moves, the other one sees it, and how long that takes.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use haven_client_sdk::{Event, Events, Haven, RealmClient, Session};
use tokio::time::{Instant, timeout};

use super::site::Reach;
use crate::bots::latency::Latencies;

/// How long a step may take to be seen before it counts as lost.
const SEEN_TIMEOUT: Duration = Duration::from_secs(20);
/// The same where steps are tried again.
const AGAIN_EVERY: Duration = Duration::from_secs(2);
/// From one step to the next.
const STEP_EVERY: Duration = Duration::from_millis(50);

/// One of them.
struct Bystander {
    session: Session,
    character_id: u64,
    realm: RealmClient,
}

impl Bystander {
    async fn come(haven: &Haven, name: &str) -> anyhow::Result<Self> {
        let email = format!("{}@bystanders.example", name.to_lowercase());
        let session = haven.register(&email, "they only watch").await?;
        let hero = session.create_character(None, name, "human", "fighter").await?;
        let realm = session.enter(1).await?;
        realm.enter_world(hero.character_id).await?;
        Ok(Self { session, character_id: hero.character_id, realm })
    }

    /// Enters the realm and the world once more.
    async fn come_anew(&mut self) -> anyhow::Result<()> {
        self.realm.disconnect().await;
        self.realm = self.session.enter(1).await?;
        self.realm.enter_world(self.character_id).await?;
        Ok(())
    }
}

/// Both of them.
pub(super) struct Bystanders {
    actor: Bystander,
    observer: Bystander,
    events: Events,
    steps: u32,
    /// The last course that was seen.
    course: u32,
}

impl Bystanders {
    /// They come into the world.
    pub(super) async fn come(reach: &Reach) -> anyhow::Result<Self> {
        let haven = reach.haven()?;
        let actor = Bystander::come(&haven, "Aldric").await?;
        let observer = Bystander::come(&haven, "Berenike").await?;
        let events = observer.realm.events();
        Ok(Self { actor, observer, events, steps: 0, course: 0 })
    }

    /// One step; how long it took to be seen.
    pub(super) async fn step(&mut self) -> anyhow::Result<Duration> {
        self.step_within(SEEN_TIMEOUT).await
    }

    async fn step_within(&mut self, patience: Duration) -> anyhow::Result<Duration> {
        self.steps += 1;
        let dx = if self.steps.is_multiple_of(2) { 1 } else { -1 };
        let sent_at = Instant::now();
        // The number it foretells is not used: the observer may see a step before its actor does,
        // who then foretells the same number for the next.
        self.actor.realm.steer(dx, 0, false)?;
        let seen = timeout(patience, self.sees_another()).await;
        let seen_at = seen.with_context(|| format!("a step is not seen in {patience:?}"))??;
        Ok(Instant::from_std(seen_at).saturating_duration_since(sent_at))
    }

    /// Steps until one is seen, though connections may break meanwhile.
    pub(super) async fn step_again(&mut self, patience: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + patience;
        loop {
            let Err(error) = self.step_within(AGAIN_EVERY).await else { return Ok(()) };
            if Instant::now() > until {
                return Err(error.context(format!("no step is seen for {patience:?}")));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The same where they may have been sent out of the world, as when their admission has ended:
    /// whoever was comes anew.
    pub(super) async fn step_anew(&mut self, patience: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + patience;
        while let Err(error) = self.step_again(AGAIN_EVERY).await {
            if Instant::now() > until {
                return Err(error.context(format!("no step is seen for {patience:?}")));
            }
            for bystander in [&mut self.actor, &mut self.observer] {
                if bystander.realm.me().is_none() {
                    bystander.come_anew().await?;
                }
            }
            self.events = self.observer.realm.events();
        }
        Ok(())
    }

    /// Steps until something else is done, and what came of that.
    pub(super) async fn step_during<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> anyhow::Result<(T, Latencies)> {
        let mut latencies = Latencies::default();
        let mut work = std::pin::pin!(work);
        let mut steps = tokio::time::interval(STEP_EVERY);
        steps.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                done = &mut work => return Ok((done, latencies)),
                // A step that is under way is seen before the work is looked at again.
                _ = steps.tick() => latencies.add(self.step().await?),
            }
        }
    }

    /// They go.
    pub(super) async fn go(self) -> anyhow::Result<()> {
        ensure!(
            self.actor.realm.is_connected() && self.observer.realm.is_connected(),
            "a bystander was dropped"
        );
        self.actor.realm.disconnect().await;
        self.observer.realm.disconnect().await;
        Ok(())
    }

    /// Waits until the observer sees another course than the last.
    async fn sees_another(&mut self) -> anyhow::Result<std::time::Instant> {
        while let Some(event) = self.events.next_event().await {
            match event {
                Event::Moved { seen, at, .. }
                    if seen.entity_id == self.actor.character_id
                        && seen.course_number != self.course =>
                {
                    self.course = seen.course_number;
                    return Ok(at);
                }
                Event::Disconnected { reason, .. } => bail!("a bystander was dropped: {reason}"),
                _ => {}
            }
        }
        bail!("a bystander's connection was closed")
    }
}

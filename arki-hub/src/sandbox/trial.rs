//! One trial: two containers side by side, the verdict, and nothing left behind.

use super::configuration::Configuration;
use super::container::{Container, Purpose};
use super::copy::{Side, Turn, Worker};
use super::engine::{Engine, EngineError};
use super::judge;
use super::profile::{Action, Profile};
use super::result::{Copy, TrialResult};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// What is tried, and how.
#[derive(Debug, Clone)]
pub struct Trial<'a> {
    /// The service.
    pub profile: &'a Profile,
    /// The action.
    pub action: &'a Action,
    /// The image, by ID.
    pub image: &'a str,
    /// The configuration of both copies.
    pub configuration: &'a Configuration,
    /// The run, in hexadecimal digits.
    pub run: &'a str,
    /// The number of the claim.
    pub attempt: i64,
    /// For all of it.
    pub time: Duration,
    /// When it begins, in Unix seconds.
    pub now_s: i64,
}

/// What a trial found, with its rank.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The result.
    pub result: TrialResult,
    /// Ranks the trials of one prediction.
    pub score: f64,
}

impl Trial<'_> {
    /// Carries it out. However it ends, also where this future is dropped by a time-out of its own, both containers are
    /// removed by id from outside.
    pub async fn carry_out(&self, engine: &Engine) -> Result<Found, EngineError> {
        let begun = Instant::now();
        let places = self.configuration.places(&self.profile.tmpfs);
        let (archive, left_out) = self.configuration.archive(&places, &self.profile.tmpfs);
        let archive = (!self.configuration.entries.is_empty()).then_some(archive);
        let hosts = self.configuration.hosts();
        let purpose = |role| Purpose {
            profile: self.profile,
            image: self.image,
            places: &places,
            hosts: &hosts,
            run: self.run,
            attempt: self.attempt,
            role,
            now_s: self.now_s,
            time: self.time,
        };
        let (tell, told) = watch::channel(Turn::Waits);
        let left = |begun: Instant| self.time.saturating_sub(begun.elapsed());
        let tried = async {
            let purpose = purpose("tried");
            self.one(
                engine,
                &purpose,
                archive.clone(),
                Side::Tried(tell),
                left(begun),
            )
            .await
        };
        let control = async {
            // where no service runs there is nothing to compare with
            if !self.action.needs_service {
                return Ok(Copy::default());
            }
            let purpose = purpose("control");
            self.one(
                engine,
                &purpose,
                archive.clone(),
                Side::Control(told),
                left(begun),
            )
            .await
        };
        let (tried, control) = tokio::join!(tried, control);
        let (tried, control) = (tried?, control?);
        let verdict = judge::judge(self.profile, self.action, &tried, &control);
        let score = judge::score(&verdict, self.action, &tried, &control);
        let result = TrialResult {
            outcome: verdict.outcome,
            summary: verdict.summary,
            fidelity: verdict.fidelity,
            proves: proven(verdict.outcome, self.action),
            does_not_prove: self.unproven(),
            undo: self.action.undo.clone(),
            argv: self.action.argv.clone(),
            applicable: self.action.applicable,
            image: self.image.to_owned(),
            configuration: self.configuration.shown(left_out),
            tried,
            control,
            duration_ms: begun.elapsed().as_millis() as u64,
        };
        Ok(Found { result, score })
    }

    async fn one(
        &self,
        engine: &Engine,
        purpose: &Purpose<'_>,
        archive: Option<bytes::Bytes>,
        side: Side,
        time: Duration,
    ) -> Result<Copy, EngineError> {
        let container = Container::start(engine, purpose).await?;
        let mut worker = Worker::new(&container, self.profile, self.action, archive);
        let worked = timeout(time, worker.work(side)).await;
        if let Ok(Err(error)) = worked {
            return Err(error);
        }
        let mut copy = worker.finish().await;
        if worked.is_err() {
            copy.stopped = Some(format!("its {} s were over", self.time.as_secs()));
        }
        Ok(copy)
    }

    fn unproven(&self) -> Vec<String> {
        let mut all = self.action.does_not_prove.clone();
        all.push(
            "what depends on this host's traffic, data and kernel: the copy has none of them"
                .into(),
        );
        if self.configuration.source == "image" {
            let reason = &self.configuration.reason;
            let why = if reason.is_empty() {
                String::new()
            } else {
                format!(", because {reason}")
            };
            all.push(format!(
                "anything about this host's own configuration: the image's was used{why}"
            ));
        }
        all
    }
}

fn proven(outcome: super::result::Outcome, action: &Action) -> Vec<String> {
    match outcome {
        super::result::Outcome::Succeeded => action.proves.clone(),
        super::result::Outcome::Failed => Vec::new(),
    }
}

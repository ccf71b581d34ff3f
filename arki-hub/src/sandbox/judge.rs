//! What a trial proves: from what happened to both copies to one verdict in plain words.

use super::profile::{Action, Change, Expect, Profile};
use super::result::{Copy, Fidelity, Figure, Outcome, Phase};

/// The verdict.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) fidelity: Fidelity,
    pub(super) summary: String,
}

/// True if every expected effect is seen on `copy`.
pub(super) fn shows(expects: &[Expect], copy: &Copy) -> bool {
    expects.iter().all(|expect| shows_one(expect, copy))
}

fn shows_one(expect: &Expect, copy: &Copy) -> bool {
    let measured = copy
        .measures
        .iter()
        .find(|measured| measured.name == expect.measure);
    let Some((Some(before), Some(after))) = measured.map(|m| (&m.before, &m.after)) else {
        return false;
    };
    match (expect.change, before, after) {
        (Change::Differs, before, after) => before != after,
        (Change::Rises, Figure::Number(before), Figure::Number(after)) => after > before,
        (Change::Falls, Figure::Number(before), Figure::Number(after)) => after < before,
        _ => false,
    }
}

/// Judges what happened.
pub(super) fn judge(profile: &Profile, action: &Action, tried: &Copy, control: &Copy) -> Verdict {
    let failed = |summary: String| Verdict {
        outcome: Outcome::Failed,
        fidelity: Fidelity::Nothing,
        summary,
    };
    if let Some(why) = &tried.stopped {
        return failed(format!("The copy had to be stopped: {why}."));
    }
    if action.needs_service && tried.healthy_before != Some(true) {
        let code = exit_of(tried, Phase::Service);
        let ended = code.map_or(String::new(), |code| format!(" It ended with code {code}."));
        return failed(format!(
            "{} does not start with this configuration.{ended}",
            profile.title
        ));
    }
    let code = exit_of(tried, Phase::Action);
    if code != Some(action.exit_code) {
        return failed(match code {
            Some(code) => format!(
                "The action ended with code {code}, not {}.",
                action.exit_code
            ),
            None => "The action did not end.".into(),
        });
    }
    if tried.out_of_memory {
        return failed(
            "The action needed more memory than the copy has: the kernel killed a process.".into(),
        );
    }
    if !action.needs_service {
        return Verdict {
            outcome: Outcome::Succeeded,
            fidelity: Fidelity::Syntax,
            summary: format!("{} accepts it. No service ran.", profile.title),
        };
    }
    if tried.healthy_after != Some(true) {
        return failed(format!(
            "{} was not healthy any more after it.",
            profile.title
        ));
    }
    effect(profile, action, tried, control)
}

/// The verdict about an action that the service accepted.
fn effect(profile: &Profile, action: &Action, tried: &Copy, control: &Copy) -> Verdict {
    let verdict = |outcome, fidelity, what: &str| Verdict {
        outcome,
        fidelity,
        summary: format!("{} accepted it{what}.", profile.title),
    };
    if !shows(&action.expects, tried) {
        let what = ", but the expected effect was not seen";
        return verdict(Outcome::Failed, Fidelity::Accepted, what);
    }
    let accepted = |what| verdict(Outcome::Succeeded, Fidelity::Accepted, what);
    if action.expects.is_empty() {
        return accepted(" and stayed healthy");
    }
    if control.healthy_after != Some(true) {
        return accepted(
            " and stayed healthy, but the control copy did not: the effect cannot be told apart",
        );
    }
    if shows(&action.expects, control) {
        return accepted(
            " and stayed healthy, but the control copy shows the same effect: it is not the action's",
        );
    }
    let what =
        " and stayed healthy; the effect was measured, and the control copy does not show it";
    verdict(Outcome::Succeeded, Fidelity::Effect, what)
}

/// Ranks trials of one prediction: what is proven first, then how much of the memory or of an expected measure it
/// changes compared with the control copy, as a share below 1.
pub(super) fn score(verdict: &Verdict, action: &Action, tried: &Copy, control: &Copy) -> f64 {
    if verdict.outcome == Outcome::Failed {
        return 0.0;
    }
    let proven = match verdict.fidelity {
        Fidelity::Nothing => 0.0,
        Fidelity::Syntax => 1.0,
        Fidelity::Accepted => 2.0,
        Fidelity::Effect => 3.0,
    };
    let memory = match (control.memory_bytes_after, tried.memory_bytes_after) {
        (Some(control), Some(tried)) if control > 0 => 1.0 - tried as f64 / control as f64,
        _ => 0.0,
    };
    let expected = action.expects.iter().filter_map(|expect| {
        let find = |copy: &Copy| {
            copy.measures
                .iter()
                .find(|m| m.name == expect.measure)
                .cloned()
        };
        let (tried, control) = (find(tried)?, find(control));
        let Some(Figure::Number(before)) = tried.before else {
            return None;
        };
        let other = control.and_then(|control| control.moved()).unwrap_or(0.0);
        Some((tried.moved()? - other).abs() / before.abs().max(1.0))
    });
    let effect = expected.fold(memory.max(0.0), f64::max);
    proven + effect.min(0.99)
}

/// The exit code of the last step of a phase.
fn exit_of(copy: &Copy, phase: Phase) -> Option<i64> {
    let last = copy.steps.iter().rev().find(|step| step.phase == phase);
    last.and_then(|step| step.exit_code)
}

#[cfg(test)]
mod tests {
    use super::super::profile::Kind;
    use super::super::profiles::Profiles;
    use super::super::result::{Measured, Step};
    use super::*;

    fn copy(workers: [&str; 2]) -> Copy {
        let text = |text: &str| Some(Figure::Text(text.into()));
        Copy {
            steps: vec![Step {
                phase: Phase::Action,
                argv: vec!["x".into()],
                exit_code: Some(0),
                output: String::new(),
                truncated: false,
                duration_ms: 1,
            }],
            measures: vec![Measured {
                name: "workers".into(),
                title: "Workers".into(),
                kind: Kind::Text,
                unit: String::new(),
                before: text(workers[0]),
                after: text(workers[1]),
            }],
            healthy_before: Some(true),
            healthy_after: Some(true),
            ..Copy::default()
        }
    }

    #[test]
    fn a_verdict_says_no_more_than_what_was_seen() {
        let all = Profiles::load(std::path::Path::new("")).unwrap();
        let nginx = all.get("nginx").unwrap();
        let reload = nginx.action("reload").unwrap();
        let (new, same) = (copy(["7", "9"]), copy(["7", "7"]));
        let judged = |tried: &Copy, control: &Copy| {
            let verdict = judge(nginx, reload, tried, control);
            (verdict.outcome, verdict.fidelity)
        };
        assert_eq!(judged(&new, &same), (Outcome::Succeeded, Fidelity::Effect));
        assert_eq!(judged(&new, &new), (Outcome::Succeeded, Fidelity::Accepted));
        assert_eq!(judged(&same, &same), (Outcome::Failed, Fidelity::Accepted));
        let sick = Copy {
            healthy_after: Some(false),
            ..new.clone()
        };
        assert_eq!(judged(&sick, &same), (Outcome::Failed, Fidelity::Nothing));
        let never = Copy {
            healthy_before: Some(false),
            ..new.clone()
        };
        assert_eq!(judged(&never, &same), (Outcome::Failed, Fidelity::Nothing));
        let mut wrong = new.clone();
        wrong.steps[0].exit_code = Some(1);
        assert_eq!(judged(&wrong, &same), (Outcome::Failed, Fidelity::Nothing));
        let stopped = Copy {
            stopped: Some("it wrote without end".into()),
            ..new.clone()
        };
        assert_eq!(
            judged(&stopped, &same),
            (Outcome::Failed, Fidelity::Nothing)
        );

        let test = nginx.action("test").unwrap();
        assert_eq!(
            judge(nginx, test, &same, &Copy::default()).fidelity,
            Fidelity::Syntax
        );
        let ranked = |tried: &Copy, control: &Copy| {
            score(
                &judge(nginx, reload, tried, control),
                reload,
                tried,
                control,
            )
        };
        let less = Copy {
            memory_bytes_after: Some(50),
            ..new.clone()
        };
        let more = Copy {
            memory_bytes_after: Some(100),
            ..same.clone()
        };
        assert!(ranked(&less, &more) > ranked(&new, &same));
        assert!(ranked(&new, &same) > ranked(&new, &new) && ranked(&sick, &same) == 0.0);
    }
}

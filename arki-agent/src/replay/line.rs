//! One prediction as a line of JSON: what `replay` writes and the benchmark reads.

use arki_model::prediction::{Prediction, Severity};
use arki_model::vote::{Vote, Voter};
use serde::Serialize;

/// The keys in the order in which a person reads them.
#[derive(Debug, Serialize)]
struct Line<'a> {
    host: &'a str,
    series: &'a str,
    raised_at: i64,
    eta_seconds: Option<i64>,
    eta_low: Option<i64>,
    eta_high: Option<i64>,
    voters: Vec<Voter>,
    severity: Severity,
    value: f64,
    bound: Option<f64>,
    votes: &'a [Vote],
    also: &'a [String],
}

/// Adds `prediction` of `host` to `out` as one line.
pub fn write(out: &mut Vec<u8>, host: &str, prediction: &Prediction) -> std::io::Result<()> {
    let whole = |seconds: f64| seconds.round() as i64;
    let eta = prediction.eta;
    let line = Line {
        host,
        series: &prediction.series,
        raised_at: prediction.raised_at,
        eta_seconds: eta.map(|eta| whole(eta.median_s)),
        eta_low: eta.map(|eta| whole(eta.low_s)),
        eta_high: eta.map(|eta| whole(eta.high_s)),
        voters: prediction.voters().collect(),
        severity: prediction.severity,
        value: prediction.value,
        bound: prediction.bound,
        votes: &prediction.votes,
        also: &prediction.also,
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arki_model::prediction::Eta;
    use arki_model::vote::Verdict;

    #[test]
    fn the_keys_are_those_of_the_design() {
        let mut prediction = Prediction {
            series: "disk.used_percent{/var}".into(),
            raised_at: 1_704_748_560,
            value: 81.25,
            bound: Some(100.0),
            eta: Some(Eta {
                low_s: 3600.4,
                median_s: 4200.0,
                high_s: 5100.0,
            }),
            severity: Severity::Critical,
            votes: vec![
                Vote::new(Voter::Trend, Verdict::Yes, "rises \"fast\"").with("rate", 3.5),
                Vote::new(Voter::Pattern, Verdict::No, "usual"),
            ],
            also: vec!["load.per_core".into()],
        };
        let mut out = Vec::new();
        write(&mut out, "web-1", &prediction).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            concat!(
                r#"{"host":"web-1","series":"disk.used_percent{/var}","raised_at":1704748560,"#,
                r#""eta_seconds":4200,"eta_low":3600,"eta_high":5100,"voters":["trend"],"#,
                r#""severity":"critical","value":81.25,"bound":100.0,"votes":["#,
                r#"{"voter":"trend","verdict":"yes","reason":"rises \"fast\"","#,
                r#""figures":[{"name":"rate","value":3.5}],"related":[]},"#,
                r#"{"voter":"pattern","verdict":"no","reason":"usual","figures":[],"related":[]}],"#,
                r#""also":["load.per_core"]}"#,
                "\n"
            )
        );
        prediction.eta = None;
        let mut out = Vec::new();
        write(&mut out, "web-1", &prediction).unwrap();
        let line: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert!(line["eta_seconds"].is_null() && line["eta_low"].is_null());
    }
}

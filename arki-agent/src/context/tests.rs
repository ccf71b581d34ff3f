//! The three sources together.

use super::*;
use jiff::tz::TimeZone;
use std::time::Duration;

#[test]
fn a_pass_gives_what_every_source_knows() {
    let root = tempfile::tempdir().unwrap();
    let job = root.path().join("proc/7");
    std::fs::create_dir_all(&job).unwrap();
    std::fs::write(root.path().join("proc/uptime"), "100.0 1.0\n").unwrap();
    let stat = "7 (rsync) R 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5000 0\n";
    std::fs::write(job.join("stat"), stat).unwrap();
    let declared = ContextSettings {
        name: "night".to_owned(),
        days: Vec::new(),
        from: None,
        to: None,
        series: Vec::new(),
    };
    let calendar = Calendar::new(&[declared], TimeZone::UTC).unwrap();
    let mut contexts = Contexts::new(calendar, Announced::default());
    let now_s = 1_700_000_000;
    contexts
        .announced_mut()
        .begin("deploy", 600, &[], now_s)
        .unwrap();
    let host = Roots {
        proc: root.path().join("proc"),
        sys: root.path().join("sys"),
        root: root.path().to_owned(),
    };
    let at = |seconds: u64| Moment {
        now_s: now_s + seconds as i64,
        monotonic: Duration::from_secs(seconds),
    };
    let names = |active: &[ActiveContext]| -> Vec<String> {
        active.iter().map(|context| context.name.clone()).collect()
    };
    assert_eq!(
        names(contexts.pass(&host, at(0))),
        ["night", "deploy", "rsync"]
    );
    assert_eq!(contexts.active()[2].since, now_s - 50);
    std::fs::remove_dir_all(job).unwrap();
    assert_eq!(
        names(contexts.pass(&host, at(30))).len(),
        3,
        "looked up once a minute"
    );
    assert_eq!(names(contexts.pass(&host, at(660))), ["night"]);
}

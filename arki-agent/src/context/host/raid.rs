//! Checks and rebuilds of software arrays, from `/proc/mdstat` (md(4)).

use super::Job;
use super::kind::JobKind;
use crate::collect::Roots;
use arki_model::clock::UnixSeconds;
use std::fs::File;
use std::io::Read;

/// The most that is read; an array takes 200 bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// What is believed of `finish=`: it is an estimate, and at the start of a check often days.
const FINISH_MINUTES_MAX: f64 = 7.0 * 24.0 * 60.0;

/// The arrays that are checked or rebuilt.
pub(super) fn look(host: &Roots, now_s: UnixSeconds) -> Vec<Job> {
    let mut text = String::new();
    let read = File::open(host.proc.join("mdstat"))
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text));
    if read.is_err() {
        return Vec::new();
    }
    parse(&text)
        .into_iter()
        .map(|(name, finish_minutes)| Job {
            name,
            kind: JobKind::DiskCheck,
            // The kernel does not say since when; a check may take longer than what is believed of other jobs.
            since: now_s,
            until: finish_minutes.map(|minutes| now_s + (minutes * 60.0) as i64),
        })
        .collect()
}

/// `md0 check` and how many minutes it will take, for every array at work.
///
/// ```text
/// md0 : active raid1 sdb1[1] sda1[0]
///       1046528 blocks super 1.2 [2/2] [UU]
///       [==>..................]  check = 12.6% (132096/1046528) finish=0.3min speed=44032K/sec
/// ```
fn parse(text: &str) -> Vec<(String, Option<f64>)> {
    let mut array = "";
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some((name, _)) = line.split_once(" : ") {
            array = name.trim();
            continue;
        }
        let mut words = line.split_whitespace();
        let Some(action) =
            words.find(|word| ["check", "resync", "recovery", "reshape", "repair"].contains(word))
        else {
            continue;
        };
        // `resync=DELAYED` is one word and not at work.
        if words.next() != Some("=") || array.is_empty() {
            continue;
        }
        let finish = line
            .split_once("finish=")
            .and_then(|(_, rest)| rest.split_once("min"))
            .and_then(|(minutes, _)| minutes.parse::<f64>().ok())
            .filter(|minutes| (0.0..=FINISH_MINUTES_MAX).contains(minutes));
        found.push((format!("{array} {action}"), finish));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn arrays_at_work_are_found() {
        let text = "Personalities : [raid1]\nmd1 : active raid1 sdd1[1] sdc1[0]\n      1046528 blocks [2/2] [UU]\n      \tresync=DELAYED\nmd0 : active raid1 sdb1[1] sda1[0]\n      1046528 blocks super 1.2 [2/2] [UU]\n      [==>....]  check = 12.6% (132096/1046528) finish=10.5min speed=44032K/sec\n\nunused devices: <none>\n";
        assert_eq!(parse(text), [("md0 check".to_owned(), Some(10.5))]);
        assert_eq!(
            parse("md0 : x\n [>] recovery = 1% finish=-1min"),
            [("md0 recovery".to_owned(), None)]
        );
        assert_eq!(parse("unused devices: <none>\n"), []);
    }

    proptest! {
        #[test]
        fn garbage_is_survived(text in "(md0 : |check = |finish=|min|[0-9e.]|\\PC|\n){0,60}") {
            parse(&text);
        }
    }
}

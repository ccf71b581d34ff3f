//! R1: the hub is away for a day while an event of 1 KiB is signed every second and a summary every five minutes.

use super::*;

#[test]
fn a_day_without_the_hub_loses_nothing_and_sends_nothing_twice() {
    // A second is 24 of the day in a usual run; ARKI_DAY_EVENTS=86400 is the whole.
    let events = std::env::var("ARKI_DAY_EVENTS").map_or(3_600, |text| text.parse().unwrap());
    let dir = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap();
    let mut outbox = outbox(dir.path());
    let mut courier = courier();
    let mut hub = Hub::new(key().public());
    let mut random = counter();

    // The clock is a number: the next attempt is when the courier says, the next event a second later.
    let (mut attempt_at, mut attempts) = (Duration::ZERO, 0);
    for second in 0..events {
        append_event(&mut outbox, second + 1);
        if second % 300 == 0 {
            append_summary(&mut outbox, second as i64 / 300);
        }
        if Duration::from_secs(second) >= attempt_at {
            courier
                .next(&mut outbox, second as i64, true)
                .unwrap()
                .unwrap();
            let away = Err("cannot connect".to_owned());
            let Next::Wait(wait, _) = courier.answered(&mut outbox, away, &mut random).unwrap()
            else {
                panic!("it has to wait");
            };
            attempt_at = Duration::from_secs(second) + wait;
            attempts += 1;
        }
    }
    assert!(
        attempts < 10 + events / 140,
        "{attempts} attempts are no back-off"
    );
    let figures = outbox.figures();
    assert_eq!(figures.events_waiting, events);
    assert!(figures.bytes <= figures.bytes_max && figures.events_refused == 0);
    println!(
        "{} events and {} summaries wait in {} bytes",
        figures.events_waiting, figures.summaries_waiting, figures.bytes
    );

    // It comes back, and now and then loses an answer after the commit.
    let mut batches = 0;
    while let Some(body) = courier.next(&mut outbox, 0, true).unwrap() {
        batches += 1;
        hub.loses_answers = u32::from(batches % 7 == 0);
        let answer = hub.post(&body);
        courier.answered(&mut outbox, answer, &mut random).unwrap();
    }
    assert_eq!(hub.events.len() as u64, events, "one row a number");
    let payloads: std::collections::HashSet<&[u8]> = hub
        .events
        .values()
        .map(|signed| signed.payload.as_slice())
        .collect();
    assert_eq!(payloads.len() as u64, events, "each event once");
    assert_eq!(hub.summaries.len() as u64, events.div_ceil(300));
    let figures = outbox.figures();
    assert_eq!(
        (
            figures.events_waiting,
            figures.summaries_waiting,
            figures.bytes
        ),
        (0, 0, 0)
    );
    // 600 s are R1's limit; a batch takes a round trip and a commit, far below 100 ms.
    assert!(batches < 6_000, "{batches} batches");
    println!("drained in {batches} batches, {} bytes", hub.bytes);
}

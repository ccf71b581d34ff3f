//! Seeded crashes: what a kernel or a disk may have left of the files when the power came back.
//!
//! Everything that was synced is there, except where a bit flipped; what was being written may be there in part, as
//! zeros, or whole; a `lane` file may be the one before. A removed file that comes back is not simulated.
//! `ARKI_CRASH_SEEDS=10000` runs the full number.

use super::{drain, open, scratch};
use crate::outbox::{BYTES_MAX, record, segment};
use arki_model::wire::Kind;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

/// `SplitMix64` (Steele et al. 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn bytes(&mut self, longest: usize) -> Vec<u8> {
        let length = self.below(longest);
        (0..length).map(|_| self.next() as u8).collect()
    }
}

fn newest(lane: &Path) -> Option<std::path::PathBuf> {
    let first = *segment::list(lane).unwrap().last()?;
    Some(lane.join(format!("{first:020}.seg")))
}

/// What may stand behind the last whole record.
fn tear(random: &mut Random, lane: &Path, next: u64) {
    let Some(path) = newest(lane) else { return };
    let mut bytes = fs::read(&path).unwrap();
    let record = record::encode(next, next, &random.bytes(3_000));
    match random.below(4) {
        0 => bytes.extend(record.iter().take(random.below(record.len()))),
        1 => bytes.extend(vec![0; random.below(record.len() * 2)]),
        2 => {
            // The header reached the disk, the pages behind it did not.
            let mut torn = record.clone();
            torn[record::HEADER_BYTES..].fill(0);
            bytes.extend(torn.iter().take(random.below(torn.len())));
        }
        _ => {}
    }
    fs::write(&path, bytes).unwrap();
}

/// Flips a bit in one of the segments; returns whether there was one.
fn flip(random: &mut Random, lane: &Path) -> bool {
    let firsts = segment::list(lane).unwrap();
    if firsts.is_empty() {
        return false;
    }
    let first = firsts[random.below(firsts.len())];
    let path = lane.join(format!("{first:020}.seg"));
    let mut bytes = fs::read(&path).unwrap();
    let at = random.below(bytes.len());
    bytes[at] ^= 1 << random.below(8);
    fs::write(&path, bytes).unwrap();
    true
}

/// One life after the other: some records, some acknowledgements, a crash. What was recorded must come out.
fn crash(seed: u64) {
    let mut random = Random(seed);
    let dir = scratch();
    let lane = dir.path().join("events");
    let mut recorded: HashMap<u64, Vec<u8>> = HashMap::new();
    let (mut highest, mut acknowledged) = (0, 0);
    for _ in 0..=random.below(3) {
        let (mut outbox, _) = open(dir.path(), BYTES_MAX);
        for _ in 0..random.below(40) {
            let payload = random.bytes(12_000);
            let number = outbox.append(Kind::Events, highest + 1, &payload).unwrap();
            assert!(number > highest, "seed {seed}: {number} was used before");
            highest = number;
            recorded.insert(number, payload);
        }
        let before = fs::read(lane.join("lane")).unwrap();
        if random.below(2) == 0 {
            let (pending, _) = outbox
                .pending(Kind::Events, 1 + random.below(20), 100_000)
                .unwrap();
            if let Some(pending) = pending {
                acknowledged = pending.last();
                outbox
                    .acknowledge(Kind::Events, pending.epoch, acknowledged)
                    .unwrap();
                // The rename of `lane` was not durable, but then neither was a removal: what is left is sent again.
                if segment::list(&lane).unwrap().len() > 1 && random.below(2) == 0 {
                    fs::write(lane.join("lane"), before).unwrap();
                }
            }
        }
        drop(outbox);
        tear(&mut random, &lane, highest + 1);
    }
    let hit = random.below(3) == 0 && flip(&mut random, &lane);

    let (mut outbox, _) = open(dir.path(), BYTES_MAX);
    let lost_at_start = outbox.figures().records_set_aside;
    let number = outbox.append(Kind::Events, 0, b"after").unwrap();
    assert!(number > highest, "seed {seed}: {number} was used before");
    recorded.insert(number, b"after".to_vec());
    let mut came = HashSet::new();
    for (number, payload) in drain(&mut outbox, Kind::Events) {
        if let Some(was) = recorded.get(&number) {
            assert!(was == &payload, "seed {seed}: record {number} is another");
        }
        assert!(
            came.insert(number),
            "seed {seed}: record {number} came twice"
        );
    }
    let lost = recorded
        .keys()
        .filter(|&&number| number > acknowledged && !came.contains(&number))
        .count() as u64;
    let counted = outbox.figures().records_set_aside;
    if hit {
        // One bit hits one record, or the header of the file, which is none; it may be one that was acknowledged.
        assert!(lost <= 1, "seed {seed}: {lost} records for one bit");
        assert!(lost <= counted, "seed {seed}: a loss that was not counted");
    } else {
        assert_eq!(lost, 0, "seed {seed}: recorded and lost");
    }
    assert!(lost_at_start <= counted);
    assert!(
        open(dir.path(), BYTES_MAX).1.is_empty(),
        "seed {seed}: damage is found once"
    );
}

#[test]
fn no_crash_loses_what_was_recorded() {
    let seeds = std::env::var("ARKI_CRASH_SEEDS").map_or(200, |text| text.parse().unwrap());
    for seed in 0..seeds {
        crash(seed);
    }
}

#[test]
fn every_bit_of_a_segment_may_flip() {
    let dir = scratch();
    let lane = dir.path().join("events");
    let payloads: Vec<Vec<u8>> = (1..6).map(|n| vec![n; 20]).collect();
    let (mut outbox, _) = open(dir.path(), BYTES_MAX);
    for payload in &payloads {
        outbox.append(Kind::Events, 1, payload).unwrap();
    }
    let path = newest(&lane).unwrap();
    let good = fs::read(&path).unwrap();
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let scan = record::scan(&bad, segment::HEADER_BYTES);
        let at = bit / 8;
        let expected = payloads.len() - usize::from(at >= segment::HEADER_BYTES);
        assert_eq!(scan.found.len(), expected, "bit {bit}");
        let seen = scan.damaged + u64::from(scan.torn_at.is_some());
        assert_eq!(seen, u64::from(at >= segment::HEADER_BYTES), "bit {bit}");
    }
}

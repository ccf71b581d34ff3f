//! Any sequence of operations, with the agent stopped and started in between, against lists in memory.

use super::{drain, open, scratch};
use crate::outbox::{OutboxError, SEGMENT_BYTES_MAX};
use arki_model::wire::Kind;
use proptest::prelude::*;
use std::collections::VecDeque;

#[derive(Debug, Clone)]
enum Step {
    Append {
        is_event: bool,
        bytes: usize,
    },
    Ship {
        is_event: bool,
        records: usize,
        bytes: usize,
        acknowledged: bool,
    },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (any::<bool>(), 0_usize..20_000).prop_map(|(is_event, bytes)| Step::Append { is_event, bytes }),
        3 => (any::<bool>(), 1_usize..20, 0_usize..60_000, any::<bool>())
            .prop_map(|(is_event, records, bytes, acknowledged)| Step::Ship { is_event, records, bytes, acknowledged }),
        1 => Just(Step::Restart),
    ]
}

type Lane = VecDeque<(u64, Vec<u8>)>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_spool_is_two_lists(steps in prop::collection::vec(step(), 1..120)) {
        const CAP: u64 = 3 * SEGMENT_BYTES_MAX;
        let dir = scratch();
        let (mut outbox, _) = open(dir.path(), CAP);
        let (mut events, mut summaries) = (Lane::new(), Lane::new());
        let mut dropped = 0;
        for (n, step) in steps.into_iter().enumerate() {
            match step {
                Step::Append { is_event, bytes } => {
                    let payload = vec![n as u8; bytes];
                    let kind = if is_event { Kind::Events } else { Kind::Summaries };
                    let appended = outbox.append(kind, n as u64, &payload);
                    let lost = outbox.figures().summaries_dropped - dropped;
                    dropped += lost;
                    match appended {
                        Ok(number) => {
                            let lane = if is_event { &mut events } else { &mut summaries };
                            lane.push_back((number, payload));
                            summaries.drain(..lost as usize);
                        }
                        Err(OutboxError::Full { .. }) => {
                            // Only events are left, and the last loss is this summary itself.
                            summaries.clear();
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
                Step::Ship { is_event, records, bytes, acknowledged } => {
                    let (kind, lane) = if is_event { (Kind::Events, &mut events) } else { (Kind::Summaries, &mut summaries) };
                    let (pending, notes) = outbox.pending(kind, records, bytes).unwrap();
                    prop_assert!(notes.is_empty());
                    prop_assert_eq!(pending.is_none(), lane.is_empty());
                    let Some(pending) = pending else { continue };
                    let taken: Vec<_> = (pending.first..).zip(pending.payloads.iter().cloned()).collect();
                    prop_assert!(taken.len() <= records);
                    prop_assert!(lane.iter().zip(&taken).all(|(a, b)| a == b));
                    if acknowledged {
                        outbox.acknowledge(kind, pending.epoch, pending.last()).unwrap();
                        lane.drain(..taken.len());
                    }
                }
                Step::Restart => {
                    drop(outbox);
                    let (again, notes) = open(dir.path(), CAP);
                    prop_assert!(notes.is_empty());
                    outbox = again;
                }
            }
            let figures = outbox.figures();
            prop_assert!(figures.bytes <= CAP + SEGMENT_BYTES_MAX);
            prop_assert_eq!(figures.events_waiting, events.len() as u64);
            prop_assert_eq!(figures.summaries_waiting, summaries.len() as u64);
            prop_assert_eq!(figures.records_set_aside, 0);
        }
        prop_assert_eq!(drain(&mut outbox, Kind::Events), Vec::from(events));
        prop_assert_eq!(drain(&mut outbox, Kind::Summaries), Vec::from(summaries));
    }
}

//! The bytes themselves, in both directions: whoever changes one of these changes the protocol.

use super::*;
use crate::hex;
use crate::series::SeriesName;
use crate::signature::{EVENT_TYPE, PrivateKey, Signed};
use crate::summary::Stats;

/// Hexadecimal digits with spaces and lines for who reads them; after nine spaces a remark follows.
fn bytes(text: &str) -> Vec<u8> {
    let without_remark = |line: &str| {
        line.trim_start()
            .split("         ")
            .next()
            .map(str::to_owned)
    };
    let digits: Vec<char> = text
        .lines()
        .filter_map(without_remark)
        .flat_map(|line| line.chars().collect::<Vec<_>>())
        .filter(|c| !c.is_whitespace())
        .collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap())
        .collect()
}

pub(super) fn key() -> PrivateKey {
    PrivateKey::from_seed(&[0x42; 32])
}

pub(super) fn header() -> Header {
    Header {
        agent: AgentId([0xa1; 16]),
        epoch: Epoch(0x0123_4567_89ab_cdef),
        sequence: 7,
        sent_at_s: 1_700_000_300,
    }
}

pub(super) fn about() -> About {
    About {
        agent_version: "0.1.0".into(),
        host: "web-1".into(),
        interval_s: 30,
        summaries_dropped: 2,
        records_set_aside: 0,
    }
}

pub(super) fn event() -> Signed {
    Signed::new(&key(), EVENT_TYPE, b"an event".to_vec())
}

fn stats(min: f64, mean: f64, max: f64, last: f64) -> Stats {
    Stats {
        min,
        mean,
        max,
        last,
    }
}

pub(super) fn summary() -> (SeriesSet, Vec<Option<Stats>>) {
    let names = ["cpu.busy_percent", "disk.used_percent{/}", "process.count"];
    let names = names.map(|name| SeriesName::new(name).unwrap()).to_vec();
    let samples = vec![
        Some(stats(1.25, 12.34, 99.99, 3.0)),
        None,
        Some(stats(150.0, 152.5, 153.0, 153.0)),
    ];
    (SeriesSet::new(names).unwrap(), samples)
}

pub(super) fn summary_record() -> Vec<u8> {
    let (set, samples) = summary();
    encode_summary(&set, 1_700_000_000 / 300 * 300, 300, 1, &samples).unwrap()
}

const EVENT: &str = "
    93 d922 6170706c69636174696f6e2f766e642e61726b692e6576656e742b6d73677061636b         application/vnd.arki.event+msgpack
       c408 616e206576656e74                                                      an event
       c440 15511fdd4a1dab79139460f4db0640b97d65d0dd61366ad1782d6381cd805895
            ce962a3e02dc04f7e26861148c270fb36898d23ebae3f01cff6e82245b6d900f";

const SUMMARY: &str = "
    97 c410 02b7d48d923269fdcd3e26ac9917b5ef                                      digest
       93 b0 6370752e627573795f70657263656e74                                     cpu.busy_percent
          b4 6469736b2e757365645f70657263656e747b2f7d                             disk.used_percent{/}
          ad 70726f636573732e636f756e74                                           process.count
       ce6553f038 cd012c 03 01                                                    1699999800 300 3 1
       c411 fe fe ff  a513 00 eb17  d508 19  bd44 05  af01 1e                     columns";

const STRIPPED: &str = "
    97 c410 02b7d48d923269fdcd3e26ac9917b5ef                                      digest
       90
       ce6553f038 cd012c 03 01
       c411 fe fe ff  a513 00 eb17  d508 19  bd44 05  af01 1e";

/// A batch of events up to its records.
const BATCH_HEAD: &str =
    "93 01 95 a5 302e312e30 a5 7765622d31 1e 02 00 91         0.1.0 web-1 30 2 0";

const BODY_HEAD: &str = "
    92 c4b2 96 01                                                                 version
        c410 a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1                                     agent
        cf0123456789abcdef 07 ce6553f22c                                          epoch sequence sent_at_s
        c48d 28b52ffd2084210400                                                   a zstd frame, stored";

const BODY_SIGNATURE: &str = "
    c440 a6a20a12717e03cdcd2aac5413e0710e48a7100474dc111281d6fc05079befde
         893b86367b825d8da3d3b2e03eb7a6d3fa90ec794fee1bbebfbbb0ae6c53b906";

fn body() -> Vec<u8> {
    [BODY_HEAD, BATCH_HEAD, EVENT, BODY_SIGNATURE]
        .map(bytes)
        .concat()
}

#[test]
fn an_event_is_these_bytes() {
    assert_eq!(
        hex::encode(&encode_event(&event()).unwrap()),
        hex::encode(&bytes(EVENT))
    );
}

#[test]
fn a_summary_is_these_bytes_with_and_without_names() {
    assert_eq!(hex::encode(&summary_record()), hex::encode(&bytes(SUMMARY)));
    let (digest, stripped) = strip_names(&bytes(SUMMARY)).unwrap();
    assert_eq!(hex::encode(&stripped), hex::encode(&bytes(STRIPPED)));
    assert_eq!(&digest, summary().0.digest());

    for (record, names) in [(SUMMARY, Some(summary().0)), (STRIPPED, None)] {
        let batch = Batch::encode(Kind::Summaries, &about(), &[bytes(record)]).unwrap();
        let (set, samples) = summary();
        let is_percent = |n: usize| set.names()[n].metric().ends_with("_percent");
        let expected = Summary {
            columns: column::encode(&samples, 1, is_percent),
            digest,
            names,
            start_s: 1_699_999_800,
            width_s: 300,
            series: 3,
            buckets: 1,
            samples: summary().1,
        };
        let records = Batch::decode(&batch).unwrap().records;
        assert_eq!(records, Records::Summaries(vec![expected]));
    }
}

#[test]
fn a_body_is_these_bytes() {
    let batch = Batch::encode(Kind::Events, &about(), &[bytes(EVENT)]).unwrap();
    let sealed = seal(&key(), &header(), &batch).unwrap();
    assert_eq!(hex::encode(&sealed), hex::encode(&body()));
}

#[test]
fn these_bytes_are_a_body() {
    let body = body();
    let envelope = Envelope::read(&body).unwrap();
    assert_eq!(envelope.claimed_agent(), header().agent);
    let verified = envelope.verify(&key().public()).unwrap();
    assert_eq!(verified.header(), &header());
    let batch = verified.batch(&mut Decompressor::new().unwrap()).unwrap();
    assert_eq!(batch.about, about());
    assert_eq!(batch.records, Records::Events(vec![event()]));
}

#[test]
fn a_record_that_cannot_be_read_back_is_never_written() {
    let (set, samples) = summary();
    assert!(
        encode_summary(&set, 0, 300, 2, &samples).is_err(),
        "not two buckets"
    );
    assert!(encode_summary(&set, 0, 300, 0, &[]).is_err());
    let none = SeriesSet::new(Vec::new()).unwrap();
    assert!(encode_summary(&none, 0, 300, 1, &[]).is_err());
    let mut long = event();
    long.payload = vec![0; crate::chain::PAYLOAD_BYTES_MAX + 1];
    assert!(encode_event(&long).is_err());
    assert!(Batch::encode(Kind::Events, &about(), &vec![bytes(EVENT); RECORDS_MAX + 1]).is_err());
}

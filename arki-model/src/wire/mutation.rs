//! What a stranger may send: mutated frames are never believed, and whatever is inside one never brings a reader down.

use super::golden::{about, event, header, key, summary_record};
use super::*;

/// A small generator of random numbers (`SplitMix64`, Steele et al. 2014), so that a seed names a failure.
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

    /// One to four changes: a bit, a byte, a length that lies, a cut, a piece twice, a piece of something else.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len());
            match self.below(7) {
                0 | 1 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                2 if !bytes.is_empty() => bytes[at] = self.next() as u8,
                3 => bytes.truncate(at),
                4 => {
                    let piece = bytes[at..(at + self.below(16)).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
                5 if bytes.len() > at + 4 => bytes[at..at + 4].fill(0xff),
                _ => {
                    let lie = [0xdd, 0xff, 0xff, 0xff, 0xff];
                    bytes.splice(at..at, lie);
                }
            }
        }
    }
}

#[test]
fn no_mutated_frame_is_accepted() {
    let events = Batch::encode(Kind::Events, &about(), &[encode_event(&event()).unwrap()]).unwrap();
    let summaries = Batch::encode(Kind::Summaries, &about(), &[summary_record()]).unwrap();
    let good = [events, summaries].map(|batch| seal(&key(), &header(), &batch).unwrap());
    let public = key().public();
    let mut decompressor = Decompressor::new().unwrap();
    for frame in &good {
        let verified = Envelope::read(frame).unwrap().verify(&public).unwrap();
        assert!(verified.batch(&mut decompressor).is_ok());
    }
    let mut random = Random(8);
    for round in 0..100_000 {
        let mut frame = good[round % 2].clone();
        random.mutate(&mut frame);
        if good.contains(&frame) {
            continue;
        }
        let believed = Envelope::read(&frame).and_then(|envelope| envelope.verify(&public));
        assert!(believed.is_err(), "round {round}");
    }
}

#[test]
fn whatever_a_batch_holds_it_is_read_or_refused() {
    // An agent whose key was stolen can sign anything: the decoder must stand without the signature.
    let events = Batch::encode(Kind::Events, &about(), &[encode_event(&event()).unwrap()]).unwrap();
    let summaries = Batch::encode(Kind::Summaries, &about(), &[summary_record()]).unwrap();
    let mut decompressor = Decompressor::new().unwrap();
    let (mut random, mut read) = (Random(9), 0);
    for round in 0..100_000 {
        let mut batch = [&events, &summaries][round % 2].clone();
        random.mutate(&mut batch);
        if let Ok(batch) = Batch::decode(&batch) {
            assert!(batch.records.len() <= RECORDS_MAX);
            read += 1;
        }
        let mut compressed = compress(&events).unwrap();
        random.mutate(&mut compressed);
        if let Ok(bytes) = decompressor.decompress(&compressed) {
            assert!(bytes.len() <= BATCH_BYTES_MAX);
        }
    }
    assert!(read > 1_000, "the mutations reach inside: {read}");
}

#[test]
fn lengths_that_lie_take_no_memory() {
    // Each claims 2^32 - 1 of something and brings a few bytes.
    let bin = [0x92, 0xc6, 0xff, 0xff, 0xff, 0xff, 0, 0];
    assert!(matches!(Envelope::read(&bin), Err(WireError::Limit { .. })));
    let batch = [
        0x93, 0x02, 0x95, 0xa0, 0xa0, 0x1e, 0, 0, 0xdd, 0xff, 0xff, 0xff, 0xff,
    ];
    assert!(matches!(
        Batch::decode(&batch),
        Err(WireError::Limit { .. })
    ));
    // Within the limit, but more than there are bytes for.
    let batch = [0x93, 0x02, 0x95, 0xa0, 0xa0, 0x1e, 0, 0, 0xdc, 0x02, 0x00];
    assert_eq!(
        Batch::decode(&batch),
        Err(WireError::Truncated("the records of a batch"))
    );
    assert!(matches!(
        Envelope::read(&vec![0; BODY_BYTES_MAX + 1]),
        Err(WireError::Limit { .. })
    ));
}

#[test]
fn a_newer_layout_is_named_and_a_wrong_type_is_no_batch() {
    let mut body = seal(&key(), &header(), b"").unwrap();
    // [2, bin8, length, [6, version
    assert_eq!(body[4], VERSION);
    body[4] = VERSION + 1;
    assert_eq!(Envelope::read(&body).unwrap_err(), WireError::Version(2));

    // Signed as an event, sent as a batch: the type is part of what is signed.
    let batch = compress(b"").unwrap();
    let mut signed = pack::Writer::default();
    signed
        .array(6)
        .uint(1)
        .bin(&[0xa1; 16])
        .uint(1)
        .uint(1)
        .int(0)
        .bin(&batch);
    let signed = signed.finish();
    let signature = key().sign(crate::signature::EVENT_TYPE, &signed);
    let mut body = pack::Writer::default();
    body.array(2).bin(&signed).bin(&signature);
    let body = body.finish();
    let envelope = Envelope::read(&body).unwrap();
    assert!(envelope.verify(&key().public()).is_err());
}

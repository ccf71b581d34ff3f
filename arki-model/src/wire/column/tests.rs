//! What the columns keep, what they lose, and that they never lose more than is stated.

use super::*;
use proptest::prelude::*;

fn flat(value: f64) -> Stats {
    Stats {
        min: value,
        mean: value,
        max: value,
        last: value,
    }
}

fn there_and_back(samples: &[Option<Stats>], buckets: usize, percent: bool) -> Vec<Option<Stats>> {
    let bytes = encode(samples, buckets, |_| percent);
    decode(&bytes, samples.len() / buckets, buckets).unwrap()
}

#[test]
fn the_layout_is_the_documented_one() {
    let stats = Stats {
        min: 1.0,
        mean: 1.5,
        max: 2.0,
        last: 1.25,
    };
    let bytes = encode(&[Some(stats), None, Some(stats)], 3, |_| true);
    // exponent -2; 1 + zigzag(150) = 301, nothing, 1 + zigzag(0); lows 50, highs 50, lasts 25
    assert_eq!(bytes, [0xfe, 0xad, 0x02, 0, 1, 50, 50, 50, 50, 25, 25]);
    assert_eq!(
        decode(&bytes, 1, 3).unwrap(),
        [Some(stats), None, Some(stats)]
    );
}

#[test]
fn whole_numbers_and_hundredths_are_exact() {
    for value in [0.0, 1.0, 153.0, 9_999.0, -42.0, 1e6, 1e22, 0.25, 12.34] {
        let back = there_and_back(&[Some(flat(value))], 1, false);
        assert_eq!(back, [Some(flat(value))], "{value}");
    }
    for hundredths in 0..=10_000 {
        let value = f64::from(hundredths) / 100.0;
        assert_eq!(
            there_and_back(&[Some(flat(value))], 1, true),
            [Some(flat(value))]
        );
    }
}

#[test]
fn what_is_no_number_or_beyond_all_limits_is_not_measured() {
    for value in [f64::NAN, f64::INFINITY, -f64::INFINITY, 1e31, f64::MAX] {
        for percent in [true, false] {
            assert_eq!(
                there_and_back(&[Some(flat(value))], 1, percent),
                [None],
                "{value}"
            );
        }
    }
    assert_eq!(
        there_and_back(&[Some(flat(1e-10))], 1, false),
        [Some(flat(0.0))]
    );
}

#[test]
fn columns_that_cannot_be_are_refused() {
    let good = encode(&[Some(flat(12.0)), Some(flat(13.0))], 2, |_| true);
    assert!(decode(&good, 1, 2).is_ok());
    for length in 0..good.len() {
        assert!(decode(&good[..length], 1, 2).is_err(), "{length} bytes");
    }
    assert!(decode(&[good.as_slice(), &[0]].concat(), 1, 2).is_err());
    // an exponent beyond the table; last above max; a mean beyond 53 bits; a varint without end
    assert!(decode(&[23, 1, 0, 0, 0], 1, 1).is_err());
    assert!(decode(&[0, 1, 0, 0, 1], 1, 1).is_err());
    let far = [&[0][..], &[0xff; 8], &[0x7f, 0, 0, 0]].concat();
    assert!(decode(&far, 1, 1).is_err());
    assert!(decode(&[[0].as_slice(), &[0xff; 20]].concat(), 1, 1).is_err());
}

/// Figures of every magnitude that a host may have, and beyond.
fn figure() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        -1e3..1e3,
        0.0..100.0,
        (-8.0..15.0_f64).prop_map(|power| 10.0_f64.powf(power)),
        (0_u64..1 << 40).prop_map(|whole| whole as f64),
    ]
}

fn sample() -> impl Strategy<Value = Option<Stats>> {
    proptest::option::of(
        (figure(), figure(), figure(), figure()).prop_map(|(a, b, c, d)| {
            let mut figures = [a, b, c, d];
            figures.sort_by(f64::total_cmp);
            Stats {
                min: figures[0],
                mean: figures[1],
                max: figures[3],
                last: figures[2],
            }
        }),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_is_lost_but_what_is_stated(samples in prop::collection::vec(sample(), 1..24), percent: bool) {
        let buckets = if samples.len() % 3 == 0 { 3 } else { 1 };
        let sane = |stats: &Stats| stats.is_within(1e13);
        let samples: Vec<_> = samples.into_iter().map(|sample| sample.filter(|s| !percent || sane(s))).collect();
        let back = there_and_back(&samples, buckets, percent);
        for (column, (before, after)) in samples.chunks(buckets).zip(back.chunks(buckets)).enumerate() {
            let largest = before.iter().flatten().flat_map(Stats::figures).fold(0.0_f64, |m, f| m.max(f.abs()));
            for (before, after) in before.iter().zip(after) {
                prop_assert_eq!(before.is_some(), after.is_some());
                let (Some(before), Some(after)) = (before, after) else { continue };
                prop_assert!(after.min <= after.mean && after.mean <= after.max);
                prop_assert!(after.min <= after.last && after.last <= after.max);
                for (was, is) in before.figures().into_iter().zip(after.figures()) {
                    let allowed = if percent {
                        0.005 + was.abs() * 1e-12
                    } else {
                        (was.abs() * 0.000_501).max(SMALLEST).max(largest * 1e-14)
                    };
                    prop_assert!((was - is).abs() <= allowed, "column {}: {} became {}", column, was, is);
                }
            }
        }
        // What was rounded once stays as it is: a relay may encode again.
        prop_assert_eq!(&there_and_back(&back, buckets, percent), &back);
    }

    #[test]
    fn rubbish_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), series in 0_usize..20, buckets in 0_usize..8) {
        let read = decode(&bytes, series, buckets);
        prop_assert!(read.is_err() || bytes.len() >= series * (1 + buckets));
    }
}

//! The samples of a summary as small whole numbers, plane by plane.
//!
//! ```text
//! columns   = exponents means lows highs lasts
//! exponents = one i8 a series                         10^exponent is the unit of everything in that column
//! means     = a varint a sample, series by series, bucket by bucket:
//!             0                                       nothing was measured in that bucket
//!             1 + zigzag(mean - mean before)          "before" in the same series; the first is counted from 0
//! lows      = mean - min   as varint, only where there was a mean
//! highs     = max - mean   the same
//! lasts     = last - min   the same
//! ```
//!
//! varint: seven bits a byte, lowest first, the top bit says that more follow; zigzag: 0, -1, 1, -2, 2 … as 0, 1, 2,
//! 3, 4 … (both as in Protocol Buffers). Equal things stand together, so that zstd finds them; what does not move
//! takes a byte a figure before and next to nothing after compression.
//!
//! **Precision.** A series whose metric ends in `_percent` is kept to 0.01 points. Every figure of any other series
//! keeps four significant decimal digits (an error of at most 0.05 %), so whole numbers below 10,000 are exact;
//! below [`SMALLEST`] it counts as 0. A figure that is 10^15 times its column's smallest keeps at least that column's
//! 53 bits; one beyond [`LARGEST`] (a percentage beyond 4.5 x 10^13) counts as not measured. Nothing else is lost: min <= mean <= max and last between
//! them hold after as before, because all four are rounded alike.

use super::WireError;
use crate::summary::Stats;

/// Figures below this, other than percentages, count as 0.
pub const SMALLEST: f64 = 1e-9;
/// Figures beyond this, in either direction, count as not measured.
pub const LARGEST: f64 = 1e30;

/// The unit of a percentage: 10^-2.
const PERCENT_EXPONENT: i8 = -2;
/// 10^-12 is the last of four digits of [`SMALLEST`].
const EXPONENT_MIN: i8 = -12;
/// The largest power of ten that an f64 holds exactly.
const EXPONENT_MAX: i8 = 22;
/// Whole numbers up to here are exact in an f64.
const WHOLE_MAX: i64 = 1 << 53;

/// Powers of ten, all exact in an f64.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// The figures of one sample in units of 10^exponent.
#[derive(Debug, Clone, Copy)]
struct Whole {
    min: i64,
    mean: i64,
    max: i64,
    last: i64,
}

/// Encodes `samples` (series by series, `buckets` each). `is_percent` tells which series are percentages.
pub(super) fn encode(
    samples: &[Option<Stats>],
    buckets: usize,
    is_percent: impl Fn(usize) -> bool,
) -> Vec<u8> {
    let series = samples.len() / buckets.max(1);
    let mut out = Vec::with_capacity(series + samples.len() * 6);
    let mut wholes = Vec::with_capacity(samples.len());
    for (index, column) in samples.chunks(buckets.max(1)).enumerate() {
        let (exponent, unit) = if is_percent(index) {
            (PERCENT_EXPONENT, hundredths as fn(f64, i8) -> Option<i64>)
        } else {
            (exponent_of(column), four_digits as _)
        };
        out.push(exponent as u8);
        let whole = |stats| whole(stats, |figure| unit(figure, exponent));
        wholes.extend(column.iter().map(|sample| sample.and_then(whole)));
    }
    for column in wholes.chunks(buckets.max(1)) {
        let mut before = 0;
        for sample in column {
            match sample {
                None => put(&mut out, 0),
                Some(sample) => {
                    put(&mut out, 1 + zigzag(sample.mean - before));
                    before = sample.mean;
                }
            }
        }
    }
    let present = || wholes.iter().flatten();
    present().for_each(|s| put(&mut out, (s.mean - s.min) as u64));
    present().for_each(|s| put(&mut out, (s.max - s.mean) as u64));
    present().for_each(|s| put(&mut out, (s.last - s.min) as u64));
    out
}

/// Decodes `series` x `buckets` samples; both must be within their limits.
pub(super) fn decode(
    columns: &[u8],
    series: usize,
    buckets: usize,
) -> Result<Vec<Option<Stats>>, WireError> {
    const WHAT: &str = "the columns of a summary";
    let Some((exponents, mut rest)) = columns.split_at_checked(series) else {
        return Err(WireError::Truncated(WHAT));
    };
    // A sample takes a byte at least, so this is room for no more than was sent.
    if rest.len() < series * buckets {
        return Err(WireError::Truncated(WHAT));
    }
    let mut wholes: Vec<Option<Whole>> = Vec::with_capacity(series * buckets);
    for _ in 0..series {
        let mut before: i64 = 0;
        for _ in 0..buckets {
            let Some(delta) = take(&mut rest)?.checked_sub(1) else {
                wholes.push(None);
                continue;
            };
            let mean = before.checked_add(unzigzag(delta)).and_then(bounded);
            let mean = mean.ok_or(WireError::Value(WHAT))?;
            before = mean;
            wholes.push(Some(Whole {
                min: mean,
                mean,
                max: mean,
                last: mean,
            }));
        }
    }
    let far = |from: i64, by: u64, sign: i64| {
        i64::try_from(by)
            .ok()
            .and_then(|by| from.checked_add(by.checked_mul(sign)?))
            .and_then(bounded)
            .ok_or(WireError::Value(WHAT))
    };
    for sample in wholes.iter_mut().flatten() {
        sample.min = far(sample.mean, take(&mut rest)?, -1)?;
    }
    for sample in wholes.iter_mut().flatten() {
        sample.max = far(sample.mean, take(&mut rest)?, 1)?;
    }
    for sample in wholes.iter_mut().flatten() {
        sample.last = far(sample.min, take(&mut rest)?, 1)?;
        if sample.last > sample.max {
            return Err(WireError::Value(WHAT));
        }
    }
    if !rest.is_empty() {
        return Err(WireError::Trailing(WHAT));
    }
    exponents
        .iter()
        .map(|&byte| byte as i8)
        .zip(wholes.chunks(buckets.max(1)))
        .flat_map(|(exponent, column)| column.iter().map(move |sample| (exponent, *sample)))
        .map(|(exponent, sample)| {
            if !(EXPONENT_MIN..=EXPONENT_MAX).contains(&exponent) {
                return Err(WireError::Value("the exponent of a column"));
            }
            Ok(sample.map(|sample| Stats {
                min: figure(sample.min, exponent),
                mean: figure(sample.mean, exponent),
                max: figure(sample.max, exponent),
                last: figure(sample.last, exponent),
            }))
        })
        .collect()
}

/// `value` rounded to four significant digits: what they are, without trailing zeros, and the power of ten they count.
fn digits(value: f64) -> Option<(i64, i8)> {
    if value.abs() < SMALLEST {
        return None;
    }
    let mut exponent = (value.abs().log10().floor() as i8 - 3).clamp(EXPONENT_MIN, EXPONENT_MAX);
    let mut digits = (value / power(exponent)).round() as i64;
    while digits % 10 == 0 && digits != 0 && exponent < EXPONENT_MAX {
        digits /= 10;
        exponent += 1;
    }
    Some((digits, exponent))
}

/// 10^exponent; negative powers are not exact, so only ever for a first rounding.
fn power(exponent: i8) -> f64 {
    let magnitude = POWERS
        .get(usize::from(exponent.unsigned_abs()))
        .copied()
        .unwrap_or(f64::MAX);
    if exponent < 0 {
        1.0 / magnitude
    } else {
        magnitude
    }
}

/// The unit in which every figure of the column is whole; coarser where its largest figure would not fit 53 bits.
fn exponent_of(column: &[Option<Stats>]) -> i8 {
    let figures = || {
        column
            .iter()
            .flatten()
            .filter(|stats| stats.is_within(LARGEST))
            .flat_map(Stats::figures)
    };
    let finest = figures().filter_map(digits).map(|(_, e)| e).min();
    let largest = figures().fold(0.0_f64, |most, figure| most.max(figure.abs()));
    let mut exponent = finest.unwrap_or(0);
    while exponent < EXPONENT_MAX && largest / power(exponent) > WHOLE_MAX as f64 / 4.0 {
        exponent += 1;
    }
    exponent
}

/// A figure of a percentage in hundredths.
fn hundredths(figure: f64, _exponent: i8) -> Option<i64> {
    let whole = (figure * 100.0).round();
    (whole.abs() <= WHOLE_MAX as f64 / 2.0).then_some(whole as i64)
}

/// A figure, rounded to four digits, in units of 10^exponent.
fn four_digits(figure: f64, exponent: i8) -> Option<i64> {
    let (digits, own) = digits(figure).unwrap_or((0, exponent));
    let shift = POWERS.get(usize::from(own.abs_diff(exponent)))?;
    let whole = if own >= exponent {
        digits as f64 * shift
    } else {
        (digits as f64 / shift).round()
    };
    (whole.abs() <= WHOLE_MAX as f64 / 2.0).then_some(whole as i64)
}

/// The sample in whole units; `None` where it is no number or does not fit.
fn whole(stats: Stats, unit: impl Fn(f64) -> Option<i64>) -> Option<Whole> {
    if !stats.is_within(LARGEST) {
        return None;
    }
    let (min, max) = (unit(stats.min)?, unit(stats.max)?);
    // Rounding keeps order; a caller that breaks it (or a mean that is off by one bit) is put right here.
    let max = max.max(min);
    Some(Whole {
        min,
        mean: unit(stats.mean)?.clamp(min, max),
        max,
        last: unit(stats.last)?.clamp(min, max),
    })
}

/// The figure itself: a division where the unit is a fraction, so that 1234 hundredths are the f64 nearest to 12.34.
fn figure(whole: i64, exponent: i8) -> f64 {
    let magnitude = power(exponent.abs());
    if exponent < 0 {
        whole as f64 / magnitude
    } else {
        whole as f64 * magnitude
    }
}

fn bounded(value: i64) -> Option<i64> {
    (value.abs() <= WHOLE_MAX).then_some(value)
}

fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take(rest: &mut &[u8]) -> Result<u64, WireError> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let Some((&byte, tail)) = rest.split_first() else {
            return Err(WireError::Truncated("a varint"));
        };
        *rest = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(WireError::Value("a varint"))
}

#[cfg(test)]
mod tests;

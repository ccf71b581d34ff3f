//! Decimal numbers in cells of a trace: finite ones only, and fast, because reading them is most of what
//! reading a trace costs.
//!
//! Clinger's fast path ("How to Read Floating Point Numbers Accurately", 1990): up to 2^53 the digits are
//! an exact `f64`, up to 10^22 so is the power of ten, and one division rounds correctly. What does not
//! fit goes to the standard library, so that every result is the same as its own.

/// Powers of ten that an `f64` holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// 2^53: up to here every whole number is an exact `f64`.
const EXACT_MAX: u64 = 1 << 53;

/// The number that `text` is, spaces around it left out. `None` for anything else, `nan` and `inf` included.
pub fn parse(text: &[u8]) -> Option<f64> {
    let text = text.trim_ascii();
    fast(text).or_else(|| slow(text))
}

fn fast(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    // 18 digits cannot overflow; a point more makes 19 bytes
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let mut mantissa = 0_u64;
    let mut point = None;
    for (at, &byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        } else if byte == b'.' && point.is_none() {
            point = Some(at);
        } else {
            return None;
        }
    }
    let decimals = point.map_or(0, |at| digits.len() - 1 - at);
    let count = digits.len() - usize::from(point.is_some());
    if count == 0 || count > 18 || mantissa > EXACT_MAX {
        return None;
    }
    let value = mantissa as f64 / POWERS[decimals];
    Some(if negative { -value } else { value })
}

fn slow(text: &[u8]) -> Option<f64> {
    let plain = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    if !text.iter().all(plain) {
        return None;
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_finite_number_is_refused() {
        for wrong in [
            "",
            "-",
            ".",
            "-.",
            "+",
            "e",
            "1e",
            "nan",
            "NaN",
            "inf",
            "-Infinity",
            "1e999",
            "1,5",
            "1 2",
            "0x10",
            "1_000",
            "12a",
            "--1",
            "1.2.3",
            "\0",
            "é",
        ] {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong:?}");
        }
        assert_eq!(parse(b" 12.5 "), Some(12.5));
        assert_eq!(parse(b"5."), Some(5.0));
        assert_eq!(parse(b".5"), Some(0.5));
        assert_eq!(parse(b"+1e3"), Some(1000.0));
        assert!(parse(b"-0").unwrap().is_sign_negative());
    }

    proptest! {
        #[test]
        fn every_text_reads_as_the_standard_library_reads_it(
            text in "[-+]?[0-9]{0,22}(\\.[0-9]{0,22})?([eE][-+]?[0-9]{1,3})?"
        ) {
            let expected = text.parse::<f64>().ok().filter(|value| value.is_finite());
            prop_assert_eq!(parse(text.as_bytes()).map(f64::to_bits), expected.map(f64::to_bits));
        }

        #[test]
        fn every_number_survives_being_printed(value in any::<f64>()) {
            let expected = Some(value).filter(|value| value.is_finite());
            prop_assert_eq!(parse(value.to_string().as_bytes()), expected);
        }
    }
}

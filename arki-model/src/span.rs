//! A length of time as a person reads it: the same words in a terminal, a message and a page.

/// A length of time with two units: `40 s`, `12 min`, `5 h 40`, `3 d 4 h`.
pub fn span(seconds: f64) -> String {
    let total = seconds.max(0.0).round() as u64;
    match total {
        0..60 => format!("{total} s"),
        60..3_600 => format!("{} min", (total + 30) / 60),
        3_600..86_400 => {
            let minutes = (total + 30) / 60;
            format!("{} h {:02}", minutes / 60, minutes % 60)
        }
        _ => {
            let hours = (total + 1_800) / 3_600;
            if hours >= 24 * 100 {
                format!("{} d", hours / 24)
            } else {
                format!("{} d {} h", hours / 24, hours % 24)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_rounded_to_two_units() {
        for (seconds, said) in [
            (-3.0, "0 s"),
            (59.4, "59 s"),
            (60.0, "1 min"),
            (3_599.0, "60 min"),
            (20_400.0, "5 h 40"),
            (273_600.0, "3 d 4 h"),
            (1e7, "115 d"),
        ] {
            assert_eq!(span(seconds), said, "{seconds}");
        }
    }
}

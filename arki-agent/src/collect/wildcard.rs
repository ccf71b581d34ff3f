//! Wildcards for names of units and files: `*` is any run of characters, `?` is any one. Nothing else is special.
//!
//! A compiled glob holds 6 to 15 KB; a list of names that is matched once a minute does not earn that.

/// True if the whole of `name` matches `pattern`.
///
/// Goes back to the last `*` only, which is enough: what an earlier one matched cannot help. At most
/// `pattern.len() * name.len()` steps.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, from)) = star else {
                    return false;
                };
                star = Some((at, from + 1));
                p = at + 1;
                n = from + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|&c| c == '*')
}

/// True if `pattern` can match more than one name.
pub fn is_pattern(pattern: &str) -> bool {
    pattern.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, name) in [
            ("nginx", "nginx"),
            ("*", ""),
            ("php*-fpm", "php8.2-fpm"),
            ("postgresql@*", "postgresql@15-main"),
            ("*a*b", "aabab"),
            ("err??.log", "err01.log"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("nginx", "nginx2"),
            ("", "a"),
            ("?", ""),
            ("*a", "ab"),
            ("php*-fpm", "php8.2"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    /// The definition, in exponential time.
    fn slow(pattern: &[char], name: &[char]) -> bool {
        match (pattern.first(), name.first()) {
            (None, None) => true,
            (Some('*'), _) => {
                slow(&pattern[1..], name) || (!name.is_empty() && slow(pattern, &name[1..]))
            }
            (Some(&p), Some(&n)) if p == '?' || p == n => slow(&pattern[1..], &name[1..]),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn as_the_definition_says(pattern in "[ab*?]{0,7}", name in "[ab]{0,8}") {
            let (p, n): (Vec<_>, Vec<_>) = (pattern.chars().collect(), name.chars().collect());
            prop_assert_eq!(matches(&pattern, &name), slow(&p, &n));
        }
    }
}

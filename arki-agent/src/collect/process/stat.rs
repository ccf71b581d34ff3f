//! One line of `/proc/PID/stat`, parsed in place (`proc_pid_stat(5)`).
//!
//! ```text
//! 4711 (tmux: server) S 1 4711 4711 0 -1 4194560 ... utime stime ... starttime vsize rss ...
//!      name, any bytes  state          flags         14    15        22              24
//!                                                   (16 and 17: time of children that ended; 20: threads)
//! ```

use super::super::ParseError;

/// What is used of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat<'a> {
    /// At most 15 bytes, any bytes.
    pub(super) name: &'a [u8],
    /// `R`, `S`, `D`, `Z` and so on.
    pub(super) state: u8,
    /// True for a thread of the kernel: it holds no memory and no descriptors.
    pub(super) is_kernel: bool,
    /// User and system time.
    pub(super) cpu_ticks: u64,
    /// User and system time of the children that it waited for.
    pub(super) children_ticks: u64,
    /// Its threads, itself included.
    pub(super) threads: u64,
    /// Ticks from boot to its start: tells two processes of the same number apart.
    pub(super) start_ticks: u64,
    /// Resident pages.
    pub(super) resident_pages: u64,
}

/// `PF_KTHREAD` of `include/linux/sched.h`.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// Parses the file.
pub(super) fn parse(line: &[u8]) -> Result<Stat<'_>, ParseError> {
    let broken = |problem: &str| ParseError::new(1, problem);
    // A name may hold blanks and parentheses: it ends at the last one.
    let open = line.iter().position(|&byte| byte == b'(');
    let close = line.iter().rposition(|&byte| byte == b')');
    let (Some(open), Some(close)) = (open, close) else {
        return Err(broken("the name is missing"));
    };
    let name = line
        .get(open + 1..close)
        .ok_or_else(|| broken("the name is missing"))?;
    let mut words = line
        .get(close + 1..)
        .unwrap_or_default()
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let state = words.next().and_then(|word| word.first().copied());
    let state = state.ok_or_else(|| broken("the state is missing"))?;
    // Field `number` counted as in the manual page; the state is field 3.
    let mut last = 3;
    let mut field = |number: usize, what: &str| {
        let word = words.nth(number - last - 1);
        last = number;
        word.and_then(parse_number)
            .ok_or_else(|| broken(&format!("{what} is missing or no number")))
    };
    let flags = field(9, "flags")?;
    let user_ticks = field(14, "utime")?;
    let system_ticks = field(15, "stime")?;
    let children_user_ticks = field(16, "cutime")?;
    let children_system_ticks = field(17, "cstime")?;
    let threads = field(20, "num_threads")?;
    let start_ticks = field(22, "starttime")?;
    let resident_pages = field(24, "rss")?;
    Ok(Stat {
        name,
        state,
        is_kernel: flags & KERNEL_THREAD != 0,
        cpu_ticks: user_ticks.saturating_add(system_ticks),
        children_ticks: children_user_ticks.saturating_add(children_system_ticks),
        threads,
        start_ticks,
        resident_pages,
    })
}

/// Only digits; stops at what does not fit.
fn parse_number(word: &[u8]) -> Option<u64> {
    word.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "4711 (a) b (c)) D 1 4711 4711 0 -1 4194560 1 2 3 4 150 50 7 8 20 0 1 0 9000 1000000 256 18446744073709551615 1\n";

    #[test]
    fn a_name_may_hold_blanks_and_parentheses() {
        let stat = parse(LINE.as_bytes()).unwrap();
        assert_eq!(stat.name, b"a) b (c)");
        assert_eq!((stat.state, stat.is_kernel), (b'D', false));
        assert_eq!(
            (stat.cpu_ticks, stat.start_ticks, stat.resident_pages),
            (200, 9000, 256)
        );
        assert_eq!((stat.children_ticks, stat.threads), (15, 1));
    }

    #[test]
    fn a_line_that_is_cut_anywhere_is_an_error_and_never_a_panic() {
        let end = LINE.find(" 256").unwrap() + 2;
        for length in 0..end - 1 {
            assert!(parse(&LINE.as_bytes()[..length]).is_err(), "{length}");
        }
        assert!(parse(b")(").is_err());
        assert!(parse(LINE.replace("9000", "9x00").as_bytes()).is_err());
    }
}

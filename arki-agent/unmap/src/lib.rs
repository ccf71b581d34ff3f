//! Hands back the pages of this program that are mapped and not in use: code that ran once, and freed memory.
//!
//! A daemon reads its command line, its configuration and its saved state once; it saves, answers and shakes hands now
//! and then. Code that ran once stays mapped for ever, and the kernel maps 64 KiB around every page that is touched
//! ("fault-around"): of 4.5 MB of a program that it had mapped, 0.8 MB were in use. Two things mend that.
//!
//! - [`release`] drops the read-only pages of all files that are mapped (the program, and its libraries where it has
//!   any). What runs next is mapped again from the page cache, about half a microsecond a page fault; it is read from
//!   disk only if memory is short.
//! - The kernel does not map beyond the end of a mapping. So these mappings are cut into pieces of [`PIECE_BYTES`] once,
//!   by a property that has no effect on them: every other piece is left out of core dumps, which never hold unchanged
//!   pages of files. That makes 450 mappings of 7 MB, for which the kernel keeps about 80 KB.
//!
//! The allocator keeps what is freed for itself; its whole free pages go back too (`malloc_trim`).
//!
//! Invariant: no byte of memory in use changes its value. Only mappings that cannot be written and of which no page was
//! ever written are dropped; the kernel reads such a page again from the file that it came from.

use nix::sys::mman::{MmapAdvise, madvise};
use std::ffi::c_void;
use std::ops::Range;
use std::ptr::{NonNull, with_exposed_provenance_mut};
use std::sync::OnceLock;
use std::{fs, io};

/// Four pages of 4 KiB: half of what is mapped is then in use. Smaller pieces gain little more, and each costs the
/// kernel a record.
pub const PIECE_BYTES: usize = 16 * 1024;

/// Where this program's code is: found at the first call, before it is cut.
static CODE: OnceLock<Vec<Range<usize>>> = OnceLock::new();

/// Drops what is mapped of the program's code, and gives back what was freed. What is in use comes back by itself.
pub fn release() -> io::Result<()> {
    let code = match CODE.get() {
        Some(code) => code,
        None => CODE.get_or_init(|| find().unwrap_or_default()),
    };
    for place in code {
        advise(place, MmapAdvise::MADV_DONTNEED)?;
    }
    trim_heap();
    Ok(())
}

/// Finds the mappings of code and cuts them.
fn find() -> io::Result<Vec<Range<usize>>> {
    let smaps = fs::read_to_string("/proc/self/smaps")?;
    let code = mappings(&smaps).filter(Mapping::is_code);
    let code: Vec<Range<usize>> = code.map(|mapping| mapping.place).collect();
    for place in &code {
        for start in place.clone().step_by(2 * PIECE_BYTES) {
            let piece = start..place.end.min(start + PIECE_BYTES);
            advise(&piece, MmapAdvise::MADV_DONTDUMP)?;
        }
    }
    Ok(code)
}

#[cfg(target_env = "gnu")]
#[expect(
    unsafe_code,
    reason = "a function of the C library, without a safe form"
)]
fn trim_heap() {
    // SAFETY: malloc_trim takes a number and no pointer, locks the allocator's arenas itself, and touches only pages that
    // hold nothing that is allocated.
    unsafe { libc::malloc_trim(0) };
}

/// Other C libraries give back by themselves.
#[cfg(not(target_env = "gnu"))]
fn trim_heap() {}

/// Advises the kernel about `place`, which lies in a mapping of [`CODE`].
#[expect(
    unsafe_code,
    reason = "advice to the kernel has no safe form; it is given about pages that cannot change"
)]
fn advise(place: &Range<usize>, advice: MmapAdvise) -> io::Result<()> {
    let Some(start) = NonNull::new(with_exposed_provenance_mut::<c_void>(place.start)) else {
        return Ok(());
    };
    // SAFETY: MADV_DONTDUMP changes no memory. MADV_DONTNEED makes the next access read the page anew. For a page of a
    // private mapping of a file that was never written, that is the page cache's own page, which is what was mapped
    // before: no value that anything refers to changes. The kernel has said that `place` lies in such a mapping
    // (`Mapping::is_code`): it is private, it cannot be written (`r--p`, `r-xp`), it is a file's, and none of its pages
    // is a copy (`Anonymous: 0 kB`), as relocated ones would be. The last cannot change later, because nothing here
    // makes a read-only mapping writable: the loader is done before `main`, and no code is generated. (A debugger's
    // breakpoints are such copies; they would be lost, and the program be as it was.) Nor can the mapping go: nothing
    // here unmaps the program or a library of it.
    unsafe { madvise(start, place.len(), advice) }.map_err(io::Error::from)
}

/// One mapping of `/proc/self/smaps`.
#[derive(Debug, PartialEq, Eq)]
struct Mapping<'a> {
    place: Range<usize>,
    /// `rwxp`, with `-` for what is not.
    rights: &'a str,
    /// A path, `[heap]` and the like, or nothing.
    file: &'a str,
    /// What was written and is a copy of its own; `None` if the kernel did not say.
    copied_bytes: Option<usize>,
}

impl Mapping<'_> {
    fn is_code(&self) -> bool {
        matches!(self.rights, "r--p" | "r-xp")
            && self.file.starts_with('/')
            && self.copied_bytes == Some(0)
    }
}

fn mappings(smaps: &str) -> impl Iterator<Item = Mapping<'_>> {
    let mut lines = smaps.lines().peekable();
    std::iter::from_fn(move || {
        let mut mapping = lines.by_ref().find_map(header)?;
        while let Some(line) = lines.next_if(|line| header(line).is_none()) {
            mapping.copied_bytes = figure(line, "Anonymous:").or(mapping.copied_bytes);
        }
        Some(mapping)
    })
}

/// `00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/name`
fn header(line: &str) -> Option<Mapping<'_>> {
    let mut words = line.splitn(6, ' ');
    let (start, end) = words.next()?.split_once('-')?;
    let (start, end) = (address(start)?, address(end)?);
    let rights = words.next()?;
    Some(Mapping {
        place: start..end,
        rights,
        file: words.last()?.trim_start(),
        copied_bytes: None,
    })
}

fn address(hex: &str) -> Option<usize> {
    usize::from_str_radix(hex, 16).ok()
}

fn figure(line: &str, key: &str) -> Option<usize> {
    let kib = line.strip_prefix(key)?.trim().strip_suffix(" kB")?;
    kib.parse::<usize>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "\
55d0a0000000-55d0a0452000 r-xp 00052000 08:02 173521                     /usr/bin/a name (deleted)
Size:               4424 kB
Rss:                1024 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
55d0a0500000-55d0a0502000 r--p 00500000 08:02 173521                     /usr/bin/a name (deleted)
Rss:                   8 kB
Anonymous:             8 kB
55d0a0502000-55d0a0504000 rw-p 00502000 08:02 173521                     /usr/bin/a name (deleted)
Rss:                   8 kB
Anonymous:             0 kB
7ffd1c5f4000-7ffd1c5f6000 r-xp 00000000 00:00 0                          [vdso]
Rss:                   4 kB
Anonymous:             0 kB
7ffd1c600000-7ffd1c601000 r--p 00000000 00:00 0 
Rss:                   4 kB
Anonymous:             0 kB
7ffd1c610000-7ffd1c611000 r--s 00000000 08:02 7                          /shared
Rss:                   4 kB
Anonymous:             0 kB
7ffd1c620000-7ffd1c621000 r--p 00000000 08:02 7                          /silent
Rss:                   4 kB
";

    #[test]
    fn only_what_cannot_be_written_and_never_was_is_dropped() {
        let all: Vec<_> = mappings(SMAPS).collect();
        assert_eq!(all.len(), 7);
        let dropped: Vec<_> = all.iter().filter(|mapping| mapping.is_code()).collect();
        assert_eq!(dropped.len(), 1, "{dropped:?}");
        assert_eq!(dropped[0].place, 0x55d0_a000_0000..0x55d0_a045_2000);
        assert_eq!(dropped[0].file, "/usr/bin/a name (deleted)");
    }

    /// Pages of constants that are read once, and whether they still say the same when they were dropped.
    #[test]
    fn what_was_dropped_comes_back_as_it_was() {
        static TABLE: [u64; 64 * 1024] = {
            let mut table = [0; 64 * 1024];
            let mut i = 0;
            while i < table.len() {
                table[i] = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                i += 1;
            }
            table
        };
        let sum = || {
            std::hint::black_box(&TABLE)
                .iter()
                .fold(0_u64, |sum, v| sum ^ v)
        };
        let at = TABLE.as_ptr().addr();
        let end = at + size_of_val(&TABLE);
        // whole pieces of the table, and how much of them is mapped
        let resident = || -> usize {
            let smaps = fs::read_to_string("/proc/self/smaps").expect("a process can read its own");
            let mut inside = false;
            let mut bytes = 0;
            for line in smaps.lines() {
                if let Some(mapping) = header(line) {
                    inside = at <= mapping.place.start && mapping.place.end <= end;
                } else if inside {
                    bytes += figure(line, "Rss:").unwrap_or(0);
                }
            }
            bytes
        };
        let before = sum();
        release().expect("the kernel takes the advice");
        assert_eq!(resident(), 0, "the code was cut, and is not mapped");
        let one = std::hint::black_box(&TABLE)[TABLE.len() / 2];
        assert_ne!(one, 0);
        assert!((1..=PIECE_BYTES).contains(&resident()), "{}", resident());
        sum();
        assert!(resident() > size_of_val(&TABLE) / 2, "all of it is in use");
        release().expect("the kernel takes the advice");
        assert_eq!(resident(), 0);
        assert_eq!(sum(), before);
    }
}

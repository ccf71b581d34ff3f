//! `file.used_percent`: open files of the whole system against the kernel's limit.
//!
//! ```text
//! /proc/sys/fs/file-nr: allocated  free (0 since Linux 2.6)  limit
//! ```

use super::fields::Fields;
use super::{
    CollectError, CollectSettings, Collector, Moment, ParseError, Readings, Roots, Source,
};

/// From here on the limit is none: systemd sets it to the largest number there is.
const NO_LIMIT: u64 = 1 << 62;

/// Reads `sys/fs/file-nr`.
#[derive(Debug, Default)]
struct Files {
    source: Source,
}

/// See [`super::COLLECTORS`].
pub(super) fn collector(_: &CollectSettings) -> Box<dyn Collector> {
    Box::new(Files::default())
}

impl Collector for Files {
    fn name(&self) -> &'static str {
        "file"
    }

    fn collect(&mut self, host: &Roots, _: Moment, out: &mut Readings) -> Result<(), CollectError> {
        let path = host.proc.join("sys/fs/file-nr");
        let (used, limit) = used_and_limit(self.source.text(&path)?)
            .map_err(|error| CollectError::parsing(&path, &error))?;
        if limit >= NO_LIMIT {
            return Err(CollectError::NoData(
                "the kernel has no limit of open files (fs.file-max)".to_owned(),
            ));
        }
        out.put("file.used_percent", 100.0 * used as f64 / limit as f64);
        Ok(())
    }
}

fn used_and_limit(text: &str) -> Result<(u64, u64), ParseError> {
    let mut fields = Fields::new(1, text);
    let allocated = fields.number("the number of open files")?;
    let free = fields.number("the number of free handles")?;
    let limit = fields.number("the limit")?;
    Ok((allocated.saturating_sub(free), limit))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::FixtureHost;
    use super::*;

    #[test]
    fn used_against_the_limit() {
        let host = FixtureHost::with(&[("proc/sys/fs/file-nr", "2500\t500\t10000\n")]);
        let out = host.read(&mut Files::default(), 0);
        assert_eq!(out.get("file.used_percent"), Some(20.0));
    }

    #[test]
    fn no_limit_is_no_series() {
        let host = FixtureHost::with(&[("proc/sys/fs/file-nr", "25\t0\t9223372036854775807\n")]);
        let (out, result) = host.try_read(&mut Files::default(), 0);
        assert!(out.is_empty() && matches!(result, Err(CollectError::NoData(_))));
    }

    #[test]
    fn broken_text_is_named() {
        for text in ["", "1", "1 2", "1 2 x", "-1 2 3"] {
            assert_eq!(used_and_limit(text).unwrap_err().line, 1, "{text:?}");
        }
    }
}

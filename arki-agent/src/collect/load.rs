//! `load.per_core`: tasks that run or wait, over the cores that are there. 1 is a busy host, more is a queue.

use super::{
    CollectError, CollectSettings, Collector, Moment, ParseError, Readings, Roots, Source,
};
use procfs::{FromRead, LoadAverage};

/// Reads `loadavg`, and the number of cores from `stat`.
#[derive(Debug, Default)]
struct Load {
    source: Source,
}

/// See [`super::COLLECTORS`].
pub(super) fn collector(_: &CollectSettings) -> Box<dyn Collector> {
    Box::new(Load::default())
}

impl Collector for Load {
    fn name(&self) -> &'static str {
        "load"
    }

    fn collect(&mut self, host: &Roots, _: Moment, out: &mut Readings) -> Result<(), CollectError> {
        let path = host.proc.join("loadavg");
        let load = one_minute(self.source.text(&path)?)
            .map_err(|error| CollectError::parsing(&path, &error))?;
        let cores = cores(self.source.text(&host.proc.join("stat"))?);
        out.put("load.per_core", load / cores.max(1) as f64);
        Ok(())
    }
}

/// The average over a minute.
fn one_minute(text: &str) -> Result<f64, ParseError> {
    let load = LoadAverage::from_read(text.as_bytes())
        .map_err(|_| ParseError::new(1, format!("not a load average: {:?}", text.trim_end())))?;
    Ok(f64::from(load.one))
}

/// How many cores are online: the lines `cpu0`, `cpu1` and so on. They come first in the file.
fn cores(stat: &str) -> usize {
    stat.lines()
        .take_while(|line| line.starts_with("cpu"))
        .filter(|line| line.as_bytes().get(3).is_some_and(u8::is_ascii_digit))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_is_shared_by_the_cores() {
        assert_eq!(one_minute("1.50 1.00 1.42 3/4280 2496732\n"), Ok(1.5));
        assert_eq!(cores("cpu  1 2\ncpu0 1 2\ncpu1 1 2\nintr 5\ncpu9 1\n"), 2);
    }

    #[test]
    fn broken_text_is_named() {
        for text in ["", "x", "1.0 2.0", "1.0 2.0 3.0 4 5", "1.0 2.0 3.0 a/b 5"] {
            assert_eq!(one_minute(text).unwrap_err().line, 1, "{text:?}");
        }
    }
}

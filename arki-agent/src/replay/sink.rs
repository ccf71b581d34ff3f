//! What listens to one host's replay: writes its predictions, and collects what the report, the score and the
//! pictures need.

use super::chart::{Chart, Charts};
use super::error::TraceError;
use super::host::{Listener, Pass};
use super::ordered::{Held, Ordered};
use super::report::{self, Totals};
use super::score::Scorer;
use super::story::Story;
use super::{Job, line, source, svg};
use crate::terminal::{COLUMNS, safe, wrap};
use std::fmt::Write;
use std::io;
use std::path::Path;

/// The most pictures of one host: more than anybody looks at.
pub const PICTURES_MAX: u64 = 500;

/// What came of one trace.
#[derive(Debug)]
pub struct Done {
    /// What is wrong with it.
    pub error: Option<TraceError>,
    /// Its part of the sums.
    pub totals: Totals,
    /// How many pictures were drawn.
    pub pictures: u64,
}

/// Listens to the replay of one host.
#[derive(Debug)]
pub struct Sink<'a, 'out> {
    job: &'a Job,
    ordered: &'a Ordered<'out>,
    file: usize,
    host: String,
    held: Held,
    story: Option<Story>,
    scorer: Option<Scorer>,
    charts: Option<Charts>,
    pictures: u64,
}

impl<'a, 'out> Sink<'a, 'out> {
    /// For the trace number `file` of `job`.
    pub fn new(job: &'a Job, file: usize, ordered: &'a Ordered<'out>) -> Self {
        let host = source::host_of(&job.traces[file]);
        Self {
            job,
            ordered,
            file,
            held: Held::default(),
            story: job.report.then(Story::default),
            scorer: job.labels.as_ref().map(|labels| Scorer::new(labels, &host)),
            charts: job.svg.as_ref().map(|_| Charts::default()),
            pictures: 0,
            host,
        }
    }

    /// After the last pass, whole trace or broken.
    pub fn finish(mut self, error: Option<TraceError>) -> io::Result<Done> {
        let left = self.charts.as_mut().map_or_else(Vec::new, Charts::finish);
        self.draw(&left)?;
        let mut totals = Totals::default();
        if let Some(mut story) = self.story.take() {
            story.finish();
            totals = Totals::of(&story, self.scorer.as_ref().map(Scorer::score));
            let mut text = String::new();
            report::host(&mut text, &self.host, &story, &self.job.style)
                .and_then(|()| {
                    error
                        .as_ref()
                        .map_or(Ok(()), |error| broken(&mut text, error))
                })
                .map_err(io::Error::other)?;
            self.held.report.extend(text.into_bytes());
        }
        self.ordered.finish(self.file, self.held)?;
        Ok(Done {
            error,
            totals,
            pictures: self.pictures,
        })
    }

    fn draw(&mut self, charts: &[Chart]) -> io::Result<()> {
        let Some(folder) = &self.job.svg else {
            return Ok(());
        };
        for chart in charts {
            if self.pictures == PICTURES_MAX {
                break;
            }
            let name = file_name(&self.job.traces[self.file], &self.host, chart);
            let path = folder.join(name);
            std::fs::write(&path, svg::draw(&self.host, chart, &self.job.style)).map_err(
                |error| io::Error::new(error.kind(), format!("{}: {error}", path.display())),
            )?;
            self.pictures += 1;
        }
        Ok(())
    }
}

impl Listener for Sink<'_, '_> {
    fn pass(&mut self, pass: &Pass<'_>) -> io::Result<()> {
        if let Some(story) = &mut self.story {
            story.pass(pass);
        }
        if let Some(charts) = &mut self.charts {
            let complete = charts.pass(pass);
            self.draw(&complete)?;
        }
        if pass.told.is_empty() {
            return Ok(());
        }
        for prediction in pass.told {
            if let Some(scorer) = &mut self.scorer {
                scorer.word(prediction);
            }
            line::write(&mut self.held.events, &self.host, prediction)?;
        }
        self.ordered.offer(self.file, &mut self.held)
    }
}

fn broken(text: &mut String, error: &TraceError) -> std::fmt::Result {
    for line in wrap(
        &format!("Broken: {}", safe(&error.to_string())),
        COLUMNS - 2,
    ) {
        writeln!(text, "  {line}")?;
    }
    writeln!(text)
}

/// `web-1_disk.used_percent_var_1704748560_1a2b3c4d.svg`: nothing in it but letters, digits, dots and dashes, and
/// the checksum tells apart what looks the same without the rest.
fn file_name(trace: &Path, host: &str, chart: &Chart) -> String {
    /// Of each name; two of them, the time and the checksum stay far below 255 bytes.
    const KEPT: usize = 60;
    let plain = |name: &str| {
        let mut out = String::new();
        for c in name.chars().take(KEPT) {
            match c {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' => out.push(c),
                _ if out.ends_with('_') => {}
                _ => out.push('_'),
            }
        }
        out.trim_matches(['.', '_']).to_owned()
    };
    let series = &chart.prediction.series;
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(trace.as_os_str().as_encoded_bytes());
    checksum.update(&[0]);
    checksum.update(series.as_bytes());
    format!(
        "{}_{}_{}_{:08x}.svg",
        plain(host),
        plain(series),
        chart.prediction.raised_at,
        checksum.finalize()
    )
}

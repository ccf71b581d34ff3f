//! A progress bar on standard error, on a terminal, for replays that last longer than a moment.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// What is over sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);
/// Ten times a second looks smooth.
const REFRESH: Duration = Duration::from_millis(100);

/// Does `work` and shows meanwhile how much of `traces` has been read, by `read_bytes`.
pub fn shown<T>(traces: &[PathBuf], read_bytes: &AtomicU64, work: impl FnOnce() -> T) -> T {
    if !stderr().is_terminal() {
        return work();
    }
    let size = |trace: &PathBuf| std::fs::metadata(trace).map_or(0, |found| found.len());
    let total_bytes = traces.iter().map(size).sum();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            thread::park_timeout(PATIENCE);
            if !over.load(Ordering::Acquire) {
                watch(total_bytes, read_bytes, &over);
            }
        });
        let done = work();
        over.store(true, Ordering::Release);
        watcher.thread().unpark();
        done
    })
}

fn watch(total_bytes: u64, read_bytes: &AtomicU64, over: &AtomicBool) {
    let bar = ProgressBar::new(total_bytes);
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {percent:>3} %  {bytes}/{total_bytes}, {eta} left")
    {
        bar.set_style(style);
    }
    while !over.load(Ordering::Acquire) {
        bar.set_position(read_bytes.load(Ordering::Relaxed));
        thread::park_timeout(REFRESH);
    }
    bar.finish_and_clear();
}

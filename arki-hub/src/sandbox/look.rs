//! Looks: commands that only look (the probe, the measures), all of them through one shell.
//!
//! An exec costs the engine far more than `pgrep` costs the copy, and a trial looks again and again: so one shell stays in
//! the copy, waits until the service is ready, and runs the commands of each look one after the other. It reads them as
//! quoted words from its standard input (in its arguments, `pgrep -f` would find them) and starts each with `exec`, as it
//! stands. Each answer ends with a mark that nobody in the copy knew before the look:
//!
//! ```text
//! output of the first | MARK 0 \n | output of the second | MARK 1 \n | …
//! ```
//!
//! The action that is tried, the service and what stages it never come this way: they are started by the engine itself.
//! A shell that did not answer a look to its end is not asked again: the next look starts another one.

use super::container::Container;
use super::engine::EngineError;
use super::exec::{End, FLOOD_BYTES, Kept, Ran, Running};
use super::profile::Argv;
use super::result::STEP_BYTES_MAX;
use futures_util::StreamExt;
use std::fmt::Write as _;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout};

/// Between two tries to find a service ready: a thirtieth of a second, finer than a start that takes a tenth.
const AGAIN_S: &str = "0.03";

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    /// What has to end with 0 before.
    pub(super) wait: Option<&'a Argv>,
    /// What is run then, in this order.
    pub(super) commands: &'a [&'a Argv],
    /// For all of it.
    pub(super) time: Duration,
}

/// The shell of one copy; started by its first look.
#[derive(Default)]
pub(super) struct Shell(Option<Running>);

impl Shell {
    /// Looks at `container`; how each command ended, and how the look itself did.
    pub(super) async fn look(
        &mut self,
        container: &Container,
        look: &Look<'_>,
    ) -> Result<(Vec<Ran>, End), EngineError> {
        let mark = arki_model::hex::encode(&crate::random::bytes::<16>());
        let count = look.commands.len();
        let script = script(look, &mark);
        let begun = Instant::now();
        let mut kept = Kept::new(FLOOD_BYTES);
        let asked = async {
            // One that has ended since the last look is found out by asking it.
            if let Some(shell) = self.0.take() {
                let (end, shell) = ask(container, shell, &script, &mark, count, &mut kept).await;
                self.0 = shell;
                if self.0.is_some() || kept.seen > 0 {
                    return Ok(end);
                }
            }
            let Some(shell) = container.open(&vec!["sh".into()], true).await? else {
                return Ok(End::Gone);
            };
            let (end, shell) = ask(container, shell, &script, &mark, count, &mut kept).await;
            self.0 = shell;
            Ok(end)
        };
        let end = match timeout(look.time, asked).await {
            Err(_) => End::Late,
            Ok(end) => end?,
        };
        let ran = kept.ran(end.clone(), begun.elapsed());
        Ok((parts(&ran, &mark, count), end))
    }
}

/// Has `shell` run `script` and reads its `count` answers; it comes back if it gave them all.
async fn ask(
    container: &Container,
    mut shell: Running,
    script: &str,
    mark: &str,
    count: usize,
    kept: &mut Kept,
) -> (End, Option<Running>) {
    let mut answers = Answers::default();
    // One that does not read has ended, and so has what it writes.
    if shell.input.write_all(script.as_bytes()).await.is_ok() {
        let _flushed = shell.input.flush().await.is_ok();
    }
    while let Some(Ok(part)) = shell.output.next().await {
        kept.add(part.as_ref());
        if kept.seen > FLOOD_BYTES {
            return (End::Flood, None);
        }
        if answers.are(count, &kept.output, mark) {
            return (End::Exit(0), Some(shell));
        }
    }
    (container.end_of(shell).await, None)
}

/// How many answers an output holds that grows.
#[derive(Debug, Default)]
struct Answers {
    found: usize,
    /// No mark that was not found begins before.
    from: usize,
}

impl Answers {
    /// True once `output` holds `count` answers to their end.
    fn are(&mut self, count: usize, output: &[u8], mark: &str) -> bool {
        let mark = mark.as_bytes();
        while self.found < count {
            let rest = &output[self.from..];
            let Some(at) = rest.windows(mark.len()).position(|bytes| bytes == mark) else {
                self.from += (rest.len() + 1).saturating_sub(mark.len());
                return false;
            };
            self.from += at + mark.len();
            self.found += 1;
        }
        output[self.from..].contains(&b'\n')
    }
}

fn script(look: &Look<'_>, mark: &str) -> String {
    let mut text = String::new();
    if let Some(wait) = look.wait {
        let words = quoted(wait);
        // the shell's own limit, should nobody be there to end it
        let tries = look.time.as_secs().saturating_mul(30);
        let _never = write!(
            text,
            "i=0\nuntil (exec {words}) </dev/null >/dev/null 2>&1\ndo i=$((i + 1)); [ $i -lt {tries} ] || exit 1; sleep {AGAIN_S}\ndone\n"
        );
    }
    for argv in look.commands {
        let words = quoted(argv);
        let _never = write!(
            text,
            "(exec {words}) </dev/null 2>&1\nprintf '%s %d\\n' {mark} $?\n"
        );
    }
    text
}

/// Words that a shell takes as they stand: in single quotes nothing means anything but the quote itself.
fn quoted(argv: &Argv) -> String {
    let words = argv
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', r"'\''")));
    words.collect::<Vec<_>>().join(" ")
}

/// What each of `count` commands did. One whose mark is missing ended as the look did.
fn parts(ran: &Ran, mark: &str, count: usize) -> Vec<Ran> {
    let mut rest: &[u8] = &ran.output;
    let part = |_| {
        let at = rest
            .windows(mark.len())
            .position(|bytes| bytes == mark.as_bytes());
        let (output, end) = if let Some(at) = at {
            let (output, tail) = rest.split_at(at);
            let tail = tail.split_at(mark.len()).1;
            let line = tail.iter().position(|byte| *byte == b'\n');
            let (code, tail) = tail.split_at(line.unwrap_or(tail.len()));
            rest = tail.split_first().map_or(tail, |(_, tail)| tail);
            let code = str::from_utf8(code).ok();
            let code = code.and_then(|code| code.trim().parse().ok());
            (output, code.map_or(End::Gone, End::Exit))
        } else {
            let end = match &ran.end {
                End::Exit(_) => End::Gone,
                other => other.clone(),
            };
            (std::mem::take(&mut rest), end)
        };
        Ran {
            end,
            output: output.iter().take(STEP_BYTES_MAX).copied().collect(),
            truncated: output.len() > STEP_BYTES_MAX,
            duration: ran.duration,
        }
    };
    (0..count).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::process::Stdio;

    fn argv(words: &[&str]) -> Argv {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    /// What a shell here makes of it.
    #[expect(clippy::disallowed_methods, reason = "a shell is what the text is for")]
    fn shell(text: &str) -> Ran {
        let mut child = std::process::Command::new("sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        Ran {
            end: End::Exit(output.status.code().unwrap().into()),
            output: output.stdout,
            truncated: false,
            duration: Duration::from_millis(1),
        }
    }

    #[test]
    fn every_command_gets_its_words_as_they_stand_and_answers_for_itself() {
        let odd = "a'b\"$(touch /x)`;|\\\n *";
        let commands = [
            argv(&["printf", "%s", odd]),
            argv(&["cat"]),
            argv(&["sh", "-c", "echo no >&2; exit 7"]),
            argv(&["no-such-program-here"]),
            argv(&["test", "-e", "/"]),
        ];
        let ready = argv(&["true"]);
        let look = Look {
            wait: Some(&ready),
            commands: &commands.each_ref(),
            time: Duration::from_secs(5),
        };
        let ran = shell(&script(&look, "MARK"));
        let all = parts(&ran, "MARK", commands.len());
        let codes: Vec<&End> = all.iter().map(|part| &part.end).collect();
        assert_eq!(
            codes,
            [0, 0, 7, 127, 0].map(End::Exit).each_ref(),
            "{all:?}"
        );
        assert_eq!(String::from_utf8_lossy(&all[0].output), odd);
        assert_eq!(
            (all[1].output.as_slice(), all[2].output.as_slice()),
            (&b""[..], &b"no\n"[..]),
            "the script is nobody's input"
        );
    }

    #[test]
    fn answers_are_whole_once_the_last_mark_has_its_line_wherever_the_output_is_cut() {
        let output = b"one\nMARK 0\nMARtwoMARK 1\n";
        for cut in 0..=output.len() {
            let mut answers = Answers::default();
            let first = answers.are(2, &output[..cut], "MARK");
            assert_eq!(first, cut == output.len(), "{cut}");
            assert!(answers.are(2, output, "MARK"), "{cut}");
        }
        assert!(!Answers::default().are(3, output, "MARK"));
    }

    #[test]
    fn what_never_gets_ready_ends_and_what_did_not_answer_says_so() {
        let (never, command) = (argv(&["false"]), argv(&["echo", "x"]));
        let look = Look {
            wait: Some(&never),
            commands: &[&command],
            time: Duration::ZERO,
        };
        let mut ran = shell(&script(&look, "MARK"));
        assert_eq!(ran.end, End::Exit(1));
        assert_eq!(parts(&ran, "MARK", 1)[0].end, End::Gone);
        ran.end = End::Late;
        ran.output = b"one\nMARK 0\ntw".to_vec();
        let all = parts(&ran, "MARK", 3);
        assert_eq!(all[0].end, End::Exit(0));
        assert_eq!(
            (&all[1].end, all[1].output.as_slice()),
            (&End::Late, &b"tw"[..])
        );
        assert_eq!((&all[2].end, all[2].output.len()), (&End::Late, 0));
    }
}

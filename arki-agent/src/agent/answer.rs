//! What a running agent answers on its socket.

use super::Agent;
use crate::collect::Moment;
use crate::context::AnnounceError;
use crate::export;
use crate::socket::message::{Request, Response};
use crate::terminal::span;
use arki_model::dsse;

/// Events in one answer: at most 64 lines of 4 to 20 KiB.
const EVENTS_PER_ANSWER: usize = 64;

impl Agent {
    /// Answers one request. `trusted` is what the kernel says of who asks.
    pub fn answer(&mut self, request: Request, trusted: bool) -> Response {
        self.rare_work = true;
        if request.changes() && !trusted {
            let reason = "only root, the agent's user and its group may change this".to_owned();
            return Response::Refused { reason };
        }
        match request {
            Request::Status => {
                // What the hub said since the last pass is wrong now, not at the next one.
                self.note_problems();
                Response::Status(Box::new(self.status()))
            }
            Request::Explain { what } => match self.explain(&what) {
                Ok(explanation) => Response::Explanation(Box::new(explanation)),
                Err(reason) => Response::Refused { reason },
            },
            Request::Events { from } => self.signed_lines(from),
            Request::Export {
                detail,
                from_s,
                since_s,
            } => {
                let engine = self.pipeline.engine();
                let asked = export::Asked {
                    detail,
                    from_s,
                    since_s,
                };
                Response::Rows(export::page(engine.registry(), engine.windows(), &asked))
            }
            Request::ContextBegin {
                name,
                ttl_s,
                series,
            } => self.begin_context(&name, ttl_s, &series),
            Request::ContextEnd { name } => self.end_context(&name),
            Request::ContextList => Response::Contexts {
                contexts: self.context_list(),
            },
        }
    }

    fn begin_context(&mut self, name: &str, ttl_s: u64, series: &[String]) -> Response {
        let now_s = self.time.at(Moment::now(&*self.clock));
        let done = self
            .contexts
            .announced_mut()
            .begin(name, ttl_s, series, now_s);
        self.announced(done, || {
            format!("{name} is known for {}", span(ttl_s as f64))
        })
    }

    fn end_context(&mut self, name: &str) -> Response {
        let now_s = self.time.at(Moment::now(&*self.clock));
        let done = self.contexts.announced_mut().end(name, now_s);
        self.announced(done, || format!("{name} is over"))
    }

    /// Saves what was announced, so that a restart in the middle of a backup does not forget it.
    fn announced(
        &mut self,
        done: Result<(), AnnounceError>,
        text: impl Fn() -> String,
    ) -> Response {
        match done {
            Ok(()) => {
                self.due.contexts = true;
                self.settle();
                Response::Done { text: text() }
            }
            Err(error) => Response::Refused {
                reason: error.to_string(),
            },
        }
    }

    fn signed_lines(&self, from: u64) -> Response {
        let key = self.key.public();
        let events = self.log.read_from(from, EVENTS_PER_ANSWER);
        let lines: Result<Vec<String>, _> = events
            .iter()
            .map(|signed| dsse::to_line(signed, &key))
            .collect();
        match lines {
            Ok(lines) => {
                let last = events
                    .last()
                    .and_then(|signed| arki_model::chain::decode(&signed.payload).ok());
                let more = last.filter(|last| last.sequence < self.log.head().sequence);
                Response::Events {
                    lines,
                    next: more.map(|last| last.sequence + 1),
                }
            }
            Err(error) => Response::Refused {
                reason: format!("an event cannot be written as text: {error}"),
            },
        }
    }
}

//! What a running agent answers on its socket.

use super::Agent;
use crate::socket::message::{Request, Response};
use arki_model::dsse;

/// Events in one answer: at most 64 lines of 4 to 20 KiB.
const EVENTS_PER_ANSWER: usize = 64;

impl Agent {
    /// Answers one request. `trusted` is what the kernel says of who asks.
    pub fn answer(&mut self, request: Request, trusted: bool) -> Response {
        if request.changes() && !trusted {
            let reason = "only root, the agent's user and its group may change this".to_owned();
            return Response::Refused { reason };
        }
        match request {
            Request::Status => Response::Status(Box::new(self.status())),
            Request::Explain { what } => match self.explain(&what) {
                Ok(explanation) => Response::Explanation(Box::new(explanation)),
                Err(reason) => Response::Refused { reason },
            },
            Request::Events { from } => self.signed_lines(from),
            Request::ContextBegin { .. } | Request::ContextEnd { .. } | Request::ContextList => {
                Response::Contexts {
                    contexts: Vec::new(),
                }
            }
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

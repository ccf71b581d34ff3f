//! What is asked and answered.

use super::VERSION;
use crate::explain::Explanation;
use crate::export::{Detail, Page};
use crate::status::{Context, Status};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// How the agent is.
    Status,
    /// Everything about an event, or about a series.
    Explain {
        /// An event's id, the beginning of one, its number, or a series.
        what: String,
    },
    /// Something known begins.
    ContextBegin {
        /// What it is called.
        name: String,
        /// For how many seconds, at most.
        ttl_s: u64,
        /// The series it explains, as globs; empty means all.
        series: Vec<String>,
    },
    /// It is over.
    ContextEnd {
        /// What it is called.
        name: String,
    },
    /// What is known to be going on.
    ContextList,
    /// Signed events as DSSE lines, from a number on.
    Events {
        /// The number of the first.
        from: u64,
    },
    /// What is in the windows, in rows of a trace.
    Export {
        /// Which of the rings.
        detail: Detail,
        /// The time from which on, in Unix seconds.
        from_s: i64,
        /// At most this many seconds before the newest row.
        since_s: Option<u64>,
    },
}

impl Request {
    /// True if it changes something: not for everybody who can connect.
    pub fn changes(&self) -> bool {
        matches!(self, Self::ContextBegin { .. } | Self::ContextEnd { .. })
    }
}

/// What the daemon answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Response {
    /// How the agent is.
    Status(Box<Status>),
    /// Everything about an event or a series.
    Explanation(Box<Explanation>),
    /// What is known to be going on.
    Contexts {
        /// All of them.
        contexts: Vec<Context>,
    },
    /// Signed events.
    Events {
        /// One DSSE envelope each.
        lines: Vec<String>,
        /// The number to ask for next; `None` at the end.
        next: Option<u64>,
    },
    /// Rows of a trace.
    Rows(Page),
    /// Done.
    Done {
        /// What.
        text: String,
    },
    /// Not done.
    Refused {
        /// Why, and what to do.
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Asked<T> {
    version: u32,
    request: T,
}

#[derive(Serialize, Deserialize)]
struct Answered<T> {
    version: u32,
    response: T,
}

/// Only the version, which is read first: a newer one may have requests that this one does not know.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// One request as a line, with its end.
pub fn request_line(request: &Request) -> Result<String, serde_json::Error> {
    line(&Asked {
        version: VERSION,
        request,
    })
}

/// One response as a line, with its end.
pub fn response_line(response: &Response) -> Result<String, serde_json::Error> {
    line(&Answered {
        version: VERSION,
        response,
    })
}

/// Reads a request; the error is for the one who sent it.
pub fn read_request(line: &[u8]) -> Result<Request, String> {
    read::<Asked<Request>>(line).map(|asked| asked.request)
}

/// Reads a response; the error is for the one who asked.
pub fn read_response(line: &[u8]) -> Result<Response, String> {
    read::<Answered<Response>>(line).map(|answered| answered.response)
}

fn line(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut line = serde_json::to_string(value)?;
    line.push('\n');
    Ok(line)
}

fn read<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    let spoken: Versioned = serde_json::from_slice(line)
        .map_err(|error| format!("not a line of this protocol: {error}"))?;
    if spoken.version != VERSION {
        return Err(format!(
            "speaks version {} of the protocol, this side speaks {VERSION}: restart the agent after an upgrade",
            spoken.version
        ));
    }
    serde_json::from_slice(line).map_err(|error| format!("not understood: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_this_line() {
        let request = Request::Explain {
            what: "disk".into(),
        };
        let line = request_line(&request).unwrap();
        assert_eq!(
            line,
            "{\"version\":1,\"request\":{\"kind\":\"explain\",\"what\":\"disk\"}}\n"
        );
        assert_eq!(read_request(line.as_bytes()), Ok(request));
    }

    #[test]
    fn rubbish_and_other_versions_are_told_apart() {
        assert!(
            read_request(b"GET / HTTP/1.1")
                .unwrap_err()
                .starts_with("not a line of this protocol")
        );
        assert!(
            read_request(b"{\"version\":2,\"request\":{\"kind\":\"new\"}}")
                .unwrap_err()
                .contains("version 2")
        );
        assert!(
            read_request(b"{\"version\":1,\"request\":{\"kind\":\"new\"}}")
                .unwrap_err()
                .starts_with("not understood")
        );
    }
}

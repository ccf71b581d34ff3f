//! Every refusal as `application/problem+json` (RFC 9457).

use crate::store::StoreError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// What is wrong and what to do, for a person.
    pub detail: String,
    /// When to try again, in seconds.
    pub retry_after_s: Option<u64>,
    /// Which, for programs: a URI, `about:blank` where the status says it all.
    pub kind: &'static str,
}

impl Problem {
    /// A refusal with its reason.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            status,
            detail,
            retry_after_s: None,
            kind: "about:blank",
        }
    }

    /// 400: what was sent makes no sense.
    pub fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 404: there is no such thing.
    pub fn missing(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no such {what}"))
    }

    /// 401: nobody, or nobody any more.
    pub fn unknown_caller() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "send an API key or access token that is valid as `Authorization: Bearer …` (`arki-hub key create` makes one)",
        )
    }

    /// 503: later.
    pub fn later(detail: impl Into<String>, seconds: u64) -> Self {
        Self {
            retry_after_s: Some(seconds),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
                .of_kind(arki_model::wire::problem::BUSY)
        }
    }

    /// The same with a type that programs know.
    #[must_use]
    pub fn of_kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }
}

impl From<StoreError> for Problem {
    /// What the database says stays in the log: it may name tables and values.
    fn from(error: StoreError) -> Self {
        if let StoreError::Unavailable(_) = error {
            tracing::warn!(%error, "a request has to wait for the database");
            return Self::later("the database cannot be used now; try again", 5);
        }
        tracing::error!(%error, "a request failed in the database");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the hub could not do it; its log says why",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": self.kind,
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, kind, body.to_string()).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"arki-hub\""),
            );
        }
        response
    }
}

/// A refusal of the framework, which is plain text, as a problem.
pub(super) async fn from_plain(response: Response) -> Response {
    let status = response.status();
    // it is ours and short; what is longer is not worth showing
    let text = axum::body::to_bytes(response.into_body(), 1_024)
        .await
        .unwrap_or_default();
    Problem::new(status, String::from_utf8_lossy(&text)).into_response()
}

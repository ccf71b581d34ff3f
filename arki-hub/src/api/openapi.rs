//! The OpenAPI document of the API, as it is served; a test holds it to the route table.

use axum::http::header;
use axum::response::IntoResponse;

/// OpenAPI 3.1 (<https://spec.openapis.org/oas/v3.1.0>).
pub const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /v1/openapi.json`
pub async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}

//! One HTTP/1.1 connection to the hub, made when it is needed and closed when nothing is left to send.
//!
//! hyper over tokio-rustls directly, without a pool: one request at a time, buffers of 16 KiB, no thread but the one
//! that resolves a name. Everything has a time limit, and an answer a length limit.

use super::proxy::Proxy;
use super::roots::Roots;
use super::{Endpoint, EndpointError};
use arki_model::wire::ANSWER_BYTES_MAX;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// For a name, a connection, a tunnel and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// For sending a batch and the hub's commit; a hub that is busy says so instead.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// hyper's own default is 400 KiB.
const BUFFER_BYTES_MAX: usize = 16 * 1024;

/// What a hub answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// What it asked to wait.
    pub retry_after: Option<Duration>,
    /// At most [`ANSWER_BYTES_MAX`] bytes.
    pub body: Vec<u8>,
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection.
    #[error("cannot connect to {to}: {reason}")]
    Connect {
        /// The hub or the proxy.
        to: String,
        /// Why.
        reason: io::Error,
    },
    /// It took too long.
    #[error("{0} does not answer")]
    Timeout(String),
    /// HTTP failed.
    #[error("the connection to the hub failed: {0}")]
    Http(#[from] hyper::Error),
    /// The request cannot be made.
    #[error("cannot make the request: {0}")]
    Request(#[from] hyper::http::Error),
    /// Too long.
    #[error(
        "the answer has more than {ANSWER_BYTES_MAX} bytes; is something else listening there?"
    )]
    TooLong,
}

struct Open {
    requests: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Speaks to one hub.
pub struct Client {
    endpoint: Endpoint,
    proxy: Option<Proxy>,
    ca_file: Option<PathBuf>,
    /// Made with the first connection; remembers one session, so that most handshakes are short.
    tls: Option<Arc<ClientConfig>>,
    open: Option<Open>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({})", self.endpoint.authority())
    }
}

impl Client {
    /// A client for the hub at `url`. Certificates are those of `ca_file`, or of the system.
    pub fn new(url: &str, ca_file: Option<PathBuf>) -> Result<Self, EndpointError> {
        let endpoint = Endpoint::parse(url)?;
        let proxy = Proxy::find(&endpoint, |name| std::env::var(name).ok());
        Ok(Self {
            endpoint,
            proxy,
            ca_file,
            tls: None,
            open: None,
        })
    }

    /// Closes the connection, if there is one.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// Sends `body` and waits for the answer. After an error the connection is closed.
    pub async fn post(
        &mut self,
        path: &str,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> Result<Answer, ClientError> {
        let answer = self.try_post(path, content_type, body).await;
        if answer.is_err() {
            self.close();
        }
        answer
    }

    async fn try_post(
        &mut self,
        path: &str,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> Result<Answer, ClientError> {
        let request = Request::post(format!("{}{path}", self.endpoint.prefix))
            .header(HOST, self.endpoint.authority())
            .header(
                USER_AGENT,
                concat!("arki-agent/", env!("CARGO_PKG_VERSION")),
            )
            .header(CONTENT_TYPE, content_type)
            .body(Full::new(Bytes::from(body)))?;
        let authority = self.endpoint.authority();
        if self
            .open
            .as_ref()
            .is_none_or(|open| open.requests.is_closed())
        {
            let connecting = timeout(CONNECT_TIMEOUT, self.connect()).await;
            let open = connecting.map_err(|_| ClientError::Timeout(authority.clone()))??;
            self.open = Some(open);
        }
        let Some(open) = self.open.as_mut() else {
            return Err(ClientError::Timeout(authority));
        };
        let exchange = async {
            open.requests.ready().await?;
            let response = open.requests.send_request(request).await?;
            read(response).await
        };
        let answer = timeout(ANSWER_TIMEOUT, exchange).await;
        answer.map_err(|_| ClientError::Timeout(authority))?
    }

    async fn connect(&mut self) -> Result<Open, ClientError> {
        let to = self.proxy.as_ref().map_or_else(
            || self.endpoint.authority(),
            |proxy| proxy.authority.clone(),
        );
        let failed = |reason| ClientError::Connect {
            to: to.clone(),
            reason,
        };
        let mut stream = TcpStream::connect(&to).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        if let Some(proxy) = &self.proxy {
            let tunnel = proxy.tunnel(&mut stream, &self.endpoint).await;
            tunnel.map_err(failed)?;
        }
        if !self.endpoint.is_tls {
            return Ok(handshake(stream).await?);
        }
        let name = ServerName::try_from(self.endpoint.host.clone())
            .map_err(|error| failed(io::Error::other(error)))?;
        let config = self
            .tls()
            .map_err(|error| failed(io::Error::other(error)))?;
        let tls = TlsConnector::from(config).connect(name, stream).await;
        Ok(handshake(tls.map_err(failed)?).await?)
    }

    fn tls(&mut self) -> Result<Arc<ClientConfig>, rustls::Error> {
        if let Some(config) = &self.tls {
            return Ok(Arc::clone(config));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = Roots {
            ca_file: self.ca_file.clone(),
            provider: Arc::clone(&provider),
        };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            // The name is rustls': this verifier is rustls' own, with its roots read late.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(roots))
            .with_no_client_auth();
        config.resumption = Resumption::in_memory_sessions(2);
        let config = Arc::new(config);
        self.tls = Some(Arc::clone(&config));
        Ok(config)
    }
}

async fn handshake<S>(stream: S) -> Result<Open, hyper::Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (requests, connection) = Builder::new()
        .max_buf_size(BUFFER_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await?;
    let driver = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection to the hub ended");
        }
    });
    Ok(Open { requests, driver })
}

async fn read(response: Response<Incoming>) -> Result<Answer, ClientError> {
    let header = |name| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let retry_after = header(RETRY_AFTER).and_then(|text| text.trim().parse().ok());
    let length = header(CONTENT_LENGTH).and_then(|text| text.parse::<usize>().ok());
    if length.is_some_and(|length| length > ANSWER_BYTES_MAX) {
        return Err(ClientError::TooLong);
    }
    let mut answer = Answer {
        status: response.status().as_u16(),
        retry_after: retry_after.map(Duration::from_secs),
        body: Vec::new(),
    };
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            if answer.body.len() + data.len() > ANSWER_BYTES_MAX {
                return Err(ClientError::TooLong);
            }
            answer.body.extend_from_slice(&data);
        }
    }
    Ok(answer)
}

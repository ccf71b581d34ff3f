//! The client over real sockets: plain, through a proxy, and against servers that misbehave.

use super::*;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const GOOD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nRetry-After: 9\r\n\r\nok";

/// Answers every request with `answer`, byte for byte, and counts connections.
async fn serve(answer: String) -> (SocketAddr, Rc<Cell<u32>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Rc::new(Cell::new(0));
    let count = Rc::clone(&connections);
    tokio::task::spawn_local(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            count.set(count.get() + 1);
            let answer = answer.clone();
            tokio::task::spawn_local(async move {
                let mut seen = Vec::new();
                let mut piece = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut piece).await {
                    seen.extend_from_slice(&piece[..read]);
                    if seen.ends_with(b"BODY") {
                        seen.clear();
                        if stream.write_all(answer.as_bytes()).await.is_err() || answer.is_empty() {
                            break;
                        }
                    }
                }
            });
        }
    });
    (address, connections)
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

fn client(address: SocketAddr) -> Client {
    Client::new(&format!("http://{address}"), None).unwrap()
}

#[test]
fn a_connection_is_kept_while_there_is_something_to_say_and_closed_after() {
    run(async {
        let (address, connections) = serve(GOOD.to_owned()).await;
        let mut client = client(address);
        for _ in 0..3 {
            let answer = client
                .post("/v1/ingest", "text/plain", b"BODY".to_vec())
                .await
                .unwrap();
            assert_eq!(
                (answer.status, answer.body.as_slice()),
                (200, b"ok".as_slice())
            );
            assert_eq!(answer.retry_after, Some(Duration::from_secs(9)));
        }
        assert_eq!(connections.get(), 1);
        client.close();
        client
            .post("/", "text/plain", b"BODY".to_vec())
            .await
            .unwrap();
        assert_eq!(connections.get(), 2);
    });
}

#[test]
fn whatever_a_server_answers_is_an_answer_or_an_error() {
    let endless = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{}",
        "x".repeat(1 << 16)
    );
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n{}\r\n0\r\n\r\n",
        "x".repeat(0x10000)
    );
    let headers = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1 << 16));
    for answer in [
        endless,
        chunked,
        headers,
        String::new(),
        "SSH-2.0-OpenSSH\r\n".to_owned(),
    ] {
        run(async {
            let (address, _) = serve(answer.clone()).await;
            let mut client = client(address);
            let said = client.post("/", "text/plain", b"BODY".to_vec()).await;
            assert!(said.is_err(), "{said:?}");
        });
    }
    run(async {
        let nobody = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        let said = client(nobody)
            .post("/", "text/plain", Vec::new())
            .await
            .unwrap_err();
        assert!(
            said.to_string().starts_with("cannot connect to 127.0.0.1:"),
            "{said}"
        );
    });
}

#[test]
fn a_server_without_tls_is_no_hub() {
    run(async {
        let (address, _) = serve(GOOD.to_owned()).await;
        let mut client = Client::new(&format!("https://{address}"), None).unwrap();
        let connecting = client.post("/", "text/plain", b"BODY".to_vec());
        // The plain server waits for the end of a body that never comes.
        let said = tokio::time::timeout(Duration::from_secs(2), connecting).await;
        assert!(said.is_err() || said.unwrap().is_err());
    });
}

/// A TLS server with the certificate of the test authority, for `localhost` and 127.0.0.1.
async fn serve_tls() -> (SocketAddr, Rc<Cell<u32>>) {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let certificate = CertificateDer::from_pem_slice(include_bytes!("data/leaf.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("data/leaf.key")).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let resumed = Rc::new(Cell::new(0));
    let count = Rc::clone(&resumed);
    tokio::task::spawn_local(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            if stream.get_ref().1.handshake_kind() == Some(rustls::HandshakeKind::Resumed) {
                count.set(count.get() + 1);
            }
            let mut seen = Vec::new();
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = stream.read(&mut piece).await {
                seen.extend_from_slice(&piece[..read]);
                if seen.ends_with(b"BODY") {
                    stream.write_all(GOOD.as_bytes()).await.unwrap();
                }
            }
        }
    });
    (address, resumed)
}

fn authority() -> std::path::PathBuf {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/ship/tests/data/ca.pem");
    path.into()
}

#[test]
fn a_hub_is_believed_by_the_named_authority_and_by_no_other() {
    run(async {
        let (address, resumed) = serve_tls().await;
        let mut client = Client::new(&format!("https://{address}"), Some(authority())).unwrap();
        for _ in 0..3 {
            let answer = client
                .post("/", "text/plain", b"BODY".to_vec())
                .await
                .unwrap();
            assert_eq!(answer.status, 200);
            client.close();
        }
        assert_eq!(resumed.get(), 2, "later handshakes are short");

        let url = format!("https://localhost:{}", address.port());
        let mut client = Client::new(&url, Some(authority())).unwrap();
        assert!(
            client
                .post("/", "text/plain", b"BODY".to_vec())
                .await
                .is_ok()
        );

        drop(client);
        // The system's authorities do not know it; an empty file knows nobody.
        for ca_file in [None, Some("/dev/null".into()), Some("/nonexistent".into())] {
            let mut client = Client::new(&format!("https://{address}"), ca_file).unwrap();
            let said = client
                .post("/", "text/plain", b"BODY".to_vec())
                .await
                .unwrap_err();
            assert!(matches!(said, ClientError::Connect { .. }), "{said}");
        }
    });
}

#[test]
fn a_proxy_is_asked_for_a_tunnel_and_its_refusal_is_told() {
    run(async {
        for (line, is_open) in [
            ("HTTP/1.1 200 Connection established\r\n\r\n", true),
            ("HTTP/1.1 407 Who are you?\r\n\r\n", false),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let proxy = listener.local_addr().unwrap();
            let asked = tokio::task::spawn_local(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 1024];
                let read = stream.read(&mut request).await.unwrap();
                stream.write_all(line.as_bytes()).await.unwrap();
                String::from_utf8_lossy(&request[..read]).into_owned()
            });
            let hub = Endpoint::parse("https://hub.example.org:8420").unwrap();
            let variable =
                |name: &str| (name == "https_proxy").then(|| format!("http://me:secret@{proxy}"));
            let found = proxy::Proxy::find(&hub, variable).unwrap();
            let mut stream = tokio::net::TcpStream::connect(&found.authority)
                .await
                .unwrap();
            let opened = found.tunnel(&mut stream, &hub).await;
            assert_eq!(opened.is_ok(), is_open, "{opened:?}");
            let asked = asked.await.unwrap();
            assert!(
                asked.starts_with("CONNECT hub.example.org:8420 HTTP/1.1\r\n"),
                "{asked}"
            );
            assert!(
                asked.contains("\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n"),
                "{asked}"
            );
        }
    });
}

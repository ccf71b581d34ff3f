//! TLS by the hub itself, and mail over TLS, with a certificate that `openssl` made for the test.

use crate::program::{Agent, Hub, wait};
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

/// Makes a certificate for this host's loopback names in `folder`: `NAME.pem` and `NAME.key`.
async fn certificate(folder: &Path, name: &str) {
    let output = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args([
            "-subj",
            "/CN=arki test",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ])
        // what a client believes must be an authority or end entity that says what it is for
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(folder.join(format!("{name}.key")))
        .arg("-out")
        .arg(folder.join(format!("{name}.pem")))
        .output()
        .await
        .expect("openssl is a package of every distribution");
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_believes_the_certificate_that_it_was_told_to_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "hub").await;
    certificate(folder.path(), "other").await;
    let path = folder.path().display();
    let hub = Hub::start(&format!(
        "[tls]\ncertificate_file = '{path}/hub.pem'\nkey_file = '{path}/hub.key'\n"
    ))
    .await;
    let token = hub.token().await;
    let args = [
        "enroll",
        "--hub",
        &hub.url,
        "--token-file",
        token.to_str().unwrap(),
    ];

    let wary = Agent::new("web-1", &format!("[hub]\nca_file = '{path}/other.pem'\n"));
    let output = wary.home.ask(&args).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("certificate"),
        "{said}"
    );

    let agent = Agent::new("web-1", &format!("[hub]\nca_file = '{path}/hub.pem'\n"));
    let said = agent.home.done(&args).await;
    assert!(said.contains("enrolled at https://127.0.0.1"), "{said}");

    // whoever says nothing, or no TLS, is cut off and harms nobody
    let address = hub.url.trim_start_matches("https://");
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain
        .write_all(b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n")
        .await
        .unwrap();
    for stream in [&mut silent, &mut plain] {
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(!answer.contains("HTTP"), "{answer}");
    }
    let listed = hub.home.done(&["agent", "list"]).await;
    assert!(listed.contains("web-1"), "{listed}");
}

/// A real mail server: Debian's `python3-aiosmtpd`, with STARTTLS, writing into a Maildir.
#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_to_a_real_server_over_tls() {
    let python = "/usr/bin/python3";
    let probe = Command::new(python)
        .args(["-c", "import aiosmtpd"])
        .output()
        .await;
    if !probe.is_ok_and(|output| output.status.success()) {
        let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(
            !is_ci,
            "in CI nothing is skipped: python3-aiosmtpd is missing"
        );
        println!("SKIPPED: no mail server here (package python3-aiosmtpd)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "mail").await;
    let path = folder.path().display().to_string();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let _server = Command::new(python)
        .args([
            "-m",
            "aiosmtpd",
            "-n",
            "-l",
            &format!("127.0.0.1:{port}"),
            "-c",
            "aiosmtpd.handlers.Mailbox",
        ])
        .arg(format!("{path}/mails"))
        .args([
            "--tlscert",
            &format!("{path}/mail.pem"),
            "--tlskey",
            &format!("{path}/mail.key"),
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let listens = async || TcpStream::connect(("127.0.0.1", port)).await.is_ok();
    wait("the mail server", listens, String::new).await;

    let config = format!(
        "public_url = 'https://hub.example.org'\n[notify.smtp]\nhost = 'localhost'\nport = {port}\nsecurity = 'starttls'\n\
         from = 'Arki <arki@example.org>'\nto = ['ops@example.org', 'Zoë <zoe@example.org>']\n"
    );
    let hub = Hub::start(&config).await;
    let refused = hub.home.ask(&["notify", "test"]).await;
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(
        !refused.status.success() && said.contains("smtp: NOT sent"),
        "{said}"
    );
    let believed = format!("{path}/mail.pem");
    let output = hub
        .home
        .ask_with(&["notify", "test"], &[("SSL_CERT_FILE", &believed)])
        .await;
    assert!(output.status.success(), "{output:?}");

    let mails: Vec<_> = std::fs::read_dir(format!("{path}/mails/new"))
        .unwrap()
        .collect();
    assert_eq!(mails.len(), 1, "one mail for all");
    let mail = std::fs::read_to_string(mails[0].as_ref().unwrap().path()).unwrap();
    for part in [
        "Subject: Arki: a test message",
        "From: Arki <arki@example.org>",
        "ops@example.org",
        "Message-ID: <",
    ] {
        assert!(mail.contains(part), "{part} in\n{mail}");
    }
}

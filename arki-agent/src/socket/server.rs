//! The answering side: accepts clients, reads their lines within limits and hands them to the daemon's loop.
//!
//! A client never touches the agent: its request goes through a bounded channel to the loop that owns everything, and
//! the answer comes back as a finished line.

use super::message::{Request, Response, read_request, response_line};
use super::{CLIENTS_MAX, IDLE, REQUEST_BYTES_MAX};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// A request on its way to the daemon's loop.
#[derive(Debug)]
pub struct Asked {
    /// What is asked.
    pub request: Request,
    /// True if the peer may change something.
    pub trusted: bool,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Response>,
}

/// The socket; removed when dropped.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
    clients: std::rc::Rc<()>,
}

impl Server {
    /// Listens at `path`, which may hold the socket of an agent that is gone.
    pub fn bind(path: &Path) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(parent)?;
        }
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            let text = "another agent answers here already; name another path (socket)";
            return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, Permissions::from_mode(0o660))?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            clients: std::rc::Rc::new(()),
        })
    }

    /// Accepts one client and serves it beside everything else. Cancel-safe.
    pub async fn accept(&self, requests: &mpsc::Sender<Asked>) {
        match self.listener.accept().await {
            // One reference is the server's own. A client too many is closed without a word, so that a flood costs
            // no memory.
            Ok((stream, _)) if std::rc::Rc::strong_count(&self.clients) <= CLIENTS_MAX => {
                let (requests, slot) = (requests.clone(), std::rc::Rc::clone(&self.clients));
                tokio::task::spawn_local(async move {
                    if let Err(error) = serve(stream, requests).await {
                        tracing::debug!(%error, "a client left");
                    }
                    drop(slot);
                });
            }
            Ok(_) => tracing::debug!("too many clients"),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a client");
                // Out of descriptors: do not spin.
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(%error, "cannot remove the socket");
        }
    }
}

async fn serve(stream: UnixStream, requests: mpsc::Sender<Asked>) -> io::Result<()> {
    let trusted = is_trusted(&stream);
    let mut stream = BufReader::with_capacity(1024, stream);
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut stream).take(REQUEST_BYTES_MAX as u64 + 1);
        timeout(IDLE, limited.read_until(b'\n', &mut line)).await??;
        if line.is_empty() {
            return Ok(());
        }
        let whole = line.ends_with(b"\n");
        let response = if whole {
            ask(&line, trusted, &requests).await?
        } else {
            let reason = format!("a request is one line of at most {REQUEST_BYTES_MAX} bytes");
            Response::Refused { reason }
        };
        let answer = response_line(&response)?;
        timeout(IDLE, stream.get_mut().write_all(answer.as_bytes())).await??;
        if !whole {
            return Ok(());
        }
    }
}

async fn ask(line: &[u8], trusted: bool, requests: &mpsc::Sender<Asked>) -> io::Result<Response> {
    let request = match read_request(line) {
        Ok(request) => request,
        Err(reason) => return Ok(Response::Refused { reason }),
    };
    let (answer, answered) = oneshot::channel();
    let asked = Asked {
        request,
        trusted,
        answer,
    };
    let leaving = |()| io::Error::other("the agent is stopping");
    requests.send(asked).await.map_err(|_| leaving(()))?;
    answered.await.map_err(|_| leaving(()))
}

/// True for root, for the agent's own user, and for members of its group.
fn is_trusted(stream: &UnixStream) -> bool {
    let Ok(peer) = stream.peer_cred() else {
        return false;
    };
    let (own_user, own_group) = (
        nix::unistd::geteuid().as_raw(),
        nix::unistd::getegid().as_raw(),
    );
    peer.uid() == 0
        || peer.uid() == own_user
        || peer.gid() == own_group
        || peer
            .pid()
            .is_some_and(|pid| supplementary_groups(pid).contains(&own_group))
}

/// The kernel names only the peer's first group on the socket; the others are in `/proc`.
fn supplementary_groups(pid: i32) -> Vec<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("Groups:"))
        .map(|groups| {
            groups
                .split_whitespace()
                .filter_map(|group| group.parse().ok())
                .collect()
        })
        .unwrap_or_default()
}

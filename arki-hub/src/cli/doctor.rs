//! `doctor`: checks what `serve` would need, and says what is wrong and what to do.

use super::{now_s, owner, safe, say};
use crate::config::{Config, redacted};
use crate::notify::address;
use crate::sandbox::engine::Engine;
use crate::sandbox::images;
use crate::sandbox::profiles::Profiles;
use crate::store::Store;
use crate::{secret, tls};
use std::path::Path;

pub(super) async fn run(path: Option<&Path>) -> anyhow::Result<()> {
    let mut report = Report::default();
    let config = Config::load(path, super::environment());
    report.add(
        "configuration",
        config
            .as_ref()
            .map(|_| "understood".into())
            .map_err(ToString::to_string),
    )?;
    let Ok(config) = config else {
        return report.end();
    };
    let acceptor = tls::server(&config.tls).map(|tls| match tls {
        Some(_) => "certificate and key fit".to_owned(),
        None if config.listen.ip().is_loopback() => "off; listening on loopback only".to_owned(),
        None => "OFF, and listening beyond this host: put a proxy with TLS in front, or set [tls]"
            .to_owned(),
    });
    report.add("tls", acceptor)?;
    let bound = std::net::TcpListener::bind(config.listen);
    let listen = match bound {
        Ok(_) => Ok(format!("{} is free", config.listen)),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Ok(format!("{} is in use: by the running hub?", config.listen))
        }
        Err(error) => Err(format!("{}: {error}", config.listen)),
    };
    report.add("listen", listen)?;
    let url = redacted(&config.database.url);
    if owner::would_take(&config.database) {
        // It needs root for the engine; so it makes nothing.
        report.add("database", Ok(format!("{url}: made when the hub starts")))?;
        channels(&config, &mut report).await?;
        return report.end();
    }
    let store = crate::store::open(&config.database, now_s()).await;
    let database = store
        .as_ref()
        .map(|store| format!("{url}: {}, schema up to date", store.edition()));
    report.add(
        "database",
        database.map_err(|error| format!("{url}: {error}")),
    )?;
    if let Ok(store) = store {
        let key = crate::hub::own_key(&*store).await;
        let shown =
            key.map(|key| format!("{} (agents pin it when they enrol)", key.public().to_hex()));
        report.add("key", shown.map_err(|error| error.to_string()))?;
        sandbox(&config, &*store, &mut report).await?;
    }
    channels(&config, &mut report).await?;
    report.end()
}

/// The engine and the images of the sandbox, where a runner is configured.
async fn sandbox(config: &Config, store: &dyn Store, report: &mut Report) -> anyhow::Result<()> {
    let profiles = Profiles::load(&config.sandbox.profiles);
    let counted = profiles
        .as_ref()
        .map(|all| format!("{} services", all.iter().count()));
    report.add("sandbox.profiles", counted.map_err(ToString::to_string))?;
    for hook in &config.sandbox.hook {
        let secrets: Result<Vec<_>, _> = hook
            .secret_files
            .iter()
            .map(|file| secret::read(file))
            .collect();
        let shown = secrets.map(|all| format!("{} secrets", all.len()));
        report.add(&format!("sandbox.hook {}", hook.name), shown)?;
    }
    let settings = &config.sandbox;
    if settings.docker.is_empty() {
        return report.add(
            "sandbox.docker",
            Ok("off: no trial runs inside this hub".into()),
        );
    }
    let engine = Engine::connect(&settings.docker, settings, "doctor").await;
    let about = engine.as_ref().map(|engine| engine.about().to_owned());
    report.add("sandbox.docker", about.map_err(ToString::to_string))?;
    let (Ok(engine), Ok(profiles)) = (engine, profiles) else {
        return Ok(());
    };
    for profile in profiles.iter() {
        let image = images::allowed(settings, store, &engine, &profile.name).await;
        let shown = image.unwrap_or_else(|error| error.to_string());
        report.add(&format!("sandbox image {}", profile.name), Ok(shown))?;
    }
    Ok(())
}

async fn channels(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let notify = &config.notify;
    if notify.channels().is_empty() {
        report.add(
            "notify",
            Ok("no channel: predictions are shown, but nobody is told".into()),
        )?;
    }
    if let Some(smtp) = &notify.smtp {
        let secret = if smtp.user.is_empty() {
            Ok(())
        } else {
            secret::read(&smtp.password_file).map(drop)
        };
        report.add(
            "notify.smtp",
            secret.map(|()| format!("{} (try `arki-hub notify test`)", smtp.host)),
        )?;
    }
    let telegram = notify
        .telegram
        .iter()
        .map(|t| ("notify.telegram".to_owned(), &t.url, Some(&t.token_file)));
    let hooks = notify.webhook.iter().map(|hook| {
        let file = Some(&hook.secret_file).filter(|file| !file.as_os_str().is_empty());
        (format!("notify.webhook {}", hook.name), &hook.url, file)
    });
    for (name, url, file) in telegram.chain(hooks) {
        let secret = file.map_or(Ok(()), |file| secret::read(file).map(drop));
        let result = match (secret, reqwest::Url::parse(url)) {
            (Err(error), _) => Err(error),
            (_, Err(error)) => Err(error.to_string()),
            (Ok(()), Ok(url)) => {
                let (host, port) = (
                    url.host_str().unwrap_or_default(),
                    url.port_or_known_default().unwrap_or(0),
                );
                let found = address::resolve(host, port, &notify.allow_networks).await;
                found
                    .map(|_| format!("{host} may be reached (try `arki-hub notify test`)"))
                    .map_err(|e| e.to_string())
            }
        };
        report.add(&name, result)?;
    }
    Ok(())
}

/// What was found, line by line.
#[derive(Debug, Default)]
struct Report {
    wrong: usize,
}

impl Report {
    fn add(&mut self, what: &str, result: Result<String, String>) -> anyhow::Result<()> {
        self.wrong += usize::from(result.is_err());
        let (mark, text) = match result {
            Ok(text) => ("ok   ", text),
            Err(text) => ("WRONG", text),
        };
        say(&safe(&format!("{mark}  {what}: {text}")))
    }

    fn end(self) -> anyhow::Result<()> {
        anyhow::ensure!(self.wrong == 0, "{} of the checks failed", self.wrong);
        Ok(())
    }
}

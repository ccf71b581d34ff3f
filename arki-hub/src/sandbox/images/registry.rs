//! Images where there is a registry: Debian's own, with the profile's packages, built by the engine from a Dockerfile that
//! is written from the profile. It takes neither root nor debootstrap, only the engine's socket.

use super::super::configuration::archive_of;
use super::super::engine::Engine;
use super::super::profile::Profile;
use super::ImageError;
use bollard::query_parameters::BuildImageOptionsBuilder;
use futures_util::StreamExt;
use std::fmt::Write;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Some 200 MB of packages over a slow line.
const BUILD_TIME: Duration = Duration::from_secs(30 * 60);

/// Makes the image of `profile` over Debian's `suite` and gives it to the engine; returns its ID.
pub async fn build(engine: &Engine, profile: &Profile, suite: &str) -> Result<String, ImageError> {
    let name = format!("arki-sandbox/{}", profile.name);
    let options = BuildImageOptionsBuilder::new()
        .dockerfile("Dockerfile")
        .t(&format!("{name}:latest"))
        .rm(true)
        .build();
    let context = archive_of("Dockerfile", dockerfile(profile, suite).into_bytes());
    let body = bollard::body_full(context);
    let mut said = Box::pin(engine.docker().build_image(options, None, Some(body)));
    let end = Instant::now() + BUILD_TIME;
    while let Some(line) = timeout_at(end, said.next())
        .await
        .map_err(|_| late(&name))?
    {
        line.map_err(|error| {
            engine.failed(
                &format!("build {name} over debian:{suite}-slim (without a registry: as root, with debootstrap, `--from packages`)"),
                &error,
            )
        })?;
    }
    Ok(engine.image_id(&profile.name, &name).await?)
}

fn late(name: &str) -> ImageError {
    ImageError::Io {
        what: format!("build {name}"),
        reason: format!("it took longer than {} min", BUILD_TIME.as_secs() / 60),
    }
}

/// No shell stands between the profile and the commands.
fn dockerfile(profile: &Profile, suite: &str) -> String {
    let mut text = format!("FROM debian:{suite}-slim\nENV DEBIAN_FRONTEND=noninteractive\n");
    let mut run = |argv: &[String]| {
        let _infallible = writeln!(text, "RUN {}", serde_json::json!(argv));
    };
    let words = |words: &[&str]| {
        words
            .iter()
            .map(|&word| word.to_owned())
            .collect::<Vec<_>>()
    };
    if !profile.image.packages.is_empty() {
        run(&words(&["apt-get", "update", "-qq"]));
        let mut install = words(&["apt-get", "install", "-y", "-qq", "--no-install-recommends"]);
        install.extend(profile.image.packages.iter().cloned());
        run(&install);
    }
    for argv in &profile.image.setup {
        run(argv);
    }
    run(&words(&["rm", "-rf", "/var/lib/apt/lists"]));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::profiles::Profiles;

    #[test]
    fn a_dockerfile_has_what_the_profile_says_and_no_shell() {
        let profiles = Profiles::load(std::path::Path::new("")).unwrap();
        let text = dockerfile(profiles.get("mariadb").unwrap(), "trixie");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "FROM debian:trixie-slim");
        assert!(
            lines.contains(
                &r#"RUN ["apt-get","install","-y","-qq","--no-install-recommends","mariadb-server","procps"]"#
            ),
            "{text}"
        );
        assert!(
            lines.contains(&r#"RUN ["usermod","--uid","100","mysql"]"#),
            "{text}"
        );
        assert!(
            lines.iter().skip(2).all(|line| line.starts_with("RUN [\"")),
            "{text}"
        );
    }
}

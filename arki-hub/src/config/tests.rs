//! The shipped example, refusals, and the environment.

use super::*;

const EXAMPLE: &str = include_str!("../../../packaging/config/hub.toml");

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, "hub.toml", [])
}

/// Every `# key = value` of the example is a real key, and its value is the default or at least accepted.
#[test]
fn the_shipped_example_is_the_defaults_and_all_its_comments_are_accepted() {
    assert_eq!(parse(EXAMPLE).unwrap(), Config::default());
    let uncommented: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix("#") {
            Some(setting) if !setting.starts_with(' ') && !setting.is_empty() => setting,
            _ => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let all = parse(&uncommented).unwrap();
    assert!(all.notify.smtp.is_some() && all.notify.telegram.is_some());
    assert_eq!(all.notify.webhook.len(), 1);
    for path in environment::PATHS {
        let key = path.rsplit('.').next().unwrap();
        assert!(
            uncommented
                .lines()
                .any(|l| l.split(" = ").next() == Some(key)),
            "{path} is not in the example"
        );
    }
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_keys_that_exist() {
    let error = parse("[database]\nuri = \"x\"\n").unwrap_err().to_string();
    for part in ["hub.toml", "line 2", "uri", "url", "connections"] {
        assert!(error.contains(part), "{part} is missing in: {error}");
    }
    let error = parse("[fleet]\nsilent_after = \"soon\"\n")
        .unwrap_err()
        .to_string();
    assert!(error.contains("line 2") && error.contains("15m"), "{error}");
    let error = parse("[notify.smtp]\nhost = 'a'\nfrom = 'a@b'\nto = ['c@d']\nsecurity = 'ssl'\n");
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("starttls") && error.contains("none"),
        "{error}"
    );
}

#[test]
fn values_that_make_no_sense_are_fatal() {
    for text in [
        "[database]\nurl = 'mysql://x/y'",
        "[database]\nconnections = 0",
        "[tls]\ncertificate_file = '/a'",
        "public_url = 'arki.example.org'",
        "[limits]\nbatches_waiting = 0",
        "[limits]\nbody_bytes_in_flight = 100",
        "[fleet]\nsilent_after = '1m'",
        "[notify.smtp]\nhost = 'a'\nfrom = 'nobody'\nto = ['c@d']",
        "[notify.smtp]\nhost = 'a'\nfrom = 'a@b'\nto = []",
        "[[notify.webhook]]\nname = 'a'\nurl = 'file:///etc/passwd'",
        "[[notify.webhook]]\nname = 'a'\nurl = 'http://b/'\n[[notify.webhook]]\nname = 'a'\nurl = 'http://b/'",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn the_environment_wins_over_the_file() {
    let pairs = [
        ("ARKI_HUB_DATABASE_URL", "postgres://arki@db/arki"),
        ("ARKI_HUB_LIMITS_BATCHES_WAITING", "7"),
        ("ARKI_HUB_FLEET_SILENT_AFTER", "1h"),
        ("ARKI_AGENT_STATE_DIR", "of no concern"),
    ];
    let environment = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::parse("[database]\nurl = 'sqlite:///x'", "hub.toml", environment).unwrap();
    assert_eq!(config.database.url, "postgres://arki@db/arki");
    assert_eq!(config.limits.batches_waiting, 7);
    assert_eq!(config.fleet.silent_after, Span::minutes(60));

    let typo = [("ARKI_HUB_DATABASE_URI".to_owned(), "x".to_owned())];
    let error = Config::parse("", "hub.toml", typo).unwrap_err().to_string();
    assert!(
        error.contains("ARKI_HUB_DATABASE_URI") && error.contains("ARKI_HUB_DATABASE_URL"),
        "{error}"
    );
    let bad = [(
        "ARKI_HUB_DATABASE_CONNECTIONS".to_owned(),
        "many".to_owned(),
    )];
    let error = Config::parse("", "hub.toml", bad).unwrap_err().to_string();
    assert!(error.contains("ARKI_HUB_DATABASE_CONNECTIONS"), "{error}");
}

#[test]
fn a_password_is_never_shown() {
    for (url, shown) in [
        ("postgres://arki:canary@db/arki", "postgres://arki@db/arki"),
        (
            "postgres://db/arki?user=a&password=canary&x=y",
            "postgres://db/arki?user=a&password=…&x=y",
        ),
        ("sqlite:///var/lib/hub.db", "sqlite:///var/lib/hub.db"),
    ] {
        assert_eq!(redacted(url), shown);
    }
    let database = Database {
        url: "postgres://a:canary@db/x".into(),
        ..Database::default()
    };
    assert!(!format!("{database:?}").contains("canary"));
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let missing = Path::new("/nonexistent/hub.toml");
    let error = Config::load(Some(missing), []).unwrap_err().to_string();
    assert!(error.contains("/nonexistent/hub.toml"), "{error}");
}

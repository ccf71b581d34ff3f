use super::load::{Surroundings, load};
use super::*;

fn around(variable: fn(&str) -> Option<String>) -> Surroundings {
    Surroundings {
        is_root: false,
        variable,
        names: Vec::new,
        default_file: PathBuf::from("/nonexistent"),
    }
}

fn parse(text: &str) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("agent.toml");
    std::fs::write(&file, text).unwrap();
    load(Some(&file), &around(|_| None)).map_err(|error| {
        error
            .to_string()
            .replace(&file.display().to_string(), "FILE")
    })
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn every_refusal_names_the_file_the_key_and_what_is_allowed() {
    let top = "allowed here: interval, state_dir, socket, series_max, host, series, service, log, context, hub, apply, roots";
    for (text, said) in [
        (
            "intervall = '30s'",
            format!("FILE: unknown key `intervall` (did you mean `interval`?); {top}").as_str(),
        ),
        (
            "interval = '2d'",
            "FILE: `interval`: \"2d\" is not a time from 1s to 1h, such as \"30s\" or \"5m\"",
        ),
        (
            "interval = 30",
            "FILE: `interval`: \"30\" is not a time from 1s to 1h, such as \"30s\" or \"5m\"",
        ),
        (
            "series_max = 0",
            "FILE: `series_max` is 0, but must be a number from 1 to 4096",
        ),
        (
            "series_max = 'many'",
            "FILE: `series_max` is string \"many\", but must be a whole number",
        ),
        (
            "state_dir = 'here'",
            "FILE: `state_dir` is \"here\", but must be an absolute path",
        ),
        (
            "host = \"a\\u001b\"",
            "FILE: `host` is \"a\\u{1b}\", but must be a name of at most 253 bytes without control characters",
        ),
        (
            "[[series]]\nmatch = 'a'\nbund = 3",
            "FILE: unknown key `series[0].bund` (did you mean `bound`?); allowed here: match, bound, direction",
        ),
        (
            "[[series]]\nbound = 3",
            "FILE: `series[0].match` is missing",
        ),
        (
            "[[series]]\nmatch = 'a'\nbound = 'x'",
            "FILE: `series[0].bound` is string \"x\", but must be a number",
        ),
        (
            "[[series]]\nmatch = 'a'\ndirection = 'down'",
            "FILE: `series[0].bound` is missing, but must be there for a `direction` (leave both out to take a bound away)",
        ),
        (
            "[[series]]\nmatch = 'a'\nbound = inf",
            "FILE: `series[0].bound` is inf, but must be a finite number",
        ),
        (
            "[[series]]\nmatch = 'a'\ndirection = 'left'",
            "FILE: `series[0].direction`: \"left\" is neither \"up\" nor \"down\"",
        ),
        (
            "[[series]]\nmatch = 'a['",
            "FILE: `series[0].match` is \"a[\", but must be a glob (unclosed character class; missing ']')",
        ),
        (
            "[[log]]\nname = 'a'\npath = 'b'",
            "FILE: `log[0].path` is \"b\", but must be an absolute path without `..`",
        ),
        (
            "[[log]]\nname = 'a'\npath = '/b'\n[[log]]\nname = 'a'\npath = '/c'",
            "FILE: `log[1].name` is \"a\" once more, but must be a name of its own for each log (several files may share one `path` with *)",
        ),
        (
            "[[context]]\nname = 'a'\nfrom = '25:00'",
            "FILE: `context[0].from` is \"25:00\", but must be a local time from 00:00 to 23:59, as HH:MM",
        ),
        (
            "[[service]]\nname = 'nginx'\nsnapshot = ['/etc/../etc/shadow']",
            "FILE: `service[0].snapshot` is \"/etc/../etc/shadow\", but must be a list of at most 16 absolute paths below / without `..`, a slash at the end or control characters",
        ),
        (
            "[[service]]\nname = 'php*'\nsnapshot = ['/etc/php']",
            "FILE: `service[0].snapshot` is \"php*\", but must be in an entry whose name has no wildcard",
        ),
        (
            "[[apply.action]]\nservice = 'nginx'\nname = 'reload'\nargv = ['./nginx']",
            "FILE: `apply.action[0].argv` is [\"./nginx\"], but must be a list of 1 to 32 words with 4096 bytes in all, that begins with a program's name or absolute path",
        ),
        (
            "[[apply.action]]\nservice = ''\nname = 'reload'\nargv = ['nginx']",
            "FILE: `apply.action[0].service` is \"\", but must be a name of 1 to 128 bytes without control characters",
        ),
        (
            "[apply]\nenable = true",
            "FILE: unknown key `apply.enable` (did you mean `enabled`?); allowed here: enabled, action",
        ),
        (
            "series = 3",
            "FILE: `series`: invalid type: integer `3`, expected a sequence",
        ),
    ] {
        assert_eq!(parse(text).unwrap_err(), said, "{text:?}");
    }
    let syntax = parse("host = 'a'\ninterval = ").unwrap_err();
    assert!(
        syntax.starts_with("FILE: TOML parse error at line 2"),
        "{syntax}"
    );
}

#[test]
fn the_environment_wins_and_is_named_when_it_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("agent.toml");
    std::fs::write(&file, "interval = '10s'").unwrap();
    let set = |name: &str| (name == "ARKI_INTERVAL").then(|| "5s".to_owned());
    let config = load(Some(&file), &around(set)).unwrap();
    assert_eq!(config.interval.seconds(), 5);
    assert_eq!(config.socket, PathBuf::from("/run/arki/agent.sock"));
    let wrong = |name: &str| (name == "ARKI_SERIES_MAX").then(|| "0".to_owned());
    let error = load(Some(&file), &around(wrong)).unwrap_err().to_string();
    assert_eq!(
        error,
        "environment ARKI_SERIES_MAX: `series_max` is 0, but must be a number from 1 to 4096"
    );
}

#[test]
fn a_variable_that_is_nearly_ours_is_refused_and_others_are_not() {
    let around = |names| Surroundings {
        names,
        ..around(|name| (name == "HOME").then(|| "/home/ada".to_owned()))
    };
    let error = load(None, &around(|| vec!["ARKI_INTERVALL".into()])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "environment: unknown key `ARKI_INTERVALL` (did you mean `ARKI_INTERVAL`?); allowed here: ARKI_INTERVAL"
    );
    let others = || {
        let all = [
            "ARKI_INTERVAL",
            "ARKI_HUB_LISTEN",
            "ARKI_AGENT",
            "ARKI_HUB_TLS_KEY_FILE",
        ];
        all.map(str::to_owned).into()
    };
    assert!(load(None, &around(others)).is_ok());
}

#[test]
fn without_a_file_and_without_root_the_agent_lives_under_the_users_state() {
    let home = |name: &str| (name == "HOME").then(|| "/home/ada".to_owned());
    let config = load(None, &around(home)).unwrap();
    assert_eq!(
        config.state_dir,
        PathBuf::from("/home/ada/.local/state/arki")
    );
    assert_eq!(
        config.socket,
        PathBuf::from("/home/ada/.local/state/arki/agent.sock")
    );
    let xdg = |name: &str| {
        Some(
            if name == "XDG_STATE_HOME" {
                "/xdg"
            } else {
                return None;
            }
            .to_owned(),
        )
    };
    assert_eq!(
        load(None, &around(xdg)).unwrap().state_dir,
        PathBuf::from("/xdg/arki")
    );
    assert!(matches!(
        load(None, &around(|_| None)),
        Err(ConfigError::Homeless)
    ));

    let mut root = around(|_| None);
    root.is_root = true;
    assert_eq!(
        load(None, &root).unwrap().state_dir,
        PathBuf::from("/var/lib/arki")
    );
    let missing = load(
        Some(Path::new("/nonexistent/agent.toml")),
        &around(|_| None),
    )
    .unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("/nonexistent/agent.toml: cannot be read")
    );
}

/// The example without its explanations: every `#key = value` becomes `key = value`.
fn with_every_default(example: &str) -> String {
    let keys = example.lines().filter_map(|line| {
        let line = line.strip_prefix('#').unwrap_or(line);
        (!line.starts_with(' ') && !line.is_empty()).then_some(line)
    });
    keys.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_that_ships_states_every_key_with_its_default() {
    let example = include_str!("../../../packaging/config/agent.toml");
    let shipped = parse(example).unwrap();
    let plain = parse("").unwrap();
    assert_eq!(
        format!("{shipped:?}"),
        format!("{plain:?}"),
        "as shipped, the file changes nothing"
    );

    let full = with_every_default(example);
    let stated = parse(&full).unwrap_or_else(|error| panic!("{error}\n{full}"));
    for (key, stated, default) in [
        (
            "interval",
            format!("{:?}", stated.interval),
            format!("{:?}", plain.interval),
        ),
        (
            "state_dir",
            format!("{:?}", stated.state_dir),
            format!("{:?}", plain.state_dir),
        ),
        (
            "socket",
            format!("{:?}", stated.socket),
            format!("{:?}", plain.socket),
        ),
        (
            "series_max",
            stated.series_max.to_string(),
            plain.series_max.to_string(),
        ),
        ("host", stated.host, plain.host),
        (
            "hub",
            format!("{:?}", stated.hub),
            format!("{:?}", plain.hub),
        ),
        (
            "roots",
            format!("{:?}", stated.roots),
            format!("{:?}", plain.roots),
        ),
    ] {
        assert_eq!(stated, default, "{key}");
    }
    assert!(
        !stated.series.is_empty()
            && !stated.service.is_empty()
            && !stated.log.is_empty()
            && !stated.context.is_empty()
            && !stated.apply.action.is_empty()
            && !stated.apply.enabled
    );
    let table: toml::Table = toml::from_str(&full).unwrap();
    let unknown = parse("nonsense = 1").unwrap_err();
    let (_, allowed) = unknown.split_once("allowed here: ").unwrap();
    for key in allowed.split(", ") {
        assert!(table.contains_key(key), "the example does not state {key}");
    }
}

#[test]
fn the_configurations_in_examples_are_understood_and_change_something() {
    let plain = format!("{:?}", parse("").unwrap());
    for text in [
        include_str!("../../../examples/config/web.toml"),
        include_str!("../../../examples/config/database.toml"),
        include_str!("../../../examples/config/mail.toml"),
    ] {
        let config = parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_ne!(format!("{config:?}"), plain);
    }
}

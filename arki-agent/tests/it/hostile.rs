//! Clients that hang, flood or talk rubbish, and disks that do not take anything.

use crate::process::{Home, stdout, wait};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;

fn connect(home: &Home) -> UnixStream {
    let stream = UnixStream::connect(home.socket()).unwrap();
    stream
        .set_read_timeout(Some(std::time::Duration::from_secs(30)))
        .unwrap();
    stream
}

fn exchange(home: &Home, line: &[u8]) -> String {
    let mut stream = connect(home);
    stream.write_all(line).unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer
}

#[test]
fn rubbish_is_answered_and_costs_nothing() {
    let home = Home::new("");
    let _daemon = home.run();
    for (line, said) in [
        (&b"GET / HTTP/1.1\r\n"[..], "not a line of this protocol"),
        (
            b"{\"version\":7,\"request\":{\"kind\":\"status\"}}\n",
            "version 7",
        ),
        (
            b"{\"version\":1,\"request\":{\"kind\":\"format_disk\"}}\n",
            "not understood",
        ),
        (b"\xff\xfe\x00\n", "not a line of this protocol"),
        (&b"x".repeat(20_000), "one line of at most"),
    ] {
        let answer = exchange(&home, line);
        assert!(
            answer.contains("refused") && answer.contains(said),
            "{answer}"
        );
    }
    assert_eq!(home.status()["healthy"], true);
}

#[test]
fn clients_that_hang_keep_nobody_from_asking_and_stop_no_pass() {
    let home = Home::new("");
    let _daemon = home.run();
    // fewer than the limit: others still get in
    let hanging: Vec<UnixStream> = (0..12)
        .map(|_| {
            let mut stream = connect(&home);
            stream.write_all(b"{\"version\":1,").unwrap();
            stream
        })
        .collect();
    home.next_pass();
    // more than the limit: closed without a word, and the passes go on
    let flood: Vec<UnixStream> = (0..200).map(|_| connect(&home)).collect();
    drop(hanging);
    drop(flood);
    wait("an answer", || home.passes() > 0, || home.log());
    home.next_pass();
}

#[test]
fn a_client_that_never_reads_is_dropped() {
    let home = Home::new("");
    let _daemon = home.run();
    let mut stream = connect(&home);
    let request = b"{\"version\":1,\"request\":{\"kind\":\"status\"}}\n";
    stream
        .set_write_timeout(Some(std::time::Duration::from_secs(1)))
        .unwrap();
    // until the daemon stops reading, because its answers are not taken
    while stream.write_all(&request.repeat(100)).is_ok() {}
    home.next_pass();
    stream
        .set_read_timeout(Some(std::time::Duration::from_secs(30)))
        .unwrap();
    let mut answers = Vec::new();
    // it was closed: what is in the pipe can be read, and then it ends
    let ended = stream.read_to_end(&mut answers);
    assert!(!answers.is_empty() && (ended.is_ok() || answers.len() > 1_000));
}

#[test]
fn names_with_control_characters_do_not_reach_the_terminal() {
    let home = Home::new("host = 'plain'");
    fs::write(
        home.path("agent.toml"),
        fs::read_to_string(home.path("agent.toml"))
            .unwrap()
            .replace("host = 'web-1'\n", ""),
    )
    .unwrap();
    let _daemon = home.run();
    let output = home.ask(&["explain", "\u{1b}[2Jevil"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        !output.stderr.contains(&0x1b) && !output.stdout.contains(&0x1b),
        "{output:?}"
    );
    assert!(!stdout(&home.ask(&["status"])).contains('\u{1b}'));
}

#[test]
fn a_state_directory_that_is_a_file_is_refused_with_its_name() {
    let home = Home::new("");
    fs::write(home.state(), "in the way").unwrap();
    assert_eq!(home.start().wait(), Some(1));
    assert!(
        home.log().contains("cannot make the state directory"),
        "{}",
        home.log()
    );
}

#[test]
fn a_disk_that_takes_nothing_is_said_and_the_agent_goes_on() {
    let home = Home::new("");
    let daemon = home.run();
    // a directory where the new memory would be written: as good as a full disk, and works for root
    let in_the_way = home.state().join("memory.partial");
    fs::create_dir(&in_the_way).unwrap();
    fs::create_dir(home.state().join("record.partial")).unwrap();
    home.next_pass();
    assert_eq!(
        daemon.terminate(),
        Some(0),
        "it leaves although nothing can be saved"
    );
    assert!(home.log().contains("storage:"), "{}", home.log());
    fs::remove_dir(&in_the_way).unwrap();
    let _daemon = home.run();
}

//! The desk against a hub in memory that signs, offers a request until it is answered, and stores an answer once.

use super::*;
use crate::apply::journal;
use crate::config::ActionSettings;
use arki_model::clock::ManualClock;
use arki_model::receipt::{self, RECEIPT_VERSION, Receipt};
use arki_model::request::Unverified;
use arki_model::snapshot::Snapshot;
use arki_model::wire::Decompressor;
use std::path::Path;
use tokio::task::LocalSet;

const NOW: UnixSeconds = 1_760_000_000;
const AGENT: AgentId = AgentId([7; 16]);

fn hub_key() -> PrivateKey {
    PrivateKey::from_seed(&[5; 32])
}

fn agent_key() -> PrivateKey {
    PrivateKey::from_seed(&[9; 32])
}

struct Bench {
    dir: tempfile::TempDir,
    clock: Rc<ManualClock>,
    desk: Desk,
}

fn desk(dir: &Path, clock: &Rc<ManualClock>, apply: bool) -> Desk {
    let action = ActionSettings {
        service: "nginx".into(),
        name: "reload".into(),
        argv: vec!["echo".into(), "reloaded".into()],
        sudo: false,
    };
    let settings = DeskSettings {
        agent: AGENT,
        hub_key: hub_key().public().to_hex(),
        key: agent_key(),
        services: vec![Wanted {
            service: "nginx.service".into(),
            paths: vec![dir.join("etc")],
        }],
        apply: ApplySettings {
            enabled: apply,
            action: vec![action],
        },
        journal: Rc::new(Journal::open(dir, NOW - 10).0),
    };
    Desk::new(settings, Rc::clone(clock) as Rc<dyn Clock>)
}

fn bench(apply: bool) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("etc")).unwrap();
    std::fs::write(
        dir.path().join("etc/nginx.conf"),
        "user www;\npassword = hunter2;\n",
    )
    .unwrap();
    let clock = Rc::new(ManualClock::at(NOW));
    let desk = desk(dir.path(), &clock, apply);
    Bench { dir, clock, desk }
}

fn request(n: u8, order: Order) -> Request {
    Request::new(RequestId([n; 16]), AGENT, NOW..NOW + 900, order)
}

fn snapshot(service: &str) -> Order {
    Order::Snapshot {
        service: service.into(),
    }
}

/// What the desk sends now, believed.
#[expect(clippy::option_option, reason = "nothing, a question, or an answer")]
fn sent(desk: &Desk) -> Option<Option<Reply>> {
    let body = desk.next_body()?;
    let answer = Unverified::read(&body)
        .unwrap()
        .verify(&[agent_key().public()])
        .unwrap();
    assert_eq!(answer.agent, AGENT);
    Some(answer.reply)
}

fn tell(desk: &Desk, requests: &[String]) {
    let heard = Heard {
        stored: true,
        requests: requests.to_vec(),
    };
    desk.heard(&serde_json::to_vec(&heard).unwrap());
}

/// Works until a reply is ready.
async fn reply(desk: &Desk) -> Reply {
    let replied = async {
        while desk.replies.borrow().is_empty() {
            desk.reply_ready().await;
        }
    };
    tokio::select! {
        () = desk.work() => {}
        () = replied => {}
    }
    sent(desk).unwrap().unwrap()
}

impl Bench {
    /// The hub asks `request`; what the agent replies.
    async fn ask(&self, request: &Request) -> Reply {
        self.desk.requests_wait();
        assert_eq!(sent(&self.desk), Some(None), "it comes and asks");
        tell(&self.desk, &[request.seal(&hub_key()).unwrap()]);
        let reply = reply(&self.desk).await;
        assert_eq!(reply.request, request.id);
        tell(&self.desk, &[]);
        reply
    }

    async fn configuration(&self) -> [u8; 32] {
        let reply = self.ask(&request(200, snapshot("nginx"))).await;
        Snapshot::decode(&reply.content, &mut Decompressor::new().unwrap())
            .unwrap()
            .configuration()
    }

    fn audit(&self) -> String {
        std::fs::read_to_string(self.dir.path().join(crate::apply::audit::FILE)).unwrap_or_default()
    }
}

fn receipt_for(configuration: [u8; 32]) -> Receipt {
    Receipt {
        version: RECEIPT_VERSION,
        run: "run-1".into(),
        agent: AGENT,
        service: "nginx".into(),
        action: "reload".into(),
        argv: vec!["echo".into(), "reloaded".into()],
        image: "sha256:0".into(),
        configuration: arki_model::hex::encode(&configuration),
        tried_at: NOW,
        expires_at: NOW + 3600,
        outcome: receipt::Outcome::Succeeded,
        name: "eva".into(),
        reason: "the disk fills".into(),
    }
}

fn apply(receipt: &Receipt) -> Order {
    Order::Apply {
        receipt: receipt.seal(&hub_key()).unwrap(),
        series: "disk.used_percent{/}".into(),
    }
}

/// Runs a test on one thread, as the daemon does.
fn on_one_thread(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, test);
}

#[test]
fn a_snapshot_is_taken_when_the_hub_asks_for_it_and_only_then() {
    on_one_thread(async {
        let bench = bench(false);
        assert_eq!(sent(&bench.desk), None, "nothing is said unasked");
        let reply = bench.ask(&request(1, snapshot("nginx"))).await;
        assert_eq!(reply.outcome, Outcome::Done, "{}", reply.text);
        let copy = Snapshot::decode(&reply.content, &mut Decompressor::new().unwrap()).unwrap();
        let shown = format!("{copy:?}");
        assert!(
            shown.contains("nginx.conf") && !shown.contains("hunter2"),
            "{shown}"
        );
        assert!(bench.audit().contains("\"what\":\"snapshot\""));
        let reply = bench.ask(&request(2, snapshot("apache2"))).await;
        assert_eq!(reply.outcome, Outcome::Refused);
        assert!(reply.text.contains("`snapshot`"), "{}", reply.text);
    });
}

#[test]
fn unsigned_foreign_and_late_requests_are_refused_and_counted() {
    let bench = bench(true);
    let good = request(1, snapshot("nginx"));
    let lines = [
        good.seal(&PrivateKey::from_seed(&[6; 32])).unwrap(),
        Request::new(
            RequestId([1; 16]),
            AgentId([8; 16]),
            NOW..NOW + 900,
            snapshot("nginx"),
        )
        .seal(&hub_key())
        .unwrap(),
        Request::new(RequestId([1; 16]), AGENT, NOW - 900..NOW, snapshot("nginx"))
            .seal(&hub_key())
            .unwrap(),
        "{}".to_owned(),
    ];
    bench.desk.requests_wait();
    assert_eq!(sent(&bench.desk), Some(None));
    tell(&bench.desk, &lines);
    assert_eq!(
        (bench.desk.refused(), bench.desk.queue.borrow().len()),
        (4, 0)
    );
    assert_eq!(bench.audit().matches("\"what\":\"refused\"").count(), 4);
}

#[test]
fn an_agent_that_pinned_no_key_believes_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let settings = DeskSettings {
        agent: AGENT,
        hub_key: String::new(),
        key: agent_key(),
        services: Vec::new(),
        apply: ApplySettings::default(),
        journal: Rc::new(Journal::open(dir.path(), NOW).0),
    };
    let desk = Desk::new(settings, Rc::new(ManualClock::at(NOW)));
    desk.requests_wait();
    assert_eq!(sent(&desk), Some(None));
    tell(
        &desk,
        &[request(1, snapshot("nginx")).seal(&hub_key()).unwrap()],
    );
    assert_eq!((desk.refused(), desk.queue.borrow().len()), (1, 0));
}

#[test]
fn what_was_tried_is_applied_once_and_its_answer_is_repeated() {
    on_one_thread(async {
        let bench = bench(true);
        let receipt = receipt_for(bench.configuration().await);
        let asked = request(1, apply(&receipt));
        let reply = bench.ask(&asked).await;
        assert_eq!(
            (reply.outcome, reply.text.as_str()),
            (Outcome::Done, "exit code 0")
        );
        let report = Report::decode(&reply.content, &mut Decompressor::new().unwrap()).unwrap();
        assert_eq!(report.stdout, "reloaded\n");
        // The answer was lost, and the hub asks again: the same answer, no second run.
        assert_eq!(bench.ask(&asked).await, reply);
        // Nor with the same receipt in another request.
        let again = bench.ask(&request(2, apply(&receipt))).await;
        assert_eq!(again.outcome, Outcome::Refused);
        assert!(again.text.contains("applied here before"), "{}", again.text);
        assert_eq!(bench.audit().matches("\"what\":\"begun\"").count(), 1);
        // And after a restart the answer is still known.
        let restarted = desk(bench.dir.path(), &bench.clock, true);
        restarted.requests_wait();
        assert_eq!(sent(&restarted), Some(None));
        tell(&restarted, &[asked.seal(&hub_key()).unwrap()]);
        assert_eq!(self::reply(&restarted).await, reply);
    });
}

#[test]
fn a_changed_configuration_or_a_closed_agent_refuses() {
    on_one_thread(async {
        let bench = bench(true);
        let receipt = receipt_for(bench.configuration().await);
        let file = bench.dir.path().join("etc/nginx.conf");
        // Another secret of the same length: the copies are alike, the configurations are not.
        std::fs::write(&file, "user www;\npassword = hunter3;\n").unwrap();
        let reply = bench.ask(&request(1, apply(&receipt))).await;
        assert_eq!(reply.outcome, Outcome::Refused);
        assert!(
            reply.text.contains("has changed since the trial"),
            "{}",
            reply.text
        );
        std::fs::write(&file, "user www;\npassword = hunter2;\n").unwrap();
        assert_eq!(
            bench.ask(&request(2, apply(&receipt))).await.outcome,
            Outcome::Done
        );

        let closed = self::bench(false);
        let receipt = receipt_for(closed.configuration().await);
        let reply = closed.ask(&request(3, apply(&receipt))).await;
        assert!(reply.text.contains("applies nothing"), "{}", reply.text);
    });
}

#[test]
fn a_command_that_was_running_when_the_agent_ended_is_reported_as_unknown() {
    on_one_thread(async {
        let bench = bench(true);
        let receipt = receipt_for([1; 32]);
        bench
            .desk
            .journal
            .begin(&receipt, RequestId([1; 16]), String::new(), NOW)
            .unwrap();
        let restarted = desk(bench.dir.path(), &bench.clock, true);
        restarted.requests_wait();
        assert_eq!(sent(&restarted), Some(None));
        tell(
            &restarted,
            &[request(1, apply(&receipt)).seal(&hub_key()).unwrap()],
        );
        let last = reply(&restarted).await;
        assert_eq!(last.outcome, Outcome::Failed);
        assert!(last.text.contains("not known"), "{}", last.text);
        assert!(bench.dir.path().join(journal::FILE).exists());
    });
}

#[test]
fn it_asks_again_while_a_request_is_likely_and_no_longer() {
    let bench = bench(false);
    bench.desk.expect_requests();
    let mut asked = 0;
    for _ in 0..3600 {
        bench.clock.advance(1);
        if let Some(reply) = sent(&bench.desk) {
            assert_eq!(reply, None);
            asked += 1;
            tell(&bench.desk, &[]);
        }
    }
    assert_eq!(asked, 30, "every 20 s for ten minutes");
    assert_eq!(bench.desk.due(), None);
}

#[test]
fn a_hub_that_is_away_is_asked_less_and_less_and_gets_the_answer_in_the_end() {
    on_one_thread(async {
        let bench = bench(false);
        bench.desk.requests_wait();
        assert_eq!(sent(&bench.desk), Some(None));
        tell(
            &bench.desk,
            &[request(1, snapshot("nginx")).seal(&hub_key()).unwrap()],
        );
        let first = reply(&bench.desk).await;
        let mut tries = 0;
        for _ in 0..3600 {
            if let Some(again) = sent(&bench.desk) {
                assert_eq!(again.as_ref(), Some(&first));
                bench.desk.failed((tries % 2 == 0).then_some(503));
                tries += 1;
            }
            bench.clock.advance(1);
        }
        assert!((10..=20).contains(&tries), "{tries}");
        bench.clock.advance(300);
        assert!(sent(&bench.desk).is_some());
        tell(&bench.desk, &[]);
        assert!(bench.desk.replies.borrow().is_empty());
    });
}

#[test]
fn an_answer_that_the_hub_never_takes_does_not_block_the_next() {
    on_one_thread(async {
        let bench = bench(false);
        bench.desk.requests_wait();
        assert_eq!(sent(&bench.desk), Some(None));
        tell(
            &bench.desk,
            &[request(1, snapshot("nginx")).seal(&hub_key()).unwrap()],
        );
        reply(&bench.desk).await;
        bench.desk.failed(Some(413));
        assert!(bench.desk.replies.borrow().is_empty());
    });
}

#[test]
fn a_reply_that_becomes_ready_while_a_question_is_on_its_way_is_sent_next() {
    on_one_thread(async {
        let bench = bench(false);
        bench.desk.requests_wait();
        assert_eq!(sent(&bench.desk), Some(None));
        let line = request(1, snapshot("nginx")).seal(&hub_key()).unwrap();
        tell(&bench.desk, &[line]);
        bench.desk.requests_wait();
        assert_eq!(sent(&bench.desk), Some(None));
        let first = reply(&bench.desk).await;
        // `reply` has sent it; the answer that comes now is to the question before.
        bench.desk.sending.set(None);
        tell(&bench.desk, &[]);
        assert_eq!(sent(&bench.desk), Some(Some(first)));
        tell(&bench.desk, &[]);
        assert!(bench.desk.replies.borrow().is_empty());
    });
}

#[test]
fn a_secret_that_an_applied_command_prints_stays_here() {
    let secret = "hunter2hunter2";
    let entry = Entry {
        run: "run".into(),
        request: RequestId([1; 16]),
        service: "nginx".into(),
        action: "test".into(),
        argv: vec!["nginx".into(), "-T".into()],
        decided_by: "ada".into(),
        series: String::new(),
        begun_at: NOW,
        expires_at: NOW + 60,
        ran: Some(Report {
            exit_code: Some(1),
            stdout: format!("user www;\nset $api_key \"{secret}\";\n"),
            stderr: format!("password = {secret}\nnot ok\n"),
            ..Report::default()
        }),
        outcome: None,
    };
    let reply = reply_of(entry.request, &entry);
    let sent = Report::decode(&reply.content, &mut Decompressor::new().unwrap()).unwrap();
    let all = format!("{sent:?} {}", reply.text);
    assert!(!all.contains("hunter2"), "{all}");
    assert!(sent.stderr.ends_with("not ok\n"), "{all}");
}

use super::*;

const NOW: UnixSeconds = 1_760_000_000;
const AGENT: AgentId = AgentId([7; 16]);

fn hub() -> PrivateKey {
    PrivateKey::from_seed(&[5; 32])
}

fn request() -> Request {
    let order = Order::Snapshot {
        service: "nginx".into(),
    };
    Request::new(RequestId([3; 16]), AGENT, NOW..NOW + 900, order)
}

fn open(line: &str) -> Result<Request, String> {
    Request::open(line, &hub().public(), AGENT, NOW + 10).map_err(|error| error.to_string())
}

#[test]
fn only_what_the_hub_signed_for_this_agent_and_time_is_opened() {
    let line = request().seal(&hub()).unwrap();
    assert_eq!(open(&line).unwrap(), request());

    let other = PrivateKey::from_seed(&[6; 32]);
    assert!(
        open(&request().seal(&other).unwrap())
            .unwrap_err()
            .contains("enrol again")
    );
    let foreign = Request {
        agent: AgentId([8; 16]),
        ..request()
    };
    assert!(
        open(&foreign.seal(&hub()).unwrap())
            .unwrap_err()
            .contains("agent 0808")
    );
    let late = Request {
        expires_at_s: NOW + 10,
        ..request()
    };
    assert!(
        open(&late.seal(&hub()).unwrap())
            .unwrap_err()
            .contains("ended 0 s ago")
    );
    let early = Request {
        made_at_s: NOW + 311,
        ..request()
    };
    assert!(
        open(&early.seal(&hub()).unwrap())
            .unwrap_err()
            .contains("in the future")
    );
    let newer = Request {
        version: 2,
        ..request()
    };
    assert!(
        open(&newer.seal(&hub()).unwrap())
            .unwrap_err()
            .contains("newer agent")
    );
}

#[test]
fn no_flipped_bit_and_no_other_type_is_a_request() {
    let line = request().seal(&hub()).unwrap();
    let signed = dsse::from_line(&line).unwrap();
    for bit in 0..signed.payload.len() * 8 {
        let mut bad = signed.clone();
        bad.payload[bit / 8] ^= 1 << (bit % 8);
        assert!(
            open(&dsse::to_line(&bad, &hub().public()).unwrap()).is_err(),
            "bit {bit}"
        );
    }
    let receipt = Signed::new(
        &hub(),
        "application/vnd.arki.receipt+msgpack",
        signed.payload,
    );
    assert!(open(&dsse::to_line(&receipt, &hub().public()).unwrap()).is_err());
}

#[test]
fn a_request_that_would_not_fit_an_answer_is_not_signed() {
    let order = |bytes| Order::Apply {
        receipt: "x".repeat(bytes),
        series: String::new(),
    };
    let with = |order| Request { order, ..request() };
    assert!(with(order(REQUEST_BYTES_MAX)).seal(&hub()).is_err());
    let line = with(order(REQUEST_BYTES_MAX - 300)).seal(&hub()).unwrap();
    let heard = Heard {
        stored: true,
        requests: vec![line],
    };
    assert!(serde_json::to_vec(&heard).unwrap().len() <= crate::wire::ANSWER_BYTES_MAX);
}

fn answer() -> Answer {
    let reply = Reply {
        request: RequestId([3; 16]),
        outcome: Outcome::Failed,
        text: "exit code 1".into(),
        content: vec![1, 2, 3],
    };
    Answer {
        agent: AGENT,
        sent_at_s: NOW,
        reply: Some(reply),
    }
}

#[test]
fn an_answer_and_a_bare_question_come_back_and_only_with_the_agents_key() {
    let key = PrivateKey::from_seed(&[9; 32]);
    let question = Answer {
        reply: None,
        ..answer()
    };
    for sent in [answer(), question] {
        let body = sent.seal(&key).unwrap();
        let unverified = Unverified::read(&body).unwrap();
        assert_eq!(unverified.claimed_agent(), AGENT);
        assert_eq!(unverified.verify(&[hub().public(), key.public()]), Ok(sent));
        assert!(
            Unverified::read(&body)
                .unwrap()
                .verify(&[hub().public()])
                .is_err()
        );
        for bit in 0..body.len() * 8 {
            let mut bad = body.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let believed = Unverified::read(&bad).and_then(|read| read.verify(&[key.public()]));
            assert!(believed.is_err(), "bit {bit}");
        }
    }
}

#[test]
fn an_answer_is_no_batch_and_a_batch_no_answer() {
    let key = PrivateKey::from_seed(&[9; 32]);
    let body = answer().seal(&key).unwrap();
    assert!(crate::wire::Envelope::read(&body).is_err());
    // The same bytes, signed as a batch would be.
    let mut outer = Reader::new(&body);
    outer.array("an answer", 2).unwrap();
    let signed = outer.bin("the signed part", body.len()).unwrap();
    let signature = key.sign(crate::wire::BATCH_TYPE, signed);
    let mut forged = Writer::default();
    forged.array(2).bin(signed).bin(&signature);
    let forged = forged.finish();
    assert!(
        Unverified::read(&forged)
            .unwrap()
            .verify(&[key.public()])
            .is_err()
    );
}

#[test]
fn a_long_text_is_shortened_between_characters_and_a_large_body_refused() {
    let key = PrivateKey::from_seed(&[9; 32]);
    let with = |text: String, content| Answer {
        reply: answer().reply.map(|reply| Reply {
            text,
            content,
            ..reply
        }),
        ..answer()
    };
    let body = with("é".repeat(TEXT_BYTES_MAX), Vec::new())
        .seal(&key)
        .unwrap();
    let read = Unverified::read(&body)
        .unwrap()
        .verify(&[key.public()])
        .unwrap();
    assert_eq!(read.reply.unwrap().text, "é".repeat(TEXT_BYTES_MAX / 2));
    assert!(
        with(String::new(), vec![0; ANSWER_BODY_BYTES_MAX])
            .seal(&key)
            .is_err()
    );
    assert!(Unverified::read(&vec![0; ANSWER_BODY_BYTES_MAX + 1]).is_err());
}

#[test]
fn a_report_comes_back_and_tells_how_it_ended() {
    let report = Report {
        exit_code: Some(1),
        duration_ms: 12,
        stderr: "no".into(),
        ..Report::default()
    };
    let mut decompressor = crate::wire::Decompressor::new().unwrap();
    let encoded = report.encode().unwrap();
    assert_eq!(Report::decode(&encoded, &mut decompressor).unwrap(), report);
    assert_eq!(
        (report.text().as_str(), report.succeeded()),
        ("exit code 1", false)
    );
    assert!(Report::decode(b"nonsense", &mut decompressor).is_err());
}

//! Random inputs for what arrives on the sockets, and for connection files. See [`crate::fuzz`].

use jupyter_protocol::{
    CompleteRequest, ExecuteRequest, HistoryRequest, InspectRequest, IsCompleteRequest,
};
use serde_json::{Value, json};

use super::connection::parse_connection;
use super::frames::{decode, encode};
use super::message::Message;
use super::replay::Seen;
use super::request::read;
use super::sign::Signer;
use super::zmtp::{Incoming, Limits, PeerReader, Pool, message, ready};
use crate::front::is_complete::judge;
use crate::fuzz_harness::{Target, random_of};
use crate::fuzz_words_tests::{CELLS, RUST};
use crate::syntax::{Completeness, end_of, final_expression, is_variable_name};

/// Separates the frames of a message in the text of an input.
const CUT: u8 = 0x1f;

const MESSAGES: &[&str] = &[
    "id\u{1f}<IDS|MSG>\u{1f}\u{1f}{\"msg_id\":\"1\",\"msg_type\":\"execute_request\",\"session\":\"s\",\"subshell_id\":null}\u{1f}{}\u{1f}{}\u{1f}{\"code\":\"1 + 1\",\"silent\":false,\"user_expressions\":{\"a\":\"b\"}}\u{1f}buffer",
    "<IDS|MSG>\u{1f}\u{1f}{\"msg_id\":\"2\",\"msg_type\":\"complete_request\",\"date\":\"2026-01-01T00:00:00Z\"}\u{1f}{\"a\":{}}\u{1f}null\u{1f}{\"code\":\"words.\",\"cursor_pos\":6}",
    "a\u{1f}b\u{1f}<IDS|MSG>\u{1f}\u{1f}{\"msg_id\":\"3\",\"msg_type\":\"inspect_request\"}\u{1f}null\u{1f}{}\u{1f}{\"code\":\"x\",\"cursor_pos\":1,\"detail_level\":0}",
    "<IDS|MSG>\u{1f}\u{1f}{\"msg_id\":\"4\",\"msg_type\":\"history_request\"}\u{1f}{}\u{1f}{}\u{1f}{\"hist_access_type\":\"range\",\"session\":-1,\"start\":0,\"stop\":5,\"output\":true,\"raw\":true}",
    "<IDS|MSG>\u{1f}\u{1f}{\"msg_id\":\"5\",\"msg_type\":\"is_complete_request\"}\u{1f}{}\u{1f}{}\u{1f}{\"code\":\"fn f() {\"}",
    "<IDS|MSG>\u{1f}\u{1f}{\"msg_id\":\"6\",\"msg_type\":\"history_request\"}\u{1f}{}\u{1f}{}\u{1f}{\"hist_access_type\":\"search\",\"pattern\":\"a*\",\"unique\":true,\"n\":10}",
];
const JSON: &[&str] = &[
    "\u{1f}",
    "<IDS|MSG>",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\"msg_id\"",
    "\"msg_type\"",
    "\"code\"",
    "null",
    "true",
    "1",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "{\"a\":",
    "[[",
    "-0.0e-5",
];

#[test]
fn frames_are_read_or_refused() {
    let target = Target {
        name: "frames",
        seeds: MESSAGES,
        words: JSON,
        depth: 60_000,
    };
    let signer = Signer::new("key of the connection");
    target.run(|input| {
        // Without a signature nothing is believed.
        let frames = frames_of(input);
        let delimiter = frames.iter().position(|frame| frame == b"<IDS|MSG>");
        assert!(
            decode(frames.clone(), &signer, &Seen::default()).is_err(),
            "an unsigned message was read"
        );
        // The same with the right signature gets to the parsers of JSON.
        let Some(at) = delimiter.filter(|at| frames.len() >= at + 6) else {
            return;
        };
        let mut signed = frames;
        let parts = std::array::from_fn(|part| signed[at + 2 + part].clone());
        signed[at + 1] = signer.sign(&parts).into_bytes();
        if let Ok(message) = decode(signed, &signer, &Seen::default()) {
            check_message(&message, &signer);
        }
    });
}

fn frames_of(input: &[u8]) -> Vec<Vec<u8>> {
    input
        .split(|byte| *byte == CUT)
        .map(<[u8]>::to_vec)
        .collect()
}

/// What was read can be written, and is the same when it is read again; so is an answer to it.
fn check_message(message: &Message, signer: &Signer) {
    let again = decode(encode(message.clone(), signer), signer, &Seen::default());
    let again = again.expect("our own message");
    for (one, other) in [
        (&again.header, &message.header),
        (&again.parent_header, &message.parent_header),
        (&again.metadata, &message.metadata),
    ] {
        assert_eq!(rounded(&one.clone().into()), rounded(&other.clone().into()));
    }
    assert_eq!(rounded(&again.content), rounded(&message.content));
    assert_eq!(
        (&again.identities, &again.buffers),
        (&message.identities, &message.buffers)
    );
    let answer = Message::new("session", "status", Some(message), &json!({"a": 1}));
    let frames = encode(answer, signer);
    let answer = decode(frames, signer, &Seen::default()).expect("our own message");
    assert_eq!(
        rounded(&answer.parent_header.into()),
        rounded(&message.header.clone().into())
    );
    assert_eq!(answer.identities, message.identities);
}

/// serde_json reads the last place of a long number by luck: numbers are compared without it.
fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            format!("{:.12e}", number.as_f64().unwrap_or(0.0)).into()
        }
        Value::Array(values) => values.iter().map(rounded).collect(),
        Value::Object(map) => {
            let pairs = map.iter().map(|(key, value)| (key.clone(), rounded(value)));
            Value::Object(pairs.collect())
        }
        other => other.clone(),
    }
}

#[test]
fn headers_and_contents_are_read_or_refused() {
    let target = Target {
        name: "headers",
        seeds: MESSAGES,
        words: JSON,
        depth: 60_000,
    };
    let signer = Signer::new("");
    target.run(|input| {
        let mut frames = frames_of(input);
        frames.insert(0, b"<IDS|MSG>".to_vec());
        // Mostly the header and the content of a message that is well made else.
        if !random_of(input).below(4).eq(&0) {
            let parts: Vec<Vec<u8>> = frames
                .iter()
                .filter(|frame| frame.starts_with(b"{"))
                .cloned()
                .collect();
            let header = parts.first().cloned().unwrap_or_default();
            let content = parts.last().cloned().unwrap_or_default();
            frames = vec![
                b"<IDS|MSG>".to_vec(),
                vec![],
                header,
                b"{}".to_vec(),
                b"null".to_vec(),
                content,
            ];
        }
        if let Ok(message) = decode(frames, &signer, &Seen::default()) {
            check_message(&message, &signer);
            check_contents(&message);
        }
    });
}

fn check_contents(message: &Message) {
    let defaults = json!({"silent": false, "store_history": true, "user_expressions": {}, "cursor_pos": 0, "detail_level": 0,
        "unique": false, "n": 0, "output": false, "raw": true});
    let results = [
        read::<ExecuteRequest>(message, defaults.clone()).err(),
        read::<CompleteRequest>(message, defaults.clone()).err(),
        read::<InspectRequest>(message, defaults.clone()).err(),
        read::<IsCompleteRequest>(message, defaults.clone()).err(),
        read::<HistoryRequest>(message, defaults).err(),
    ];
    for reason in results.into_iter().flatten() {
        assert!(
            reason.contains("cannot be read"),
            "the reason says what failed: {reason}"
        );
    }
}

#[test]
fn is_complete_answers_every_text() {
    let target = Target {
        name: "is-complete",
        seeds: CELLS,
        words: RUST,
        depth: 40_000,
    };
    target.run(|input| {
        let code = String::from_utf8_lossy(input);
        if let Completeness::Incomplete(indent) = judge(&code) {
            assert!(
                indent.bytes().all(|byte| byte == b' '),
                "{indent:?} is no indent"
            );
        }
        end_of(&code);
        is_variable_name(&code);
        if let Some(found) = final_expression(&code) {
            assert!(code.get(found.range.clone()).is_some(), "{found:?}");
        }
    });
}

/// What a stranger may send: an input is a greeting, a handshake and frames, whole, cut off or with other lengths.
#[test]
fn sockets_read_or_refuse_whatever_arrives() {
    let target = Target {
        name: "zmtp",
        seeds: MESSAGES,
        words: &[
            "\u{1}",
            "\u{2}",
            "\u{4}",
            "\u{1f}",
            "\u{5}READY",
            "\u{b}Socket-Type\0\0\0\u{6}DEALER",
            "\u{8}Identity\0\0\0\u{1}a",
            "\u{4}PING\0\n",
            "\u{9}SUBSCRIBE",
            "\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}",
            "\0\0\0\0\0\0\0\u{1}",
        ],
        depth: 60_000,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let runtime = std::sync::Mutex::new(runtime);
    target.run(|input| {
        let runtime = runtime
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        runtime.block_on(check_socket(input));
    });
}

async fn check_socket(input: &[u8]) {
    const LIMITS: Limits = Limits {
        message: 100_000,
        frames: 50,
    };
    let mut random = random_of(input);
    // Mostly behind a right greeting, a right handshake, and as well made frames.
    let mut bytes = Vec::new();
    if random.below(8) > 0 {
        bytes.extend(super::zmtp::GREETING);
    }
    if random.below(4) > 0 {
        bytes.extend(ready("DEALER", b""));
    }
    let frames = frames_of(input);
    match random.below(3) {
        0 => bytes.extend(message(&frames)),
        1 => {
            bytes.extend(message(&frames));
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
        _ => bytes.extend(input),
    }
    let mut reader = PeerReader::new(bytes.as_slice());
    let pool = Pool::new(50_000);
    let known = random.below(2) == 0;
    let patience = std::time::Duration::from_secs(60);
    if reader.greeting().await.is_err() || reader.hello().await.is_err() {
        return;
    }
    while let Ok(incoming) = reader
        .next(LIMITS, (!known).then_some((&pool, patience)))
        .await
    {
        match incoming {
            Incoming::Message(frames) => {
                let size: usize = frames.iter().map(Vec::len).sum();
                assert!(
                    !frames.is_empty() && frames.len() <= LIMITS.frames && size <= LIMITS.message
                );
            }
            Incoming::Command { name, body } => assert!(name.len() + body.len() <= 4096),
        }
    }
}

#[test]
fn connection_files_are_read_or_refused() {
    let target = Target {
        name: "connection",
        seeds: &[
            r#"{"shell_port":1,"iopub_port":2,"stdin_port":3,"control_port":4,"hb_port":5,"ip":"127.0.0.1","key":"k","transport":"tcp","signature_scheme":"hmac-sha256","kernel_name":"swath"}"#,
            r#"{"transport":"ipc","ip":"/tmp/k","shell_port":1,"iopub_port":2,"stdin_port":3,"control_port":4,"hb_port":5,"key":""}"#,
            r#"{"shell_port":1,"iopub_port":2,"stdin_port":3,"control_port":4,"hb_port":65536,"jupyter_session":"x.ipynb"}"#,
        ],
        words: &[
            "\"shell_port\"",
            "\"key\"",
            "\"ip\"",
            "\"transport\"",
            "\"signature_scheme\"",
            "\"tcp\"",
            "\"ipc\"",
            "{",
            "}",
            "[",
            ":",
            ",",
            "\"",
            "65535",
            "-1",
            "1.5",
            "\"hmac-md5\"",
            "null",
            "\"[::1]\"",
        ],
        depth: 60_000,
    };
    target.run(|input| {
        // A file that is no text is refused before.
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        match parse_connection(text) {
            Ok(info) => {
                assert!(info.key.is_empty() || info.signature_scheme == "hmac-sha256");
                for url in [info.shell_url(), info.hb_url(), info.iopub_url()] {
                    assert!(url.contains("://"), "{url}");
                }
            }
            Err(reason) => assert!(reason.contains("connection file"), "{reason}"),
        }
    });
}

#[test]
fn a_message_of_any_type_is_answered_under_its_own_header() {
    let message: Value = json!({"msg_id": "1", "msg_type": "🛰", "unknown": [1]});
    let frames = vec![
        b"<IDS|MSG>".to_vec(),
        vec![],
        message.to_string().into_bytes(),
        b"{}".to_vec(),
        b"{}".to_vec(),
        b"{}".to_vec(),
    ];
    let signer = Signer::new("");
    check_message(&decode(frames, &signer, &Seen::default()).unwrap(), &signer);
}

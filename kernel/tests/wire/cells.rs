//! Cells of shell commands and of magics that the front process carries out.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::frontend::{Frontend, PATIENCE, Received};

fn stream(messages: &[Received], name: &str) -> String {
    messages
        .iter()
        .filter(|message| message.msg_type == "stream" && message.content["name"] == name)
        .map(|message| message.content["text"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_cell_is_announced_numbered_and_ended_by_idle() {
    let mut front = Frontend::start().await;
    for count in 1..=2 {
        let id = front.send_cell("!echo hello; echo oops >&2").await;
        let reply = front.reply(&id).await.content;
        assert_eq!(
            reply,
            json!({ "status": "ok", "execution_count": count, "payload": [], "user_expressions": {} })
        );
        let messages = front.conversation(&id).await;
        assert_eq!(
            messages[0].content,
            json!({ "code": "!echo hello; echo oops >&2", "execution_count": count })
        );
        assert_eq!(stream(&messages, "stdout"), "hello\n");
        assert_eq!(stream(&messages, "stderr"), "oops\n");
    }
}

#[tokio::test]
async fn text_appears_while_a_command_runs_and_is_complete() {
    let mut front = Frontend::start().await;
    let id = front
        .send_cell("!printf 'part '; timeout 20 sh -c 'until [ -e seen ]; do sleep 0.05; done' && seq 1 20000; printf '\\377end'")
        .await;
    let first = loop {
        let message = front.next_for(&id).await;
        if message.msg_type == "stream" {
            break message;
        }
    };
    assert_eq!(first.content["text"], "part ");
    // The rest comes only when the first text has been seen.
    std::fs::write(front.folder().join("seen"), "").unwrap();
    let mut rest = String::new();
    let mut pieces = 0;
    loop {
        let message = front.next_for(&id).await;
        if message.content["execution_state"] == "idle" {
            break;
        }
        rest += message.content["text"].as_str().unwrap_or_default();
        pieces += 1;
    }
    let expected: String =
        (1..=20_000).map(|n| format!("{n}\n")).collect::<String>() + "\u{fffd}end";
    assert_eq!(rest, expected);
    assert!(pieces < 200, "{pieces} messages");
}

#[tokio::test]
async fn requests_are_answered_while_a_cell_runs() {
    let mut front = Frontend::start().await;
    let cell = front.send_cell("!sleep 20").await;
    while front.next_for(&cell).await.msg_type != "execute_input" {}
    let started = Instant::now();
    for (msg_type, content) in [
        ("kernel_info_request", json!({})),
        (
            "complete_request",
            json!({ "code": "%sce", "cursor_pos": 4 }),
        ),
        ("is_complete_request", json!({ "code": "1" })),
        (
            "history_request",
            json!({ "hist_access_type": "tail", "n": 1 }),
        ),
        ("comm_info_request", json!({})),
    ] {
        let id = front.send(msg_type, content).await;
        front.reply(&id).await;
    }
    let id = front.send_control("usage_request", json!({})).await;
    assert!(
        front.control_reply(&id).await.content["kernel_memory"]
            .as_u64()
            .unwrap()
            > 0
    );
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "they waited for the cell"
    );

    // A front end shows the last state that it hears of: the cell's busy is repeated after each idle.
    let id = front.send("comm_info_request", json!({})).await;
    front.reply(&id).await;
    while front.next_for(&id).await.content["execution_state"] != "idle" {}
    let after = front.next_iopub().await;
    assert_eq!(
        (&after.content["execution_state"], &after.parent["msg_id"]),
        (&json!("busy"), &json!(cell))
    );
}

async fn interrupt_ends_the_cell(on_shell: bool) {
    let mut front = Frontend::start().await;
    let cell = front.send_cell("!echo started; sleep 60").await;
    let queued = front.send_cell("!echo never").await;
    while front.next_for(&cell).await.msg_type != "stream" {}
    let started = Instant::now();
    let mut replies = Vec::new();
    if on_shell {
        let id = front.send("interrupt_request", json!({})).await;
        assert_eq!(front.reply(&id).await.content["status"], "ok");
    } else {
        let id = front.send_control("interrupt_request", json!({})).await;
        assert_eq!(front.control_reply(&id).await.content["status"], "ok");
    }
    for id in [&cell, &queued] {
        replies.push(front.reply(id).await.content);
    }
    assert!(started.elapsed() < PATIENCE / 2);
    assert_eq!(
        (&replies[0]["status"], &replies[0]["ename"]),
        (&json!("error"), &json!("KeyboardInterrupt"))
    );
    assert_eq!(replies[1]["status"], "aborted");
    let id = front.send_cell("!echo alive").await;
    assert_eq!(front.reply(&id).await.content["status"], "ok");
    assert_eq!(stream(&front.conversation(&id).await, "stdout"), "alive\n");
}

#[tokio::test]
async fn an_interrupt_on_control_ends_the_command_and_aborts_the_queue() {
    interrupt_ends_the_cell(false).await;
}

#[tokio::test]
async fn an_interrupt_on_shell_does_the_same() {
    interrupt_ends_the_cell(true).await;
}

#[tokio::test]
async fn an_error_aborts_what_was_queued_unless_it_may_go_on() {
    let mut front = Frontend::start().await;
    let failing = front.send_cell("%%bash\nsleep 0.3; exit 3").await;
    let queued = [
        front.send_cell("!touch never-1").await,
        front.send_cell("!touch never-2").await,
    ];
    let reply = front.reply(&failing).await.content;
    assert_eq!(
        (&reply["status"], &reply["ename"]),
        (&json!("error"), &json!("ShellError"))
    );
    assert!(reply["evalue"].as_str().unwrap().contains('3') && reply["traceback"].is_array());
    for id in &queued {
        assert_eq!(front.reply(id).await.content["status"], "aborted");
    }
    let errors = front.conversation(&failing).await;
    assert_eq!(
        errors
            .iter()
            .filter(|message| message.msg_type == "error")
            .count(),
        1
    );
    for id in &queued {
        assert!(
            front.conversation(id).await.is_empty(),
            "an aborted cell shows nothing"
        );
    }
    assert!(!front.folder().join("never-1").exists());

    let content = json!({ "code": "%%bash\nexit 1", "silent": false, "stop_on_error": false });
    let failing = front.send("execute_request", content).await;
    let next = front.send_cell("!true").await;
    assert_eq!(front.reply(&failing).await.content["status"], "error");
    assert_eq!(front.reply(&next).await.content["status"], "ok");
}

#[tokio::test]
async fn silent_cells_show_and_count_nothing() {
    let mut front = Frontend::start().await;
    let id = front
        .send(
            "execute_request",
            json!({ "code": "!echo quiet; touch ran", "silent": true }),
        )
        .await;
    assert_eq!(front.reply(&id).await.content["execution_count"], 0);
    assert!(front.conversation(&id).await.is_empty());
    assert!(front.folder().join("ran").exists());
    let id = front.send_cell("%lsmagic").await;
    assert_eq!(front.reply(&id).await.content["execution_count"], 1);
}

#[tokio::test]
async fn help_is_a_page_and_a_loaded_file_is_the_next_input() {
    let mut front = Frontend::start().await;
    let id = front.send_cell("%scene?").await;
    let payload = front.reply(&id).await.content["payload"].clone();
    assert_eq!(
        (payload.as_array().unwrap().len(), &payload[0]["source"]),
        (1, &json!("page"))
    );
    assert!(
        payload[0]["data"]["text/plain"]
            .as_str()
            .unwrap()
            .contains("Opens a raster")
    );
    let written = front
        .send_cell("%%writefile \"my script.rs\"\nlet a = \"{b}\\n\";")
        .await;
    assert_eq!(front.reply(&written).await.content["status"], "ok");
    let id = front.send_cell("%load 'my script.rs'").await;
    let payload = front.reply(&id).await.content["payload"].clone();
    assert_eq!(
        payload[0],
        json!({ "source": "set_next_input", "text": "let a = \"{b}\\n\";\n", "replace": false })
    );
}

#[tokio::test]
async fn mistakes_in_magics_are_errors_with_the_usage() {
    let mut front = Frontend::start().await;
    for (code, expected) in [
        ("%scene", "usage: %scene FILE"),
        ("%lsmagik", "did you mean %lsmagic?"),
        ("%load nowhere.rs", "nowhere.rs"),
        ("%chips a b", "must be a number"),
    ] {
        let id = front.send_cell(code).await;
        let reply = front.reply(&id).await.content;
        assert_eq!(reply["status"], "error", "{code}");
        let text: Vec<&str> = reply["traceback"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert!(text.join("\n").contains(expected), "{code}: {text:?}");
    }
}

#[tokio::test]
async fn expand_prints_rust_and_runs_nothing() {
    let mut front = Frontend::start().await;
    let id = front
        .send_cell("%expand %scene 'a b.tif' labels=l.gpkg class=house")
        .await;
    front.reply(&id).await;
    let text = stream(&front.conversation(&id).await, "stdout");
    assert_eq!(
        text,
        "let scene = Scene::open(\"a b.tif\")?.with_labels(\"l.gpkg\", \"house\")?; scene\n"
    );
}

#[tokio::test]
async fn a_command_that_never_stops_talking_is_slowed_down_and_interrupted() {
    let mut front = Frontend::start().await;
    let cell = front
        .send_cell("!yes 0123456789012345678901234567890123456789")
        .await;
    while front.next_for(&cell).await.msg_type != "stream" {}
    // Nobody reads iopub now.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let id = front.send_control("usage_request", json!({})).await;
    let bytes = front.control_reply(&id).await.content["kernel_memory"]
        .as_u64()
        .unwrap();
    assert!(bytes < 500_000_000, "{bytes} bytes");
    let id = front.send_control("interrupt_request", json!({})).await;
    front.control_reply(&id).await;
    while front.next_for(&cell).await.content["execution_state"] != "idle" {}
    assert_eq!(
        front.reply(&cell).await.content["ename"],
        "KeyboardInterrupt"
    );
}

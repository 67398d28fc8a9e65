//! Requests, damaged messages, start and end.

use std::time::{Duration, Instant};

use serde_json::json;
use zeromq::{SocketRecv, SocketSend, ZmqMessage};

use crate::frontend::{Frontend, PATIENCE, multipart, request_frames};

#[tokio::test]
async fn kernel_info_is_answered_on_both_channels_with_its_parents_header() {
    let mut front = Frontend::start().await;
    let id = front.send("kernel_info_request", json!({})).await;
    let reply = front.reply(&id).await;
    assert_eq!(reply.msg_type, "kernel_info_reply");
    assert_eq!(reply.content["protocol_version"], "5.5");
    assert_eq!(reply.content["language_info"]["file_extension"], ".rs");
    assert_eq!(reply.content["supported_features"], json!([]));
    assert_eq!(reply.header["version"], "5.5");
    assert!(
        reply
            .parent
            .as_object()
            .unwrap()
            .contains_key("subshell_id"),
        "unknown header fields come back"
    );
    assert!(front.conversation(&id).await.is_empty());

    let id = front.send_control("kernel_info_request", json!({})).await;
    assert_eq!(front.control_reply(&id).await.content["status"], "ok");
}

#[tokio::test]
async fn the_same_conversation_over_unix_sockets_leaves_no_socket_files() {
    let mut front = Frontend::start_ipc().await;
    let id = front.send("kernel_info_request", json!({})).await;
    assert_eq!(front.reply(&id).await.content["status"], "ok");
    let id = front
        .send_control("shutdown_request", json!({ "restart": false }))
        .await;
    front.control_reply(&id).await;
    assert!(front.wait_for_end().await.success());
    let left: Vec<_> = std::fs::read_dir(front.folder())
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert!(
        !left
            .iter()
            .any(|name| name.to_string_lossy().starts_with("kernel-")),
        "{left:?}"
    );
}

#[tokio::test]
async fn heartbeats_are_echoed() {
    let mut front = Frontend::start().await;
    for beat in [b"ping".to_vec(), vec![0, 255]] {
        front
            .heartbeat
            .send(multipart(vec![Vec::new(), beat.clone()]))
            .await
            .unwrap();
        let echo = tokio::time::timeout(PATIENCE, front.heartbeat.recv())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(echo.get(1).unwrap().as_ref(), beat);
    }
}

#[tokio::test]
async fn damaged_messages_are_dropped_and_the_next_one_is_answered() {
    let mut front = Frontend::start().await;
    let good = request_frames("damaged", "kernel_info_request", &json!({}));
    let mut bad_signature = good.clone();
    bad_signature[1] = b"00".repeat(32);
    let mut bad_json = good.clone();
    bad_json[2] = b"{".to_vec();
    for frames in [
        bad_signature,
        bad_json,
        good[..3].to_vec(),
        good[1..].to_vec(),
        vec![b"<IDS|MSG>".to_vec()],
        vec![vec![]],
    ] {
        front.shell.send(multipart(frames)).await.unwrap();
    }
    front
        .shell
        .send(ZmqMessage::from(vec![0xff; 100_000]))
        .await
        .unwrap();
    // A request whose content cannot be read is answered with an error.
    let id = front.send("complete_request", json!({ "code": 5 })).await;
    let reply = front.reply(&id).await;
    assert_eq!(reply.content["status"], "error");
    assert!(front.conversation(&id).await.is_empty());
    let id = front.send("kernel_info_request", json!({})).await;
    assert_eq!(front.reply(&id).await.content["status"], "ok");
}

#[tokio::test]
async fn is_complete_comms_and_unknown_messages() {
    let mut front = Frontend::start().await;
    for (code, status) in [
        ("1 + 1", "complete"),
        ("fn f() {", "incomplete"),
        ("let x = )", "invalid"),
        ("%lsmagic", "complete"),
        ("%%bash\nls", "incomplete"),
    ] {
        let id = front
            .send("is_complete_request", json!({ "code": code }))
            .await;
        assert_eq!(front.reply(&id).await.content["status"], status, "{code}");
        front.conversation(&id).await;
    }
    let id = front.send("comm_info_request", json!({})).await;
    assert_eq!(front.reply(&id).await.content["comms"], json!({}));
    front.conversation(&id).await;
    let id = front
        .send(
            "comm_open",
            json!({ "comm_id": "c1", "target_name": "nobody", "data": {} }),
        )
        .await;
    let messages = front.conversation(&id).await;
    assert_eq!(
        (
            messages[0].msg_type.as_str(),
            &messages[0].content["comm_id"]
        ),
        ("comm_close", &json!("c1"))
    );
    // Busy and idle end a front end's wait even for what the kernel does not know.
    let id = front.send("nonsense_request", json!({})).await;
    assert!(front.conversation(&id).await.is_empty());
}

#[tokio::test]
async fn magics_are_completed_and_explained() {
    let mut front = Frontend::start().await;
    let id = front
        .send(
            "complete_request",
            json!({ "code": "%lsm", "cursor_pos": 4 }),
        )
        .await;
    let reply = front.reply(&id).await.content;
    assert_eq!(
        (
            &reply["matches"],
            &reply["cursor_start"],
            &reply["cursor_end"]
        ),
        (&json!(["%lsmagic"]), &json!(0), &json!(4))
    );
    let id = front
        .send(
            "inspect_request",
            json!({ "code": "%scene a.tif", "cursor_pos": 3 }),
        )
        .await;
    let reply = front.reply(&id).await.content;
    assert_eq!(reply["found"], true);
    assert!(
        reply["data"]["text/plain"]
            .as_str()
            .unwrap()
            .contains("labels=")
    );
}

#[tokio::test]
async fn history_is_asked_in_three_ways_with_missing_fields() {
    let mut front = Frontend::start().await;
    for code in ["!true", "%lsmagic", "!true"] {
        let id = front.send_cell(code).await;
        front.reply(&id).await;
    }
    let sources = |reply: serde_json::Value| -> Vec<String> {
        reply["history"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry[2].as_str().unwrap().to_owned())
            .collect()
    };
    let id = front
        .send(
            "history_request",
            json!({ "hist_access_type": "tail", "n": 2 }),
        )
        .await;
    assert_eq!(
        sources(front.reply(&id).await.content),
        ["%lsmagic", "!true"]
    );
    let id = front
        .send(
            "history_request",
            json!({ "hist_access_type": "range", "session": 0, "start": 1, "stop": 3 }),
        )
        .await;
    assert_eq!(
        sources(front.reply(&id).await.content),
        ["!true", "%lsmagic"]
    );
    let id = front
        .send(
            "history_request",
            json!({ "hist_access_type": "search", "pattern": "!*", "unique": true }),
        )
        .await;
    assert_eq!(sources(front.reply(&id).await.content), ["!true"]);
    let id = front
        .send(
            "history_request",
            json!({ "hist_access_type": "tail", "n": 2, "output": true, "raw": true }),
        )
        .await;
    let pair = front.reply(&id).await.content["history"][0][2].clone();
    assert!(
        pair[1].as_str().unwrap().contains("%scene"),
        "the plain text of the result: {pair}"
    );
}

#[tokio::test]
async fn shutdown_is_answered_everywhere_and_kills_what_runs() {
    let mut front = Frontend::start().await;
    let mark = front.folder().join("pid");
    let cell = front.send_cell("!echo $$ > pid; sleep 60").await;
    let started = Instant::now();
    while !mark.exists() || std::fs::read_to_string(&mark).unwrap().is_empty() {
        assert!(started.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let id = front
        .send_control("shutdown_request", json!({ "restart": true }))
        .await;
    assert_eq!(
        front.control_reply(&id).await.content,
        json!({ "status": "ok", "restart": true })
    );
    let broadcast = loop {
        let message = front.next_iopub().await;
        if message.msg_type == "shutdown_reply" {
            break message;
        }
    };
    assert_eq!(broadcast.parent["msg_id"], id);
    assert!(front.wait_for_end().await.success());
    let pid: i32 = std::fs::read_to_string(&mark)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let process = format!("/proc/{pid}/status");
    let gone =
        || std::fs::read_to_string(&process).map_or(true, |status| status.contains("State:\tZ"));
    let started = Instant::now();
    while !gone() {
        assert!(
            started.elapsed() < PATIENCE,
            "the shell command of cell {cell} outlives the kernel"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_kernel_whose_server_is_gone_ends() {
    let folder = tempfile::tempdir().unwrap();
    let connection = json!({
        "transport": "ipc", "ip": folder.path().join("k").to_str().unwrap(), "key": "k", "signature_scheme": "hmac-sha256",
        "shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5,
    });
    std::fs::write(folder.path().join("c.json"), connection.to_string()).unwrap();
    let script = format!(
        "JPY_PARENT_PID=$$ {} kernel -f c.json 2>/dev/null & echo $!; sleep 1",
        env!("CARGO_BIN_EXE_swath")
    );
    let server = std::process::Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("SWATH_HISTORY", folder.path().join("h.sqlite"))
        .stdout(std::fs::File::create(folder.path().join("pid")).unwrap())
        .status()
        .unwrap();
    assert!(server.success());
    let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
    let process = format!("/proc/{}", pid.trim());
    let started = Instant::now();
    while std::path::Path::new(&process).exists() {
        assert!(
            started.elapsed() < PATIENCE,
            "the kernel outlives its server"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

//! A front end for tests: real sockets against the real program.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use zeromq::{DealerSocket, Socket, SocketOptions, SocketRecv, SocketSend, SubSocket, ZmqMessage};

/// The longest wait for anything; tests fail by this, they never hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const KEY: &str = "test key";

/// A message as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) msg_type: String,
    pub(crate) header: Value,
    pub(crate) parent: Value,
    pub(crate) content: Value,
}

/// The channels to a running kernel, which ends with this value.
pub(crate) struct Frontend {
    pub(crate) kernel: Child,
    pub(crate) shell: DealerSocket,
    pub(crate) control: DealerSocket,
    pub(crate) heartbeat: DealerSocket,
    pub(crate) iopub: SubSocket,
    folder: tempfile::TempDir,
    sent: u32,
}

impl Drop for Frontend {
    fn drop(&mut self) {
        let _ = self.kernel.kill();
        let _ = self.kernel.wait();
    }
}

fn free_port() -> u16 {
    // Given back at once; the kernel binds it a moment later.
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap()
        .port()
}

async fn connect<S: Socket>(url: &str) -> S {
    let mut options = SocketOptions::default();
    options.connect_timeout(PATIENCE);
    let mut socket = S::with_options(options);
    // The kernel may not have bound its sockets yet.
    let started = std::time::Instant::now();
    loop {
        match socket.connect(url).await {
            Ok(()) => return socket,
            Err(error) if started.elapsed() > PATIENCE => panic!("{url}: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

fn signature(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    for frame in frames {
        mac.update(frame);
    }
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>()
        .into_bytes()
}

/// Multipart frames as a socket takes them.
pub(crate) fn multipart(frames: Vec<Vec<u8>>) -> ZmqMessage {
    let mut frames = frames.into_iter();
    let mut message = ZmqMessage::from(frames.next().unwrap());
    for frame in frames {
        message.push_back(frame.into());
    }
    message
}

/// The frames of a request, signed.
pub(crate) fn request_frames(msg_id: &str, msg_type: &str, content: &Value) -> Vec<Vec<u8>> {
    let header = json!({
        "msg_id": msg_id, "msg_type": msg_type, "session": "front", "username": "tester", "version": "5.5",
        "date": "2026-01-01T00:00:00Z", "subshell_id": null,
    });
    let parts: Vec<Vec<u8>> = [&header, &json!({}), &json!({}), content]
        .iter()
        .map(|part| serde_json::to_vec(part).unwrap())
        .collect();
    let mut frames = vec![b"<IDS|MSG>".to_vec(), signature(&parts)];
    frames.extend(parts);
    frames
}

fn parse(message: ZmqMessage) -> Received {
    let frames: Vec<Vec<u8>> = message
        .into_vec()
        .into_iter()
        .map(|frame| frame.to_vec())
        .collect();
    let at = frames
        .iter()
        .position(|frame| frame == b"<IDS|MSG>")
        .expect("a delimiter");
    assert_eq!(
        frames[at + 1],
        signature(&frames[at + 2..at + 6]),
        "the kernel signs its messages"
    );
    let json = |index: usize| serde_json::from_slice::<Value>(&frames[at + index]).unwrap();
    let header = json(2);
    Received {
        msg_type: header["msg_type"].as_str().unwrap().to_owned(),
        header,
        parent: json(3),
        content: json(5),
    }
}

impl Frontend {
    /// Starts a kernel on free TCP ports.
    pub(crate) async fn start() -> Self {
        let ports: Vec<u16> = (0..5).map(|_| free_port()).collect();
        Self::start_with(
            json!({ "transport": "tcp", "ip": "127.0.0.1" }),
            &ports,
            None,
        )
        .await
    }

    /// Starts a kernel on Unix sockets.
    pub(crate) async fn start_ipc() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kernel").to_str().unwrap().to_owned();
        Self::start_with(
            json!({ "transport": "ipc", "ip": path }),
            &[1, 2, 3, 4, 5],
            Some(folder),
        )
        .await
    }

    async fn start_with(
        mut connection: Value,
        ports: &[u16],
        folder: Option<tempfile::TempDir>,
    ) -> Self {
        let folder = folder.unwrap_or_else(|| tempfile::tempdir().unwrap());
        for (name, port) in ["shell", "iopub", "stdin", "control", "hb"]
            .iter()
            .zip(ports)
        {
            connection[format!("{name}_port")] = json!(port);
        }
        connection["key"] = json!(KEY);
        connection["signature_scheme"] = json!("hmac-sha256");
        let file = folder.path().join("connection.json");
        std::fs::write(&file, connection.to_string()).unwrap();
        let kernel = Command::new(env!("CARGO_BIN_EXE_swath"))
            .args(["kernel", "-f"])
            .arg(&file)
            .current_dir(folder.path())
            .env("SWATH_HISTORY", folder.path().join("history.sqlite"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let url = |index: usize| match connection["transport"].as_str() {
            Some("ipc") => format!(
                "ipc://{}-{}",
                connection["ip"].as_str().unwrap(),
                ports[index]
            ),
            _ => format!("tcp://127.0.0.1:{}", ports[index]),
        };
        let mut iopub: SubSocket = connect(&url(1)).await;
        iopub.subscribe("").await.unwrap();
        let mut front = Self {
            kernel,
            shell: connect(&url(0)).await,
            control: connect(&url(3)).await,
            heartbeat: connect(&url(4)).await,
            iopub,
            folder,
            sent: 0,
        };
        assert_eq!(
            front.next_iopub().await.msg_type,
            "iopub_welcome",
            "the first broadcast greets the subscriber"
        );
        front
    }

    /// The folder that the kernel runs in.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn next_id(&mut self) -> String {
        self.sent += 1;
        format!("request-{}", self.sent)
    }

    /// Sends on shell; returns the message's id.
    pub(crate) async fn send(&mut self, msg_type: &str, content: Value) -> String {
        let id = self.next_id();
        self.shell
            .send(multipart(request_frames(&id, msg_type, &content)))
            .await
            .unwrap();
        id
    }

    /// Sends on control; returns the message's id.
    pub(crate) async fn send_control(&mut self, msg_type: &str, content: Value) -> String {
        let id = self.next_id();
        self.control
            .send(multipart(request_frames(&id, msg_type, &content)))
            .await
            .unwrap();
        id
    }

    /// Sends a cell.
    pub(crate) async fn send_cell(&mut self, code: &str) -> String {
        let content = json!({ "code": code, "silent": false, "store_history": true, "user_expressions": {}, "allow_stdin": false, "stop_on_error": true });
        self.send("execute_request", content).await
    }

    /// The next reply on shell, which must answer `id`.
    pub(crate) async fn reply(&mut self, id: &str) -> Received {
        let reply = receive(&mut self.shell).await;
        assert_eq!(reply.parent["msg_id"], id, "{reply:?}");
        reply
    }

    /// The next reply on control, which must answer `id`.
    pub(crate) async fn control_reply(&mut self, id: &str) -> Received {
        let reply = receive(&mut self.control).await;
        assert_eq!(reply.parent["msg_id"], id, "{reply:?}");
        reply
    }

    /// The next broadcast.
    pub(crate) async fn next_iopub(&mut self) -> Received {
        receive(&mut self.iopub).await
    }

    /// The next broadcast that answers `id`.
    pub(crate) async fn next_for(&mut self, id: &str) -> Received {
        loop {
            let message = self.next_iopub().await;
            if message.parent["msg_id"] == id {
                return message;
            }
        }
    }

    /// The broadcasts of `id` from its `busy` to its `idle`, without these two.
    pub(crate) async fn conversation(&mut self, id: &str) -> Vec<Received> {
        let first = self.next_for(id).await;
        assert_eq!(first.content["execution_state"], "busy", "{first:?}");
        let mut messages = Vec::new();
        loop {
            let message = self.next_for(id).await;
            match message.content["execution_state"].as_str() {
                Some("idle") => return messages,
                Some(_) => {}
                None => messages.push(message),
            }
        }
    }

    /// Waits until the kernel's process has ended.
    pub(crate) async fn wait_for_end(&mut self) -> std::process::ExitStatus {
        let started = std::time::Instant::now();
        loop {
            if let Some(status) = self.kernel.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "the kernel has not ended");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn receive(socket: &mut impl SocketRecv) -> Received {
    let message = tokio::time::timeout(PATIENCE, socket.recv())
        .await
        .expect("a message in time")
        .unwrap();
    parse(message)
}

//! A kernel of one's own, and the conversation with it: the front end's side of the wire, over sockets that only this user can
//! reach.

use std::fs::Permissions;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use jupyter_protocol::ConnectionInfo;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncWriteExt as _, BufReader, BufWriter};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::wire::connection::parse_connection;
use crate::wire::endpoint::socket_path;
use crate::wire::frames;
use crate::wire::message::Message;
use crate::wire::replay::Seen;
use crate::wire::sign::Signer;
use crate::wire::zmtp::{self, GREETING, Incoming, Limits, PeerReader, Refusal};

/// How long a kernel may take until it answers.
const START: Duration = Duration::from_secs(120);
/// How long one may take to end.
const END: Duration = Duration::from_secs(10);
/// What comes from our own kernel has no bounds: results may be large.
const OWN: Limits = Limits {
    message: usize::MAX,
    frames: usize::MAX,
};

type Way = BufWriter<OwnedWriteHalf>;
type Said = PeerReader<BufReader<OwnedReadHalf>>;

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    Shell,
    Iopub,
    Control,
    Stdin,
}

/// What comes from the kernel.
#[derive(Debug)]
pub(super) enum Heard {
    Message(Channel, Box<Message>),
    /// The kernel's process is gone; how it ended.
    Ended(String),
}

/// A kernel that belongs to this process, and the way to it.
pub(super) struct Client {
    process: Child,
    shell: Way,
    control: Way,
    stdin: Way,
    messages: mpsc::UnboundedReceiver<(Channel, Message)>,
    signer: Signer,
    session: String,
    /// Holds the sockets and the connection file.
    _folder: TempDir,
}

impl Client {
    /// Starts a kernel in the folder `cwd` and waits until it answers.
    ///
    /// # Errors
    /// Why it cannot be started or does not answer, in one sentence.
    pub(super) async fn start(cwd: &Path) -> Result<Self, String> {
        let (folder, file, info) = connection()?;
        let mut process = spawn(&file, cwd)?;
        let signer = Signer::new(&info.key);
        let (sender, messages) = mpsc::unbounded_channel();
        let identity = uuid::Uuid::new_v4().to_string();
        let open = async |port: u16, kind: &str, channel: Channel| -> Result<Way, String> {
            let (said, way) = connect(&socket_path(&info, port), kind, identity.as_bytes()).await?;
            tokio::spawn(listen(said, channel, signer.clone(), sender.clone()));
            Ok(way)
        };
        let ways = async {
            let mut iopub = open(info.iopub_port, "SUB", Channel::Iopub).await?;
            // A subscription to everything.
            send_frames(&mut iopub, vec![vec![1]]).await?;
            let shell = open(info.shell_port, "DEALER", Channel::Shell).await?;
            let control = open(info.control_port, "DEALER", Channel::Control).await?;
            let stdin = open(info.stdin_port, "DEALER", Channel::Stdin).await?;
            // The subscription lasts as long as its connection.
            Ok::<_, String>((iopub, shell, control, stdin))
        };
        let (iopub, shell, control, stdin) = tokio::select! {
            ways = ways => ways?,
            ended = process.wait() => return Err(format!("the kernel ended before it answered: {}", status(ended))),
            () = tokio::time::sleep(START) => return Err(format!("the kernel has not answered for {} s", START.as_secs())),
        };
        tokio::spawn(async move {
            let _kept = iopub;
            std::future::pending::<()>().await;
        });
        let mut client = Self {
            process,
            shell,
            control,
            stdin,
            messages,
            signer,
            session: uuid::Uuid::new_v4().to_string(),
            _folder: folder,
        };
        client.wait_until_ready().await?;
        Ok(client)
    }

    /// Asks who is there until both the answer and the broadcast about it have come: from then on no output is lost.
    async fn wait_until_ready(&mut self) -> Result<(), String> {
        let until = Instant::now() + START;
        let (mut answered, mut subscribed) = (false, false);
        while !(answered && subscribed) {
            let asked = self
                .request(Channel::Shell, "kernel_info_request", &json!({}))
                .await?;
            let again = Instant::now() + Duration::from_millis(500);
            loop {
                let heard = tokio::time::timeout_at(again.min(until), self.next()).await;
                match heard {
                    Err(_) if Instant::now() >= until => {
                        return Err(format!(
                            "the kernel has not answered for {} s",
                            START.as_secs()
                        ));
                    }
                    Err(_) => break,
                    Ok(Heard::Ended(how)) => {
                        return Err(format!("the kernel ended before it answered: {how}"));
                    }
                    Ok(Heard::Message(channel, message)) => {
                        answered |= channel == Channel::Shell;
                        subscribed |= channel == Channel::Iopub && is_about(&message, &asked);
                    }
                }
                if answered && subscribed {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Sends a request; its identifier, which its answers name.
    ///
    /// # Errors
    /// When the kernel is gone.
    pub(super) async fn request(
        &mut self,
        channel: Channel,
        kind: &str,
        content: &Value,
    ) -> Result<String, String> {
        let message = Message::new(&self.session, kind, None, content);
        let id = message.header.get("msg_id").and_then(Value::as_str);
        let id = id.unwrap_or_default().to_owned();
        let frames = frames::encode(message, &self.signer);
        let way = match channel {
            Channel::Shell => &mut self.shell,
            Channel::Stdin => &mut self.stdin,
            Channel::Control | Channel::Iopub => &mut self.control,
        };
        send_frames(way, frames).await?;
        Ok(id)
    }

    /// Has the kernel run a cell.
    ///
    /// # Errors
    /// When the kernel is gone.
    pub(super) async fn execute(&mut self, code: &str) -> Result<String, String> {
        let content = json!({
            "code": code,
            "silent": false,
            "store_history": true,
            "user_expressions": {},
            // A question comes to us, so that we can say that nobody answers.
            "allow_stdin": true,
            "stop_on_error": true,
        });
        self.request(Channel::Shell, "execute_request", &content)
            .await
    }

    /// What comes next.
    pub(super) async fn next(&mut self) -> Heard {
        tokio::select! {
            biased;
            message = self.messages.recv() => match message {
                Some((channel, message)) => Heard::Message(channel, Box::new(message)),
                None => Heard::Ended(status(self.process.wait().await)),
            },
            ended = self.process.wait() => Heard::Ended(status(ended)),
        }
    }

    /// Ends the kernel.
    pub(super) async fn shut_down(mut self) {
        let content = json!({ "restart": false });
        let asked = self
            .request(Channel::Control, "shutdown_request", &content)
            .await;
        if asked.is_err()
            || tokio::time::timeout(END, self.process.wait())
                .await
                .is_err()
        {
            let _ = self.process.kill().await;
        }
    }

    /// Ends the kernel without asking it.
    pub(super) async fn kill(mut self) {
        let _ = self.process.kill().await;
    }
}

/// Whether a message answers this request.
pub(super) fn is_about(message: &Message, request: &str) -> bool {
    message.parent_header.get("msg_id").and_then(Value::as_str) == Some(request)
}

/// How a process ended.
fn status(ended: std::io::Result<std::process::ExitStatus>) -> String {
    match ended {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    }
}

/// A private folder with the connection file of a new kernel, whose sockets will lie there.
fn connection() -> Result<(TempDir, PathBuf, ConnectionInfo), String> {
    let text = |folder: &Path| {
        json!({
            "transport": "ipc",
            "ip": folder.join("kernel"),
            "shell_port": 1,
            "iopub_port": 2,
            "stdin_port": 3,
            "control_port": 4,
            "hb_port": 5,
            "key": uuid::Uuid::new_v4().to_string(),
            "signature_scheme": "hmac-sha256",
            "kernel_name": "swath",
        })
        .to_string()
    };
    // The path of a socket has 107 bytes at most: folders of batch systems may be longer.
    let mut parents = vec![std::env::temp_dir(), PathBuf::from("/tmp")];
    parents.extend(dirs::runtime_dir());
    parents.push(PathBuf::from("/dev/shm"));
    let mut refused = None;
    for parent in parents {
        let made = || -> std::io::Result<(TempDir, PathBuf, String)> {
            let folder = tempfile::Builder::new()
                .prefix("swath-run-")
                .permissions(Permissions::from_mode(0o700))
                .tempdir_in(&parent)?;
            let longest = folder.path().join("kernel-1");
            if longest.as_os_str().len() > 100 {
                return Err(std::io::Error::other(
                    "the paths of sockets would be too long",
                ));
            }
            let file = folder.path().join("connection.json");
            let text = text(folder.path());
            let mut written = std::fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&file)?;
            std::io::Write::write_all(&mut written, text.as_bytes())?;
            Ok((folder, file, text))
        };
        match made() {
            Ok((folder, file, text)) => {
                let info = parse_connection(&text)?;
                return Ok((folder, file, info));
            }
            Err(error) => {
                refused.get_or_insert(format!("{}: {error}", parent.display()));
            }
        }
    }
    Err(format!(
        "there is no room for the kernel's sockets in {}; set TMPDIR to a folder that can be written",
        refused.unwrap_or_default()
    ))
}

/// Starts this program as a kernel.
fn spawn(file: &Path, cwd: &Path) -> Result<Child, String> {
    let program = std::env::current_exe()
        .map_err(|error| format!("this program does not find itself: {error}"))?;
    // Our own output is that of the run; what the kernel itself has to say belongs to the errors.
    let output = std::io::stderr()
        .as_fd()
        .try_clone_to_owned()
        .map_or_else(|_| Stdio::null(), Stdio::from);
    let mut command = Command::new(program);
    command
        .arg("kernel")
        .arg("-f")
        .arg(file)
        .current_dir(cwd)
        .env("JPY_PARENT_PID", std::process::id().to_string())
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(Stdio::inherit())
        // A terminal's Ctrl-C is for this process, which interrupts the cell.
        .process_group(0)
        .kill_on_drop(true);
    // Batch systems send the signals that announce the end to every process of a job: the kernel leaves them to us.
    let ignore = || {
        for signal in [libc::SIGTERM, libc::SIGUSR1] {
            // SAFETY: `signal` may be called between fork and exec, and `SIG_IGN` is always a valid disposition.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
        }
        Ok(())
    };
    // SAFETY: the function only calls `signal`, which may be called there.
    unsafe { command.pre_exec(ignore) };
    command
        .spawn()
        .map_err(|error| format!("the kernel cannot be started in {}: {error}", cwd.display()))
}

/// Connects to a socket of the kernel, once it is there, and shakes hands.
async fn connect(path: &Path, kind: &str, identity: &[u8]) -> Result<(Said, Way), String> {
    let failed =
        |reason: String| format!("the kernel does not answer at {}: {reason}", path.display());
    let stream = loop {
        match UnixStream::connect(path).await {
            Ok(stream) => break stream,
            // It is not bound yet; whoever waits for us has a limit.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let (input, output) = stream.into_split();
    let mut output = BufWriter::new(output);
    let hello = [&GREETING[..], &zmtp::ready(kind, identity)].concat();
    let sent = async {
        output.write_all(&hello).await?;
        output.flush().await
    };
    sent.await.map_err(|error| failed(error.to_string()))?;
    let mut said = PeerReader::new(BufReader::new(input));
    said.greeting()
        .await
        .map_err(|refusal| failed(refusal.to_string()))?;
    said.hello()
        .await
        .map_err(|refusal| failed(refusal.to_string()))?;
    Ok((said, output))
}

async fn send_frames(way: &mut Way, frames: Vec<Vec<u8>>) -> Result<(), String> {
    zmtp::write_message(way, frames)
        .await
        .map_err(|error| format!("the kernel does not read any more: {error}"))
}

/// Hands on what comes, until the connection ends.
async fn listen(
    mut said: Said,
    channel: Channel,
    signer: Signer,
    sender: mpsc::UnboundedSender<(Channel, Message)>,
) {
    let seen = Seen::default();
    loop {
        let frames = match said.next(OWN, None).await {
            Ok(Incoming::Message(frames)) => frames,
            Ok(Incoming::Command { .. }) => continue,
            Err(Refusal::Ended) => return,
            Err(refusal) => {
                crate::log::warn(&format!("the connection to the kernel ended: {refusal}"));
                return;
            }
        };
        let message = frames::verify(&frames, &signer, &seen).and_then(|()| frames::parse(frames));
        match message {
            Ok(message) => {
                if sender.send((channel, message)).is_err() {
                    return;
                }
            }
            Err(error) => {
                crate::log::warn(&format!("a message of the kernel was dropped: {error}"));
            }
        }
    }
}

//! The sockets of requests as clients see them: the gate, zeromq behind it, and the way back.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use super::endpoint::Listener;
use super::frames::{decode, encode};
use super::message::Message;
use super::replay::Seen;
use super::router::{Replies, Requests, Security, start_router};
use super::sign::Signer;
use super::zmtp::{self, GREETING, Incoming, Limits, PeerReader, Pool};

const PATIENCE: Duration = Duration::from_secs(60);

fn security() -> Security {
    Security {
        signer: Signer::new("key"),
        seen: Seen::default(),
        pool: Pool::new(64 << 20),
    }
}

async fn socket(security: &Security) -> (u16, Requests, Replies) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let started = start_router(
        "shell",
        Listener::of_tcp(listener),
        "s".into(),
        security.clone(),
    );
    let (requests, replies) = started.await.unwrap();
    (port, requests, replies)
}

async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("in time")
}

struct Client {
    input: PeerReader<OwnedReadHalf>,
    output: OwnedWriteHalf,
}

impl Client {
    async fn new(port: u16, identity: &[u8]) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (input, mut output) = stream.into_split();
        output.write_all(&GREETING).await.unwrap();
        let ready = zmtp::ready("DEALER", identity);
        output.write_all(&ready).await.unwrap();
        let mut input = PeerReader::new(input);
        input.greeting().await.unwrap();
        input.hello().await.unwrap();
        Self { input, output }
    }

    async fn send(&mut self, kind: &str) {
        let message = Message::new("client", kind, None, &json!({}));
        self.send_frames(encode(message, &Signer::new("key"))).await;
    }

    async fn send_frames(&mut self, frames: Vec<Vec<u8>>) {
        self.output
            .write_all(&zmtp::message(&frames))
            .await
            .unwrap();
    }

    /// The next message; none when the connection is over.
    async fn next(&mut self) -> Option<Message> {
        let limits = Limits {
            message: 1 << 30,
            frames: 100,
        };
        match soon(self.input.next(limits, None)).await {
            Ok(Incoming::Message(frames)) => {
                Some(decode(frames, &Signer::new("key"), &Seen::default()).unwrap())
            }
            _ => None,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_is_heard_to_its_last_word() {
    let (port, mut requests, replies) = socket(&security()).await;
    let mut client = Client::new(port, b"").await;
    let kinds = ["one", "two", "three", "four"];
    for kind in kinds {
        client.send(kind).await;
    }
    drop(client);
    for kind in kinds {
        let message = soon(requests.next()).await.unwrap();
        assert_eq!(message.msg_type(), kind);
        replies.reply("answer", &message, &json!({}));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_reaches_a_client_that_has_said_nothing_there() {
    let security = security();
    let (shell, mut requests, _) = socket(&security).await;
    let (stdin, mut answers, questions) = socket(&security).await;
    let (mine, other) = ([7; 255], [8; 255]);
    let mut asking = Client::new(shell, &mine).await;
    let (mut asked, mut silent) = (
        Client::new(stdin, &mine).await,
        Client::new(stdin, &other).await,
    );
    asking.send("execute_request").await;
    let request = soon(requests.next()).await.unwrap();
    // Its connection on stdin may be on its way yet.
    tokio::time::sleep(Duration::from_millis(100)).await;
    questions.reply("input_request", &request, &json!({"prompt": "?"}));
    let question = asked.next().await.unwrap();
    assert_eq!(question.msg_type(), "input_request");
    assert!(question.identities.is_empty());
    asked.send("input_reply").await;
    let answer = soon(answers.next()).await.unwrap();
    questions.reply("thanks", &answer, &json!({}));
    assert_eq!(asked.next().await.unwrap().msg_type(), "thanks");
    silent.send("input_reply").await;
    let late = soon(answers.next()).await.unwrap();
    questions.reply("late", &late, &json!({}));
    assert_eq!(
        silent.next().await.unwrap().msg_type(),
        "late",
        "no question before"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_come_in_order_and_flushing_waits_for_them() {
    let (port, mut requests, replies) = socket(&security()).await;
    let (mut one, mut two) = (Client::new(port, b"1").await, Client::new(port, b"2").await);
    one.send("one").await;
    let first = soon(requests.next()).await.unwrap();
    two.send("two").await;
    let second = soon(requests.next()).await.unwrap();
    let long = "x".repeat(300_000);
    for number in 0..500 {
        let text = if number % 100 == 0 { &long } else { "" };
        replies.reply("a", &first, &json!({"number": number, "text": text}));
        replies.reply("b", &second, &json!({"number": number}));
    }
    let reader = tokio::spawn(async move {
        for number in 0..500 {
            let (a, b) = (one.next().await.unwrap(), two.next().await.unwrap());
            assert_eq!((a.msg_type(), &a.content["number"]), ("a", &json!(number)));
            assert_eq!((b.msg_type(), &b.content["number"]), ("b", &json!(number)));
        }
    });
    replies.flush().await;
    soon(reader).await.unwrap();
    soon(replies.flush()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_signed_gets_behind_the_gate_and_nonsense_ends_a_connection() {
    let (port, mut requests, replies) = socket(&security()).await;
    let mut stranger = Client::new(port, b"").await;
    let message = Message::new("client", "forged", None, &json!({}));
    let forged = encode(message, &Signer::new("another key"));
    stranger.send_frames(forged).await;
    let mut client = Client::new(port, b"").await;
    for number in 0..21 {
        let parts = [format!("[{number}]"), "{}".into(), "{}".into(), "{}".into()];
        let parts = parts.map(String::into_bytes);
        let signature = Signer::new("key").sign(&parts).into_bytes();
        let frames = [vec![b"<IDS|MSG>".to_vec(), signature], parts.to_vec()].concat();
        client.send_frames(frames).await;
    }
    let next = async { while requests.next().await.is_none() {} };
    let ended = tokio::select! {
        ended = client.next() => ended,
        () = next => panic!("nonsense was read"),
    };
    assert!(ended.is_none());
    stranger.send("good").await;
    let good = soon(requests.next()).await.unwrap();
    assert_eq!(good.msg_type(), "good");
    replies.reply("answer", &good, &json!({}));
    assert_eq!(stranger.next().await.unwrap().msg_type(), "answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_messages_come_whole() {
    let (port, mut requests, replies) = socket(&security()).await;
    let mut client = Client::new(port, b"").await;
    for length in [0, 1, 255, 256, 65_535, 65_536, 3_000_000] {
        let mut message =
            Message::new("client", "long", None, &json!({"text": "x".repeat(length)}));
        message.buffers = vec![vec![1; length], vec![], vec![2; length]];
        let sent = message.clone();
        client
            .send_frames(encode(message, &Signer::new("key")))
            .await;
        let found = soon(requests.next()).await.unwrap();
        assert_eq!(
            (&found.content, &found.buffers),
            (&sent.content, &sent.buffers)
        );
        replies.reply("answer", &found, &found.content);
        assert_eq!(client.next().await.unwrap().content, sent.content);
    }
}

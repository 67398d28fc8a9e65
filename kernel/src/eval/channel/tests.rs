use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::json;

use super::*;

/// A channel whose other end is in our hands, and what it has shown on standard error.
struct Side {
    channel: Channel,
    child: UnixStream,
    said: Arc<Mutex<String>>,
    _pipes: [OwnedFd; 2],
}

impl Side {
    fn open() -> Self {
        let said = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&said);
        let sink: OutputSink = Box::new(move |event| {
            if let OutputEvent::Stderr(text) = event {
                heard.lock().unwrap().push_str(&text);
            }
        });
        let (channel, ends) = Channel::open(
            Arc::new(sink),
            Arc::new(Phase::new(PathBuf::from("/nonexistent/compiler"))),
            Arc::new(Places::default()),
            Arc::new(AtomicBool::new(false)),
            |names| {
                let closures = names.iter().filter(|name| *name == "closure");
                closures.cloned().collect()
            },
        )
        .unwrap();
        Self {
            channel,
            child: ends.side.into(),
            said,
            _pipes: [ends.stdout, ends.stderr],
        }
    }

    fn ask(&self, text: &[u8]) -> Answer {
        frame::write(&self.child, text).unwrap();
        message::decode(&frame::read(&self.child).unwrap()).unwrap()
    }

    /// What was said on standard error about a message, which the child is told as well.
    fn complaint_about(&self, text: &[u8]) -> String {
        let Answer::NotUnderstood { reason } = self.ask(text) else {
            panic!("understood: {}", String::from_utf8_lossy(text));
        };
        let said = std::mem::take(&mut *self.said.lock().unwrap());
        assert_eq!(said, format!("{reason}\n"));
        said
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        self.channel.stop();
    }
}

fn done(names: &[&str]) -> Vec<u8> {
    let done = Message::Done(Done {
        outcome: Outcome::Ok,
        completed: true,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        shown: false,
        surroundings: None,
        words: None,
    });
    message::encode(&done).unwrap()
}

#[test]
fn a_message_that_nobody_knows_is_named_and_those_after_it_are_read() {
    let side = Side::open();
    let unknown = side.complaint_about(br#"{"kind":"dance","pid":1}"#);
    assert!(
        unknown.contains("cannot read") && unknown.contains("\"dance\""),
        "{unknown}"
    );
    // Fields that are missing or of another type are not taken for empty ones.
    let update = side.complaint_about(br#"{"kind":"update","bundle":{},"metadata":{}}"#);
    assert!(
        update.contains("\"update\"") && update.contains("missing field `id`"),
        "{update}"
    );
    let begin = side.complaint_about(br#"{"kind":"begin","pid":"7"}"#);
    assert!(begin.contains("\"begin\""), "{begin}");
    let no_json = side.complaint_about(b"\xff\xfe");
    assert!(no_json.contains("without a kind"), "{no_json}");

    let answer = side.ask(&done(&["kept", "closure"]));
    let names = vec!["closure".to_owned()];
    assert_eq!(answer, Answer::Remove { names });
    let told = side.channel.finish_cell().told.unwrap();
    assert_eq!(
        (told.outcome, told.names),
        (Outcome::Ok, vec!["kept".to_owned()])
    );
}

#[test]
fn an_end_that_cannot_be_read_is_no_end_and_says_why() {
    let side = Side::open();
    let mut odd: serde_json::Value = serde_json::from_slice(&done(&["kept"])).unwrap();
    odd["outcome"] = json!({ "kind": "melted" });
    let said = side.complaint_about(odd.to_string().as_bytes());
    assert!(said.contains("`melted`"), "{said}");
    let end = side.channel.finish_cell();
    // Nothing was told, so no variable is taken for one that is gone (`Worker::keep`).
    assert_eq!(end.told, None);
    let status = super::super::outcome::status(&end, &Places::default(), false);
    let super::super::CellStatus::Error(error) = status else {
        panic!("{status:?}");
    };
    assert_eq!(error.ename, "EngineError");
    assert!(error.evalue.contains("`melted`"), "{error:?}");
}

use std::fmt::Debug;

use serde_json::json;

use super::*;

/// Encodes and decodes; the JSON in between.
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(message: &T) -> Value {
    let text = encode(message).unwrap();
    assert_eq!(&decode::<T>(&text).unwrap(), message);
    serde_json::from_slice(&text).unwrap()
}

fn bundle(mime: &str, value: &str) -> Bundle {
    Bundle::from_iter([(mime.to_owned(), value.into())])
}

#[test]
fn what_is_shown_and_asked_comes_back_as_it_was() {
    assert_eq!(
        round_trip(&Message::Begin { pid: 7 }),
        json!({ "kind": "begin", "pid": 7 })
    );
    let (shown, metadata) = (bundle("text/plain", "1 é"), bundle("image/png", "alt"));
    round_trip(&Message::Result {
        bundle: shown.clone(),
        metadata: Bundle::new(),
    });
    for id in [None, Some("view".to_owned())] {
        round_trip(&Message::Display {
            bundle: shown.clone(),
            metadata: metadata.clone(),
            id,
        });
    }
    round_trip(&Message::Update {
        bundle: shown,
        metadata,
        id: "view".to_owned(),
    });
    for flag in [true, false] {
        round_trip(&Message::Clear { wait: flag });
        round_trip(&Message::Input {
            prompt: "name?".to_owned(),
            password: flag,
            stdin: !flag,
        });
    }
    assert_eq!(
        round_trip(&Message::Panic {
            message: "out of range".to_owned()
        }),
        json!({ "kind": "panic", "message": "out of range" })
    );
}

#[test]
fn every_end_of_a_cell_comes_back_as_it_was() {
    let place = Place {
        file: "swath-cell-1/In[1]".to_owned(),
        line: 3,
        column: 5,
    };
    let names = vec!["a".to_owned(), "größe".to_owned()];
    let message = "why".to_owned();
    for outcome in [
        Outcome::Ok,
        Outcome::Panic {
            message: message.clone(),
            place: place.clone(),
        },
        Outcome::Error(Failure {
            name: "RasterError".to_owned(),
            message: message.clone(),
            hint: Some("next".to_owned()),
            place: place.clone(),
        }),
        Outcome::Error(Failure {
            name: "Error".to_owned(),
            message: String::new(),
            hint: None,
            place: Place::default(),
        }),
        Outcome::Interrupted {
            message: message.clone(),
        },
        Outcome::Cancelled,
        Outcome::Lost {
            names: names.clone(),
        },
        Outcome::Aside { names: Vec::new() },
        Outcome::Load { message },
    ] {
        for (surroundings, words) in [
            (None, None),
            (
                Some(Surroundings {
                    folder: Some("/ü".to_owned()),
                    set: BTreeMap::from([("A".to_owned(), "1".to_owned())]),
                    unset: names.clone(),
                }),
                Some(Words {
                    variables: BTreeMap::from([(
                        "scene".to_owned(),
                        Names {
                            classes: names.clone(),
                            bands: Vec::new(),
                        },
                    )]),
                    properties: BTreeMap::from([("a.gpkg".to_owned(), names.clone())]),
                }),
            ),
        ] {
            let told = round_trip(&Message::Done(Done {
                outcome: outcome.clone(),
                completed: true,
                names: names.clone(),
                shown: false,
                surroundings,
                words,
            }));
            assert_eq!(told["kind"], "done");
        }
    }
}

#[test]
fn every_answer_comes_back_as_it_was() {
    let text = "Anna".to_owned();
    for answer in [
        Answer::Noted,
        Answer::Begin { cancel: true },
        Answer::Line { text: text.clone() },
        Answer::Interrupted,
        Answer::Nobody,
        Answer::Remove { names: vec![text] },
        Answer::NotUnderstood {
            reason: "odd".to_owned(),
        },
    ] {
        round_trip(&answer);
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let unknown = decode::<Message>(br#"{"kind":"dance","pid":1}"#).unwrap_err();
    assert_eq!(unknown.kind.as_deref(), Some("dance"));
    let text = unknown.to_string();
    assert!(
        text.contains("unknown variant `dance`") && text.contains("`begin`"),
        "{text}"
    );

    // A missing field is an error, not an empty one.
    let cut = decode::<Message>(br#"{"kind":"update","bundle":{},"metadata":{}}"#).unwrap_err();
    let text = cut.to_string();
    assert!(
        text.contains("\"update\"") && text.contains("missing field `id`"),
        "{text}"
    );
    let odd = decode::<Message>(br#"{"kind":"clear","wait":"yes"}"#).unwrap_err();
    assert!(odd.to_string().contains("\"clear\""), "{odd}");
    let inner =
        br#"{"kind":"done","outcome":{"kind":"melted"},"completed":true,"names":[],"shown":false}"#;
    let inner = decode::<Message>(inner).unwrap_err().to_string();
    assert!(
        inner.contains("\"done\"") && inner.contains("`melted`"),
        "{inner}"
    );

    for text in [
        &b"null"[..],
        b"[1]",
        b"{}",
        b"{\"kind\":5}",
        b"\xff\xfe",
        b"",
    ] {
        let error = decode::<Message>(text).unwrap_err();
        assert_eq!(error.kind, None);
        assert!(!error.reason.is_empty());
    }
    let long = format!("{{\"kind\":\"{}\"}}", "é".repeat(100_000));
    let error = decode::<Answer>(long.as_bytes()).unwrap_err();
    assert!(error.to_string().len() < 1000);
}

//! Contents of requests as `jupyter-protocol` types, tolerant of the fields that real front ends leave out.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::message::Message;

/// Reads the content of `message`, with `defaults` for what is missing or null.
///
/// # Errors
/// The reason, for the log and the reply, when it cannot be read even so.
pub(crate) fn read<T: DeserializeOwned>(message: &Message, defaults: Value) -> Result<T, String> {
    let mut content = message.content.clone();
    if let (Value::Object(content), Value::Object(defaults)) = (&mut content, defaults) {
        for (name, value) in defaults {
            let field = content.entry(name).or_insert(Value::Null);
            if field.is_null() {
                *field = value;
            }
        }
    }
    serde_json::from_value(content)
        .map_err(|error| format!("{} cannot be read: {error}", message.msg_type()))
}

#[cfg(test)]
mod tests {
    use jupyter_protocol::{ExecuteRequest, InspectRequest};
    use serde_json::json;

    use super::*;

    #[test]
    fn an_execute_request_with_only_code_is_read() {
        let message = Message::new(
            "s",
            "execute_request",
            None,
            &json!({"code": "1", "silent": null}),
        );
        let request: ExecuteRequest = read(
            &message,
            json!({"silent": false, "store_history": true, "user_expressions": {}}),
        )
        .unwrap();
        assert!(request.stop_on_error && request.store_history && !request.silent);
    }

    #[test]
    fn an_inspection_whose_level_is_null_is_read() {
        let message = Message::new(
            "s",
            "inspect_request",
            None,
            &json!({"code": "a", "cursor_pos": 1, "detail_level": null}),
        );
        let request: InspectRequest = read(&message, json!({"detail_level": 0})).unwrap();
        assert_eq!(request.detail_level, Some(0));
    }

    #[test]
    fn nonsense_says_which_message_it_was() {
        let message = Message::new("s", "execute_request", None, &json!({"code": 5}));
        assert!(
            read::<ExecuteRequest>(&message, json!({}))
                .unwrap_err()
                .contains("execute_request")
        );
    }
}

//! The connection file: ports, transport, key.

use std::path::Path;

use jupyter_protocol::ConnectionInfo;
use serde_json::{Value, json};

/// Reads a connection file; a missing key or scheme means an unsigned connection, as jupyter_client writes it.
///
/// # Errors
/// When the file cannot be read, is not a connection file, or asks for a signature other than HMAC-SHA256.
pub(crate) fn read_connection_file(path: &Path) -> Result<ConnectionInfo, String> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        format!(
            "the connection file cannot be read: {error}: {}",
            path.display()
        )
    })?;
    parse_connection(&text).map_err(|reason| format!("{reason}: {}", path.display()))
}

pub(crate) fn parse_connection(text: &str) -> Result<ConnectionInfo, String> {
    let mut value: Value = serde_json::from_str(text)
        .map_err(|error| format!("the connection file is not JSON: {error}"))?;
    if let Value::Object(map) = &mut value {
        map.entry("transport").or_insert_with(|| json!("tcp"));
        map.entry("ip").or_insert_with(|| json!("127.0.0.1"));
        map.entry("key").or_insert_with(|| json!(""));
        map.entry("signature_scheme")
            .or_insert_with(|| json!("hmac-sha256"));
    }
    let info: ConnectionInfo = serde_json::from_value(value)
        .map_err(|error| format!("the connection file lacks a field: {error}"))?;
    if !info.key.is_empty() && info.signature_scheme != "hmac-sha256" {
        return Err(format!(
            "the connection file asks for signatures by {:?}, expected \"hmac-sha256\"",
            info.signature_scheme
        ));
    }
    Ok(info)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTS: &str =
        r#""shell_port":1,"iopub_port":2,"stdin_port":3,"control_port":4,"hb_port":5"#;

    #[test]
    fn a_file_without_key_and_transport_is_an_unsigned_tcp_connection() {
        let info = parse_connection(&format!("{{{PORTS}}}")).unwrap();
        assert_eq!(info.key, "");
        assert_eq!(info.shell_url(), "tcp://127.0.0.1:1");
    }

    #[test]
    fn ipc_addresses_are_paths_with_the_port_as_suffix() {
        let info =
            parse_connection(&format!(r#"{{"transport":"ipc","ip":"/tmp/k",{PORTS}}}"#)).unwrap();
        assert_eq!(info.hb_url(), "ipc:///tmp/k-5");
    }

    #[test]
    fn another_signature_scheme_is_refused_by_name() {
        let error = parse_connection(&format!(
            r#"{{"key":"k","signature_scheme":"hmac-md5",{PORTS}}}"#
        ))
        .unwrap_err();
        assert!(error.contains("hmac-md5"), "{error}");
    }
}

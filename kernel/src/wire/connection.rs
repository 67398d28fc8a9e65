//! The connection file: ports, transport, key.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use jupyter_protocol::{ConnectionInfo, Transport};
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
    let info = parse_connection(&text).map_err(|reason| format!("{reason}: {}", path.display()))?;
    if let Some(warning) = keep_private(path, &info) {
        crate::log::warn(&warning);
    }
    Ok(info)
}

/// Takes the key out of other users' sight where Jupyter has not; says what remains open.
fn keep_private(path: &Path, info: &ConnectionInfo) -> Option<String> {
    let found = std::fs::metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_file)?;
    if info.key.is_empty() && info.transport == Transport::TCP {
        return Some(format!(
            "{} has no key: every program that can reach the ports can run cells; Jupyter's own connection files have one",
            path.display()
        ));
    }
    if found.mode() & 0o077 == 0 {
        return None;
    }
    let private = std::fs::Permissions::from_mode(0o600);
    let mended = std::fs::set_permissions(path, private);
    let is_private = std::fs::metadata(path).is_ok_and(|it| it.mode() & 0o077 == 0);
    let done = match (mended, is_private) {
        (Ok(()), true) => "now it is private (mode 0600)".to_owned(),
        (Ok(()), false) => "its file system has no permissions".to_owned(),
        (Err(error), _) => format!("that cannot be changed ({error})"),
    };
    Some(format!(
        "other users could open {}, which holds the key to this kernel (mode {:04o}); {done}",
        path.display(),
        found.mode() & 0o7777
    ))
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
    fn a_file_that_others_can_read_is_closed_and_one_without_key_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kernel-1.json");
        let keyed = parse_connection(&format!(r#"{{"key":"k",{PORTS}}}"#)).unwrap();
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let told = keep_private(&path, &keyed).unwrap();
        assert!(told.contains("now it is private"), "{told}");
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(keep_private(&path, &keyed), None);
        let open = parse_connection(&format!("{{{PORTS}}}")).unwrap();
        assert!(keep_private(&path, &open).unwrap().contains("no key"));
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

use jupyter_protocol::{ConnectionInfo, ReplyStatus};
use serde::{Deserialize, Serialize};

/// `connect_reply`: the ports. `jupyter-protocol` has no such type.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ConnectReply {
    pub(crate) status: ReplyStatus,
    pub(crate) shell_port: u16,
    pub(crate) iopub_port: u16,
    pub(crate) stdin_port: u16,
    pub(crate) control_port: u16,
    pub(crate) hb_port: u16,
}

impl ConnectReply {
    pub(crate) fn new(info: &ConnectionInfo) -> Self {
        Self {
            status: ReplyStatus::Ok,
            shell_port: info.shell_port,
            iopub_port: info.iopub_port,
            stdin_port: info.stdin_port,
            control_port: info.control_port,
            hb_port: info.hb_port,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::round_trip;
    use super::*;

    #[test]
    fn the_ports_are_those_of_the_protocol() {
        let reply = ConnectReply {
            status: ReplyStatus::Ok,
            shell_port: 1,
            iopub_port: 2,
            stdin_port: 3,
            control_port: 4,
            hb_port: 5,
        };
        round_trip(
            &reply,
            &json!({
                "status": "ok", "shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5,
            }),
        );
    }
}

use jupyter_protocol::ReplyStatus;
use serde::{Deserialize, Serialize};

/// `usage_reply`, which ipykernel has and JupyterLab asks for; `jupyter-protocol` has no such type.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UsageReply {
    pub(crate) status: ReplyStatus,
    pub(crate) hostname: String,
    pub(crate) pid: u32,
    /// Bytes of this process and its children.
    pub(crate) kernel_memory: u64,
    pub(crate) cpu_count: usize,
    pub(crate) host_virtual_memory: HostMemory,
}

/// The machine's memory, in bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HostMemory {
    pub(crate) total: u64,
    pub(crate) available: u64,
    pub(crate) percent: f64,
    pub(crate) used: u64,
    pub(crate) free: u64,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::round_trip;
    use super::*;

    #[test]
    fn numbers_are_numbers() {
        let reply = UsageReply {
            status: ReplyStatus::Ok,
            hostname: "machine".to_owned(),
            pid: 7,
            kernel_memory: 1 << 40,
            cpu_count: 2,
            host_virtual_memory: HostMemory {
                total: 4,
                available: 3,
                percent: 25.0,
                used: 1,
                free: 2,
            },
        };
        round_trip(
            &reply,
            &json!({
                "status": "ok", "hostname": "machine", "pid": 7, "kernel_memory": 1_u64 << 40, "cpu_count": 2,
                "host_virtual_memory": { "total": 4, "available": 3, "percent": 25.0, "used": 1, "free": 2 },
            }),
        );
    }
}

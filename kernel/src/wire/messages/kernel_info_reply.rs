use serde::{Deserialize, Serialize};

/// `kernel_info_reply`: that of `jupyter-protocol`, with the field of protocol 5.5 that it lacks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KernelInfoReply {
    #[serde(flatten)]
    pub(crate) reply: jupyter_protocol::KernelInfoReply,
    pub(crate) supported_features: Vec<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::round_trip;
    use crate::front::kernel_info::kernel_info;

    #[test]
    fn all_is_on_one_level_and_no_feature_is_announced() {
        let reply = kernel_info();
        let encoded = serde_json::to_value(&reply).unwrap();
        assert_eq!(encoded["supported_features"], json!([]));
        assert_eq!(encoded["protocol_version"], "5.5");
        assert_eq!(encoded["language_info"]["codemirror_mode"], "rust");
        assert_eq!(encoded["status"], "ok");
        assert!(encoded.get("reply").is_none() && encoded.get("error").is_none());
        round_trip(&reply, &encoded);
    }
}

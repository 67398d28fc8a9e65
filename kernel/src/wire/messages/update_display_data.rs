use jupyter_protocol::Transient;
use serde::{Deserialize, Serialize};

use crate::eval::MimeBundle;

/// `update_display_data`: takes the place of what was displayed under a name. Of our own as [`super::DisplayData`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UpdateDisplayData {
    pub(crate) data: MimeBundle,
    pub(crate) metadata: MimeBundle,
    pub(crate) transient: Transient,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::round_trip;
    use super::*;

    #[test]
    fn the_name_is_transient() {
        let update = UpdateDisplayData {
            data: MimeBundle::from_iter([("text/plain".to_owned(), json!("2"))]),
            metadata: MimeBundle::new(),
            transient: Transient {
                display_id: Some("view".to_owned()),
            },
        };
        round_trip(
            &update,
            &json!({
                "data": { "text/plain": "2" }, "metadata": {}, "transient": { "display_id": "view" },
            }),
        );
    }
}

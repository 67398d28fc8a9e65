use jupyter_protocol::Transient;
use serde::{Deserialize, Serialize};

use crate::eval::MimeBundle;

/// `display_data`: a value that is shown in between.
///
/// That of `jupyter-protocol` holds a `Media`, into which not every bundle of a user's goes: a table without a schema is an
/// error there, a list of texts becomes one text, and MIME types come out in another order each time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DisplayData {
    pub(crate) data: MimeBundle,
    pub(crate) metadata: MimeBundle,
    pub(crate) transient: Transient,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::round_trip;
    use super::*;

    #[test]
    fn every_bundle_comes_back_as_it_was() {
        let data = json!({
            "text/plain": "1",
            "image/webp": "AAAA",
            "text/x-lines": ["a", "b"],
            "application/vnd.dataresource+json": { "data": [] },
        });
        let Value::Object(bundle) = data.clone() else {
            panic!("an object");
        };
        let display = |display_id| DisplayData {
            data: bundle.clone(),
            metadata: MimeBundle::from_iter([("image/webp".to_owned(), json!({ "alt": "map" }))]),
            transient: Transient { display_id },
        };
        let metadata = json!({ "image/webp": { "alt": "map" } });
        round_trip(
            &display(Some("view".to_owned())),
            &json!({ "data": data, "metadata": metadata, "transient": { "display_id": "view" } }),
        );
        round_trip(
            &display(None),
            &json!({ "data": data, "metadata": metadata, "transient": {} }),
        );
        let text = serde_json::to_string(&display(None)).unwrap();
        let order = ["text/plain", "image/webp", "text/x-lines"].map(|mime| text.find(mime));
        assert!(order.is_sorted(), "{text}");

        // Why it is not the type of `jupyter-protocol`.
        let content = json!({ "data": data, "metadata": {} });
        assert!(serde_json::from_value::<jupyter_protocol::DisplayData>(content).is_err());
    }
}

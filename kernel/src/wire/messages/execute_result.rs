use jupyter_protocol::Transient;
use serde::{Deserialize, Serialize};

use crate::eval::MimeBundle;

/// `execute_result`: the value of a cell. Of our own as [`super::DisplayData`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ExecuteResult {
    pub(crate) execution_count: u32,
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
    fn a_result_has_its_count_and_an_empty_transient() {
        let result = ExecuteResult {
            execution_count: 7,
            data: MimeBundle::from_iter([("application/json".to_owned(), json!({ "a": [1] }))]),
            metadata: MimeBundle::new(),
            transient: Transient::default(),
        };
        round_trip(
            &result,
            &json!({
                "execution_count": 7, "data": { "application/json": { "a": [1] } }, "metadata": {}, "transient": {},
            }),
        );
    }
}

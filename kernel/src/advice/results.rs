//! Methods that one result has and another has not: maps, boxes and cells.

/// What one result has and another one has not: the type, the methods, and what does as much there.
const OF_OTHERS: &[(&str, &[&str], &str)] = &[
    (
        "SceneCells",
        &["objects"],
        "cells are squares of a grid with a class each, not outlines of objects: `cells.counts()` counts them by class, \
         `cells.save(\"cells\")?` (`%map save=cells`) writes them as `cells.gpkg` and `cells.geojson`",
    ),
    (
        "SceneCells",
        &["errors", "worst", "worst_with"],
        "cells have no map of errors: `cells.evaluate(&scene)?` (`%evaluate`) counts right and wrong cells by class, \
         `cells.best_threshold(&scene)?` chooses a threshold, and a cell that ends in `cells` shows them over the imagery",
    ),
    (
        "SceneBoxes",
        &["errors", "worst", "worst_with"],
        "boxes have no map of errors: `boxes.evaluate(&scene)?` (`%evaluate`) counts found, false and missed objects, \
         `boxes.zoom(PixelWindow::new(column, row, width, height))?` looks at a part",
    ),
];

/// What does as much on a value of `of_type` as a method that only another result has.
pub(crate) fn of_another(of_type: &str, method: &str) -> Option<&'static str> {
    let of_type = of_type.rsplit("::").next().unwrap_or(of_type);
    OF_OTHERS
        .iter()
        .find(|(known, methods, _)| *known == of_type && methods.contains(&method))
        .map(|(.., advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_result_lacks_leads_to_what_it_has() {
        let cells = |method| of_another("swath::prelude::SceneCells", method).unwrap_or_default();
        assert!(cells("objects").contains("cells.gpkg"));
        for method in ["errors", "worst", "worst_with"] {
            assert!(cells(method).contains("evaluate"), "{method}");
        }
        assert_eq!(of_another("swath::prelude::SceneMap", "objects"), None);
        assert!(of_another("&swath::SceneBoxes", "worst").is_some());
    }
}

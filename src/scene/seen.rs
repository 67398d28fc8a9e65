use std::path::Path;

use super::Scene;
use crate::host::Step;
use crate::models::TrainedArea;
use crate::raster::PixelWindow;
use crate::report::{Notice, Report, file_name};

/// From this part of the pixels on, a score says that they were trained on.
pub(crate) const WORTH_SAYING: f64 = 0.005;

impl Scene {
    /// A window of the scene as a model remembers what it was trained on.
    pub(crate) fn as_trained_area(&self, window: PixelWindow) -> TrainedArea {
        TrainedArea::new(self.raster(), window, self.limit_words())
    }

    /// What there is to say of a score over `window` of a map of the file `predicted`.
    pub(crate) fn report_scored(
        &self,
        predicted: &Path,
        window: PixelWindow,
        trained: &[TrainedArea],
    ) -> Report {
        let mut report = self.report_seen(window, trained);
        let (size, all) = (window.size().area(), self.area().size().area());
        if size < all {
            let share = 100.0 * size as f64 / all as f64;
            report.push(Notice::noted(format!(
                "the prediction covers {share:.1} % of the scene: labels elsewhere are not scored"
            )));
        }
        let own = self.raster().path();
        if own != predicted {
            let notice = Notice::noted(format!(
                "the labels are those of {}, the map is one of {}, on the same grid",
                file_name(own),
                file_name(predicted)
            ));
            report.push(notice.next(format!(
                "a map of that imagery is made by {}",
                Step::PredictOther
            )));
        }
        report
    }

    /// Says when a score over `window` is one of pixels that the model has seen in training.
    pub(crate) fn report_seen(&self, window: PixelWindow, trained: &[TrainedArea]) -> Report {
        let share = self.as_trained_area(window).share_seen(trained);
        let mut report = Report::new();
        if share >= WORTH_SAYING {
            let all = share > 0.995;
            let what = if all {
                "all of the area that is scored was".to_owned()
            } else {
                format!("{:.0} % of the area that is scored was", share * 100.0)
            };
            let notice = Notice::noted(format!(
                "{what} trained on: such scores are better than those of new imagery will be"
            ));
            report.push(notice.about(self.name()).next(format!(
                "score what training did not see: {}",
                Step::ScoreUnseen
            )));
        }
        report
    }
}

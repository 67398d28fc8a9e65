use super::confusion::quotient;
use super::{Confusion, EvaluateError};
use crate::Result;
use crate::report::Report;

/// Scores of one class. NaN where the denominator is 0.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassScore {
    /// The class's name.
    pub name: String,
    /// Of the pixels predicted as this class, the part that is right.
    pub precision: f64,
    /// Of the pixels labeled as this class, the part that was found.
    pub recall: f64,
    /// Harmonic mean of precision and recall, `2 TP / (2 TP + FP + FN)`: 0 where no pixel is right, NaN only for a class that
    /// was neither labeled nor predicted (scikit-learn's `f1_score`).
    pub f1: f64,
    /// Intersection over union of the labeled and the predicted pixels.
    pub iou: f64,
    /// Of the pixels labeled as another class, the part that was not predicted as this one.
    pub specificity: f64,
    /// Pixels labeled as this class.
    pub support: u64,
    /// Pixels predicted as this class.
    pub predicted: u64,
}

/// The scores of a prediction against the truth; shows itself as a table with the confusion matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    confusion: Confusion,
    per_class: Vec<ClassScore>,
    report: Report,
    /// What was counted.
    of: Counted,
}

/// What scores count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    Pixels,
    Cells,
}

impl Scores {
    pub(super) fn new(confusion: Confusion, per_class: Vec<ClassScore>) -> Self {
        Self {
            confusion,
            per_class,
            report: Report::new(),
            of: Counted::Pixels,
        }
    }

    /// The same scores, of cells instead of pixels: how areas overlap says nothing of them.
    pub(crate) fn of_cells(mut self) -> Self {
        self.of = Counted::Cells;
        self
    }

    pub(super) fn counted(&self) -> Counted {
        self.of
    }

    /// These scores with what else there is to say.
    pub(crate) fn with_report(mut self, report: Report) -> Self {
        self.report.extend(report);
        self
    }

    /// What a person should know about the scores, such as that they are of pixels that were trained on.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Scores of each class, by class index.
    #[must_use]
    #[doc(alias = "classification_report")]
    #[doc(alias = "class_to_eval_item")]
    pub fn per_class(&self) -> &[ClassScore] {
        &self.per_class
    }

    /// The scores of the class called `name`.
    ///
    /// # Errors
    /// [`EvaluateError::UnknownClass`], which lists the classes there are.
    pub fn class(&self, name: &str) -> Result<&ClassScore> {
        self.per_class
            .iter()
            .find(|class| class.name == name)
            .ok_or_else(|| {
                let classes = self.confusion.classes.clone();
                EvaluateError::UnknownClass {
                    name: name.to_owned(),
                    classes,
                }
                .into()
            })
    }

    /// The counts behind the scores.
    #[must_use]
    #[doc(alias = "confusion_matrix")]
    pub fn confusion(&self) -> &Confusion {
        &self.confusion
    }

    /// Mean IoU over the classes that were labeled or predicted, index 0 (background) among them; NaN when there are none.
    /// A class with false pixels alone counts as 0.
    ///
    /// This is what tables, JSON, the validation of a training and a bundle all call mean IoU. torchmetrics'
    /// `MulticlassJaccardIndex` and mmsegmentation's `mIoU` are the same mean.
    #[must_use]
    #[doc(alias = "miou")]
    #[doc(alias = "jaccard")]
    #[doc(alias = "iou")]
    pub fn mean_iou(&self) -> f64 {
        self.mean(|class| class.iou)
    }

    /// Mean F1 over the same classes as [`Scores::mean_iou`].
    #[must_use]
    #[doc(alias = "f1")]
    #[doc(alias = "f1_score")]
    #[doc(alias = "dice")]
    pub fn mean_f1(&self) -> f64 {
        self.mean(|class| class.f1)
    }

    /// [`Scores::mean_iou`] over the classes that were labeled: the same wherever every class was. A training compares its
    /// epochs by it, since a class that the validation area does not have would count as 0 in those epochs in which a single
    /// pixel is taken for it, and not at all in the others. Such pixels still count against the classes that they are of.
    #[must_use]
    pub fn mean_iou_of_labeled(&self) -> f64 {
        let labeled = |class: &ClassScore| match class.support {
            0 => f64::NAN,
            _ => class.iou,
        };
        self.mean(labeled)
    }

    /// [`Scores::mean_f1`] over the classes that were labeled, for the same reason as [`Scores::mean_iou_of_labeled`].
    #[must_use]
    pub fn mean_f1_of_labeled(&self) -> f64 {
        let labeled = |class: &ClassScore| match class.support {
            0 => f64::NAN,
            _ => class.f1,
        };
        self.mean(labeled)
    }

    /// The part of the labeled pixels whose class is right.
    #[must_use]
    #[doc(alias = "overall_accuracy")]
    #[doc(alias = "pixel_accuracy")]
    pub fn accuracy(&self) -> f64 {
        let n = self.confusion.classes.len();
        quotient(
            (0..n).map(|class| self.confusion.count(class, class)).sum(),
            self.confusion.total(),
        )
    }

    /// Mean IoU weighted by how often each class is labeled (frequency-weighted IoU of Long, Shelhamer and Darrell,
    /// *Fully convolutional networks for semantic segmentation*, 2015). NaN when nothing is labeled.
    #[must_use]
    pub fn frequency_weighted_iou(&self) -> f64 {
        self.weighted(|class| class.iou)
    }

    /// `score` weighted by how often each class is labeled. A NaN counts as 0, as in Raster Vision's `average`.
    pub(super) fn weighted(&self, score: impl Fn(&ClassScore) -> f64) -> f64 {
        let total = self.confusion.total();
        if total == 0 {
            return f64::NAN;
        }
        let part = |class: &ClassScore| {
            let score = score(class);
            if score.is_nan() {
                0.0
            } else {
                score * quotient(class.support, total)
            }
        };
        self.per_class.iter().map(part).sum()
    }

    fn mean(&self, score: impl Fn(&ClassScore) -> f64) -> f64 {
        let defined: Vec<f64> = self
            .per_class
            .iter()
            .map(score)
            .filter(|score| !score.is_nan())
            .collect();
        #[expect(clippy::cast_precision_loss, reason = "there are at most 255 classes")]
        let count = defined.len() as f64;
        defined.iter().sum::<f64>() / count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-12, "{left} is not {right}");
    }

    /// Raster Vision's `expected-eval.json`: two 10 x 10 scenes, truth all 0 and all 1, predictions half and half.
    #[test]
    fn half_right_scores_one_half_everywhere() -> Result<()> {
        let mut confusion = Confusion::new(2);
        let prediction: Vec<u8> = (0..100).map(|pixel| u8::from(pixel >= 50)).collect();
        confusion.add(&[0; 100], &prediction)?;
        confusion.add(&[1; 100], &prediction)?;
        assert_eq!(confusion.counts, [50, 50, 50, 50]);
        let scores = confusion.scores();
        for class in scores.per_class() {
            assert_eq!((class.support, class.predicted), (100, 100));
            for score in [class.precision, class.recall, class.f1, class.specificity] {
                close(score, 0.5);
            }
            close(class.iou, 50.0 / 150.0);
        }
        close(scores.accuracy(), 0.5);
        Ok(())
    }

    /// Raster Vision's test of its semantic segmentation evaluator: a 4 x 4 scene of three classes.
    #[test]
    fn scores_without_a_denominator_are_nan() -> Result<()> {
        let mut confusion = Confusion::new(3);
        let mut truth = [0_u8; 16];
        (truth[0], truth[1]) = (1, 2);
        let mut prediction = [0_u8; 16];
        prediction[2] = 1;
        confusion.add(&truth, &prediction)?;
        assert_eq!(confusion.counts, [13, 1, 0, 1, 0, 0, 1, 0, 0]);
        let scores = confusion.scores();
        let [zero, one, two] = scores.per_class() else {
            panic!("three classes")
        };
        close(zero.precision, 13.0 / 15.0);
        close(zero.recall, 13.0 / 14.0);
        close(zero.iou, 13.0 / 16.0);
        assert_eq!((one.precision, one.recall), (0.0, 0.0));
        // scikit-learn's `f1_score(average=None)`: where no pixel is right, F1 is 0.
        assert_eq!(one.f1, 0.0);
        assert!(two.precision.is_nan());
        assert_eq!(two.f1, 0.0);
        assert_eq!(two.recall, 0.0);
        assert_eq!(two.iou, 0.0);
        close(
            scores.weighted(|class| class.recall),
            14.0 / 16.0 * 13.0 / 14.0,
        );
        close(scores.frequency_weighted_iou(), 14.0 / 16.0 * 13.0 / 16.0);
        Ok(())
    }

    /// The numbers of Raster Vision's notebook `pred_and_eval_ss.ipynb` (SpaceNet Vegas, image 5631).
    #[test]
    fn a_published_confusion_matrix_gives_the_published_scores() -> Result<()> {
        let confusion = Confusion {
            classes: vec!["background".to_owned(), "building".to_owned()],
            counts: vec![288_879, 12_375, 9_244, 112_002],
        };
        let scores = confusion.scores();
        let building = scores.class("building")?;
        assert!((building.precision - 0.9005).abs() < 5e-5);
        assert!((building.recall - 0.9238).abs() < 5e-5);
        assert!((building.f1 - 0.911_98).abs() < 5e-6);
        assert!((scores.class("background")?.f1 - 0.963_93).abs() < 5e-6);
        Ok(())
    }

    #[test]
    fn classes_that_never_occur_do_not_count_in_the_mean() -> Result<()> {
        let mut confusion = Confusion::new(3);
        confusion.add(&[0, 0, 1, 1], &[0, 0, 1, 0])?;
        let scores = confusion.scores();
        assert!(scores.per_class()[2].iou.is_nan());
        close(scores.mean_iou(), (2.0 / 3.0 + 0.5) / 2.0);
        assert!(Confusion::new(2).scores().mean_iou().is_nan());
        Ok(())
    }

    /// rslearn#696: mean F1 left out a class with 1360 false pixels, mean IoU counted it. scikit-learn 1.5:
    /// `f1_score(truth, prediction, labels=[0, 1, 2], average=None)` is 0 for class 2, `jaccard_score` as well.
    #[test]
    fn a_class_with_false_pixels_alone_counts_as_0_in_both_means() -> Result<()> {
        let mut confusion = Confusion::new(3);
        confusion.add(&[0, 0, 0, 0, 1, 1], &[0, 0, 0, 2, 1, 1])?;
        let scores = confusion.scores();
        let two = &scores.per_class()[2];
        assert_eq!((two.f1, two.iou, two.precision), (0.0, 0.0, 0.0));
        assert!(two.recall.is_nan());
        close(scores.mean_f1(), (6.0 / 7.0 + 1.0) / 3.0);
        close(scores.mean_iou(), (3.0 / 4.0 + 1.0) / 3.0);
        close(scores.mean_iou_of_labeled(), (3.0 / 4.0 + 1.0) / 2.0);
        Ok(())
    }

    #[test]
    fn an_unknown_class_is_answered_with_the_known_ones() {
        let scores = Confusion::named(["background", "building"]).scores();
        let error = scores
            .class("buildings")
            .expect_err("there is no such class");
        let hint = crate::Hint::hint(&error).unwrap_or_default();
        let all = format!("{error} {hint}");
        assert!(
            all.contains("`buildings`") && all.contains("background, building"),
            "{all}"
        );
        assert!(hint.contains("did you mean `building`"), "{hint}");
    }
}

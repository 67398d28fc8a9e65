//! Scores: confusion matrix, precision, recall, F1, IoU.

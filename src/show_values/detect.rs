//! How boxes are found.

use crate::detect::DetectionOptions;
use crate::display::show_fields;

show_fields!(DetectionOptions);

//! Whether a scene's pixels are as large on the ground as those that a model was trained on.

use crate::display::Output;
use crate::host::either;
use crate::raster::Raster;
use crate::scene::Scene;
use crate::session;

/// Pixels larger or smaller by more than this factor make objects look too different: networks are trained on chips
/// turned and mirrored, not on other sizes.
const ALIKE: f64 = 1.5;

/// Tells the user when the pixels of a scene are of another size on the ground than those of the training, width and height
/// in meters, of one of the models that are to predict it. It is no error: objects may be of any size.
pub(crate) fn tell_of_other_ground(
    trained: impl IntoIterator<Item = Option<[f64; 2]>>,
    scene: &Scene,
) {
    let notice = |pixel| notice(pixel, scene.raster());
    if let Some(notice) = trained.into_iter().flatten().find_map(notice) {
        session::display(&Output::text(notice));
    }
}

/// The edge of a raster's pixels in meters, where the raster says what a meter is.
pub(crate) fn ground_pixel(raster: &Raster) -> Option<[f64; 2]> {
    let (x, y) = raster.gsd()?;
    (x.is_finite() && y.is_finite()).then_some([x, y])
}

fn notice(trained: [f64; 2], raster: &Raster) -> Option<String> {
    let edge = |[x, y]: [f64; 2]| (x * y).abs().sqrt();
    let (trained, found) = (edge(trained), edge(ground_pixel(raster)?));
    let factor = found / trained;
    if !factor.is_finite() || (1.0 / ALIKE..=ALIKE).contains(&factor) {
        return None;
    }
    let look = if factor > 1.0 {
        format!("{factor:.1} times smaller")
    } else {
        format!("{:.1} times larger", 1.0 / factor)
    };
    // Three digits that count are enough to open a scene with.
    let digits = (2.0 - trained.log10().floor()).clamp(0.0, 9.0) as usize;
    Some(format!(
        "Notice: the model was trained on pixels of {trained:.digits$} m and those of this scene are of {found:.digits$} m: \
         everything looks {look} to it.\n{} opens the scene at the pixel size of the training.",
        either(
            format!(
                "`Scene::open_at({:?}, Resolution::Meters({trained:.digits$?}))`",
                raster.path()
            ),
            format!("`--pixel-size {trained:.digits$}`"),
        )
    ))
}

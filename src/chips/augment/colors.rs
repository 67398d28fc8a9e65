//! Red, green and blue of a patch together.

use crate::raster::{Band, BandRole, Patch};

/// Where the one red, the one green and the one blue band are; `None` where a color is missing or there are several.
pub(super) fn find(bands: &[Band]) -> Option<[usize; 3]> {
    let [red, green, blue] = [BandRole::Red, BandRole::Green, BandRole::Blue].map(|role| {
        let mut of_role = (0..bands.len())
            .filter(|&band| bands.get(band).is_some_and(|one| one.role == Some(role)));
        of_role.next().filter(|_| of_role.next().is_none())
    });
    Some([red?, green?, blue?])
}

/// Changes the colors of every valid pixel.
pub(super) fn change(
    patch: &mut Patch,
    colors: [usize; 3],
    mut of_pixel: impl FnMut([f32; 3]) -> [f32; 3],
) {
    let area = patch.size.area();
    for (pixel, _) in patch
        .valid
        .iter()
        .enumerate()
        .filter(|(_, valid)| **valid != 0)
    {
        let places = colors.map(|band| band * area + pixel);
        let [Some(&red), Some(&green), Some(&blue)] = places.map(|place| patch.data.get(place))
        else {
            return;
        };
        let changed = of_pixel([red, green, blue]);
        if changed.iter().all(|value| value.is_finite()) {
            for (place, value) in places.into_iter().zip(changed) {
                patch.data[place] = value;
            }
        }
    }
}

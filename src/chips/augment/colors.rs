//! Red, green and blue of a patch together.

use swath_cpu::colors::Colors;

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

/// The three planes of a patch; `None` where it does not have them.
pub(super) fn of(patch: &mut Patch, places: [usize; 3]) -> Option<Colors<'_>> {
    let area = patch.size.area().max(1);
    let mut planes: Vec<&mut [f32]> = patch.data.chunks_exact_mut(area).collect();
    // From the last, so that the others keep their places.
    let mut sorted = [0, 1, 2];
    sorted.sort_by_key(|&color| std::cmp::Reverse(places[color]));
    let mut taken = [None, None, None];
    for color in sorted {
        let place = Some(places[color]).filter(|&place| place < planes.len())?;
        taken[color] = Some(planes.swap_remove(place));
    }
    let [Some(red), Some(green), Some(blue)] = taken else {
        return None;
    };
    Some(Colors {
        red,
        green,
        blue,
        valid: &patch.valid,
    })
}

//! COCO's run lengths: a mask column by column, runs of background and object in turn.

use serde_json::Value;

use crate::BoundingBox;

/// The box around a mask, as `pycocotools`' `toBbox` finds it: `{"size": [rows, columns], "counts": …}` with counts as a
/// list or as a compressed text. `None` when they do not fill the size; an empty box for a mask without a pixel.
pub(super) fn bounds(mask: &Value) -> Option<BoundingBox> {
    let size = mask.get("size")?.as_array()?;
    let [height, width] = size.as_slice() else {
        return None;
    };
    let (height, width) = (height.as_u64()?, width.as_u64()?);
    let counts = match mask.get("counts")? {
        Value::String(text) => decompressed(text)?,
        Value::Array(counts) => counts.iter().map(Value::as_u64).collect::<Option<_>>()?,
        _ => return None,
    };
    let pixels = height.checked_mul(width)?;
    let (mut at, mut found): (u64, Option<[u64; 4]>) = (0, None);
    for (index, &run) in counts.iter().enumerate() {
        let (first, end) = (at, at.checked_add(run)?);
        at = end;
        if index.is_multiple_of(2) || run == 0 || height == 0 {
            continue;
        }
        let last = end - 1;
        let (left, right) = (first / height, last / height);
        // A run over the end of a column has pixels in its last row and in the first row of the next.
        let (top, bottom) = if left == right {
            (first % height, last % height)
        } else {
            (0, height - 1)
        };
        let [x_min, y_min, x_max, y_max] = found.unwrap_or([left, top, right, bottom]);
        found = Some([
            x_min.min(left),
            y_min.min(top),
            x_max.max(right),
            y_max.max(bottom),
        ]);
    }
    if at != pixels {
        return None;
    }
    let [x_min, y_min, x_max, y_max] = match found {
        Some(edges) => edges,
        None => return Some(BoundingBox::default()),
    };
    let edge = |pixel: u64| pixel as f64;
    Some(BoundingBox::new(
        edge(x_min),
        edge(y_min),
        edge(x_max + 1),
        edge(y_max + 1),
    ))
}

/// Run lengths as `pycocotools` compresses them (`rleFrString`): groups of five bits from the lowest, the sixth says that
/// another follows, and from the third run on each is the difference to the one before the last.
fn decompressed(text: &str) -> Option<Vec<u64>> {
    let mut counts: Vec<i64> = Vec::new();
    let mut letters = text.bytes();
    while let Some(mut letter) = letters.next() {
        let (mut run, mut shift) = (0_i64, 0_u32);
        loop {
            let bits = i64::from(letter.checked_sub(48).filter(|bits| *bits < 64)?);
            if shift >= 60 {
                return None;
            }
            run |= (bits & 0x1f) << shift;
            shift += 5;
            if bits & 0x20 == 0 {
                if bits & 0x10 != 0 {
                    run |= -1 << shift;
                }
                break;
            }
            letter = letters.next()?;
        }
        // The first three stand for themselves: `m > 2` counts those that are there already.
        if counts.len() > 2 {
            run = run.checked_add(counts[counts.len() - 2])?;
        }
        counts.push(run);
    }
    counts
        .into_iter()
        .map(|run| u64::try_from(run).ok())
        .collect()
}

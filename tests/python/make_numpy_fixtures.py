"""Writes arrays with NumPy itself, as tests/fixtures/numpy: `python tests/python/make_numpy_fixtures.py`.

Every imagery holds `100 * band + 10 * row + column` in 3 bands of 4 rows and 5 columns, whatever its type, order and axes, so
that tests need no second copy of the values. Booleans hold whether that number is odd.
"""

import io
import zipfile
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parents[1] / "fixtures" / "numpy"
band, row, col = np.ogrid[:3, :4, :5]
IMAGE = 100 * band + 10 * row + col


def save(name, array, version=None):
    with open(FOLDER / f"{name}.npy", "wb") as file:
        np.lib.format.write_array(file, array, version=version, allow_pickle=True)


def main():
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    small = IMAGE % 128
    for kind in "u1 i1 u2 i2 u4 i4 u8 i8 f2 f4 f8".split():
        values = small if kind in ("u1", "i1") else IMAGE
        for order in "<>" if kind[1] != "1" else "<":
            endian = {"<": "little", ">": "big"}[order]
            save(f"image_{kind}_{endian}", values.astype(order + kind))
            save(f"image_{kind}_{endian}_fortran", np.asfortranarray(values.astype(order + kind)))
    save("image_bool", IMAGE % 2 == 1)
    last = np.ascontiguousarray(np.moveaxis(IMAGE, 0, 2)).astype("<u2")
    save("last_u2", last)
    save("last_u2_fortran", np.asfortranarray(last))
    save("plane_f4", IMAGE[1].astype("<f4"))
    save("plane_i4_fortran", np.asfortranarray(IMAGE[1].astype("<i4")))
    save("version_2", IMAGE.astype("<u2"), (2, 0))
    save("version_3", IMAGE.astype("<u2"), (3, 0))
    holes = IMAGE[0].astype("<f4")
    holes[1, 2], holes[2, 3] = np.nan, np.inf
    save("holes", holes)
    save("refused_complex", np.zeros((4, 5), "<c8"))
    save("refused_object", np.array([[{}, 1], ["a", None]], object))
    save("refused_fields", np.zeros((4, 5), [("a", "<f4"), ("b", "<i2")]))
    save("refused_text", np.array([["a", "b"]]))
    save("refused_time", np.zeros((4, 5), "<M8[s]"))
    save("refused_axes", np.zeros((1, 3, 4, 5), "<f4"))
    save("refused_row", np.zeros(20, "<f4"))
    save("refused_empty", np.zeros((3, 0, 5), "<f4"))
    save("refused_which", np.zeros((4, 5, 4), "<f4"))
    save("large_integers", np.array([[2**24 + 1, 2**53 + 1], [-(2**40), 7]], "<i8"))
    classes = np.where(IMAGE[0] % 3 == 0, 10, 50).astype("<i8")
    mask = (IMAGE[0] > 20).astype("u1")
    np.savez(FOLDER / "several.npz", image=IMAGE.astype("<u2"), classes=classes, mask=mask)
    np.savez_compressed(FOLDER / "packed.npz", image=np.asfortranarray(IMAGE.astype(">f4")), mask=mask)
    np.savez_compressed(FOLDER / "one.npz", image=IMAGE.astype("<i2"))
    whole = io.BytesIO()
    np.save(whole, IMAGE.astype("<f8"))
    (FOLDER / "cut_short.npy").write_bytes(whole.getvalue()[:-100])
    both = io.BytesIO()
    np.save(both, IMAGE.astype("<u2"))
    np.save(both, mask)
    (FOLDER / "two_in_one.npy").write_bytes(both.getvalue())
    with zipfile.ZipFile(FOLDER / "without.npz", "w") as archive:
        archive.writestr("notes.txt", "no array")
    (FOLDER / "no_array.npy").write_bytes(b"PK\x03\x04 is no array")


if __name__ == "__main__":
    main()

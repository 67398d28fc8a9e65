"""What a scene reads of rasters, compared with rasterio and NumPy on random files of every kind.

rasterio brings a GDAL of its own, so that what is compared is not one library with itself. The rules where there is a
choice, as src/raster/by_band.rs has them:

- alpha of 0 and a mask of the whole dataset take the pixel;
- bands of one integer type are one image, whose pixel is missing where all of them are (rasterio's `dataset_mask`); bands
  of another type are another measurement, and so is each band of floats, whose nodata stands for NaN;
- what is not finite takes the pixel;
- statistics of a band are those of its own valid values;
- in a valid pixel, nodata of one band is handed out as stored where imagery can hold it, as 0 where it is a mark."""

import math
from dataclasses import dataclass

import numpy
import pytest
import rasterio
from hypothesis import given
from rasterio.enums import ColorInterp

from command import arrays, examples, info, kept, said
from random_rasters import GDAL_NAMES, recipes, stacks, write, write_stack

pytestmark = pytest.mark.filterwarnings("ignore:Dataset has no geotransform")


@dataclass
class Band:
    """What rasterio reads of one band."""

    values: numpy.ndarray
    present: numpy.ndarray
    dtype: str
    nodata: float | None

    def finite(self):
        return numpy.isfinite(self.values) if self.values.dtype.kind == "f" else numpy.ones(self.values.shape, bool)

    def handed_out(self):
        """The values in valid pixels: nodata that is a mark as 0."""
        mark = self.values.dtype.kind == "f" or (self.nodata is not None and self.nodata < 0)
        with numpy.errstate(over="ignore"):
            values = self.values.astype("float32")
        return numpy.where(self.present | (not mark), values, numpy.float32(0))


def truth(path):
    """What rasterio reads: the imagery's bands, which pixels are valid, and the grid."""
    with rasterio.open(path) as file:
        alpha = [band for band in file.indexes if file.colorinterp[band - 1] == ColorInterp.alpha and file.count > 1]
        whole = numpy.ones(file.shape, bool)
        for band in alpha:
            whole &= file.read(band) != 0
        bands = []
        for band in file.indexes:
            if band in alpha:
                continue
            values, mask = file.read(band), file.read_masks(band) != 0
            bands.append(Band(values, mask & whole, file.dtypes[band - 1], file.nodatavals[band - 1]))
        valid = whole.copy()
        for dtype in {band.dtype for band in bands}:
            present = [band.present for band in bands if band.dtype == dtype]
            valid &= numpy.all(present, axis=0) if dtype.startswith("float") else numpy.any(present, axis=0)
        for band in bands:
            valid &= band.finite()
            band.present &= band.finite()
        return bands, valid, file.transform


def compare(path, folder):
    """Reads the file with `swath info` and compares everything that it says with rasterio and NumPy."""
    bands, valid, transform = truth(path)
    (facts,) = info(path, "--statistics", "--arrays", folder / "read")
    if not all(band.present.any() for band in bands):
        assert "no valid pixel" in facts.get("error", ""), f"a band has no valid pixel, and no word: {said(facts)}"
        return
    assert "error" not in facts, said(facts)
    found, found_valid, _ = arrays(folder / "read")

    assert [band["data_type"] for band in facts["band_info"]] == [GDAL_NAMES[band.dtype] for band in bands]
    assert facts["bands"] == len(bands) == len(found)
    for band, expected in zip(facts["band_info"], bands, strict=True):
        check_nodata(band["nodata"], expected.nodata, said(facts))
    assert facts["transform"] == pytest.approx(transform.to_gdal(), rel=1e-9, abs=1e-9)

    numpy.testing.assert_array_equal(found_valid, valid, "which pixels are valid")
    assert facts["valid"] == valid.sum()
    for number, (band, read) in enumerate(zip(bands, found, strict=True)):
        # Pixels are handed out as 32-bit floats.
        numpy.testing.assert_allclose(read[valid], band.handed_out()[valid], rtol=2e-7, err_msg=f"band {number + 1}")
        assert not read[~valid].any(), "what is not valid is 0"
        with numpy.errstate(over="ignore"):
            check_statistics(facts["statistics"][number], band.values[band.present].astype("float32").astype("float64"))


def check_nodata(found, expected, words):
    if expected is None:
        # rasterio keeps quiet about a value that the type cannot hold; a person is told.
        assert found is None or "nodata" in words
    elif math.isnan(expected):
        assert found == "NaN"
    else:
        assert found == pytest.approx(expected, rel=1e-7)


def check_statistics(found, values):
    spread = max(abs(values.min()), abs(values.max()), 1e-30)
    assert found["count"] == values.size
    assert found["min"] == pytest.approx(values.min(), rel=2e-7)
    assert found["max"] == pytest.approx(values.max(), rel=2e-7)
    assert found["mean"] == pytest.approx(values.mean(), rel=1e-5, abs=1e-6 * spread)
    assert found["std"] == pytest.approx(values.std(), rel=1e-4, abs=1e-5 * spread)


@pytest.mark.parametrize("driver", ["GTiff", "PNG", "ENVI", "HFA", "AAIGrid"])
def test_a_raster_reads_as_rasterio_reads_it(driver):
    @examples(100 if driver == "GTiff" else 20)
    @given(recipes(drivers=(driver,)))
    def check(recipe):
        with kept(f"raster-{driver}", recipe) as folder:
            compare(write(recipe, folder), folder)

    check()


@examples(30)
@given(stacks())
def test_a_stack_of_bands_of_several_types_reads_as_rasterio_reads_it(bands):
    with kept("stack", bands) as folder:
        compare(write_stack(bands, folder), folder)


@examples(12)
@given(recipes(drivers=("GTiff", "PNG"), masks=("alpha",)))
def test_a_band_that_is_taken_as_alpha_is_named(recipe):
    with kept("alpha", recipe) as folder:
        (facts,) = info(write(recipe, folder))
        named = [notice for notice in facts["report"] if "alpha" in notice["text"]]
        assert named and all(notice["next"] for notice in named), said(facts)

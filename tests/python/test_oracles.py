"""What a scene reads of rasters, compared with rasterio and NumPy on random files of every kind.

rasterio brings a GDAL of its own, so that what is compared is not one library with itself. The rules where there is a
choice: a pixel is valid where any of its bands is (rasterio's `dataset_mask`), and no NaN is ever handed out as valid."""

import math

import numpy
import pytest
import rasterio
from hypothesis import given
from rasterio.enums import ColorInterp

from command import arrays, examples, info, kept, said
from random_rasters import GDAL_NAMES, recipes, stacks, write, write_stack

pytestmark = pytest.mark.filterwarnings("ignore:Dataset has no geotransform")


def truth(path):
    """What rasterio reads: its imagery bands, their values, and which pixels are valid."""
    with rasterio.open(path) as file:
        bands = [band for band in file.indexes if file.colorinterp[band - 1] != ColorInterp.alpha or file.count == 1]
        values = numpy.stack([file.read(band) for band in bands]) if len({file.dtypes[band - 1] for band in bands}) == 1 else [
            file.read(band) for band in bands]
        valid = file.dataset_mask() != 0
        for band in values:
            if band.dtype.kind == "f":
                valid &= ~numpy.isnan(band)
        types = [file.dtypes[band - 1] for band in bands]
        nodata = [file.nodatavals[band - 1] for band in bands]
        return values, valid, types, nodata, file.transform


def compare(path, folder):
    """Reads the file with `swath info` and compares everything that it says with rasterio and NumPy."""
    values, valid, types, nodata, transform = truth(path)
    (facts,) = info(path, "--statistics", "--values", folder / "read")
    if not valid.any():
        assert "no valid pixel" in facts.get("error", ""), f"nothing is valid, and it was read: {facts}"
        return
    assert "error" not in facts, said(facts)
    found, found_valid, _ = arrays(folder / "read")

    assert facts["bands"] == len(values)
    assert [band["data_type"] for band in facts["band_info"]] == [GDAL_NAMES[name] for name in types]
    for band, expected in zip(facts["band_info"], nodata, strict=True):
        check_nodata(band["nodata"], expected)
    assert facts["transform"] == pytest.approx(transform.to_gdal(), rel=1e-9, abs=1e-9)

    numpy.testing.assert_array_equal(found_valid, valid, "which pixels are valid")
    assert facts["valid"] == valid.sum()
    for number, (band, read) in enumerate(zip(values, found, strict=True)):
        # Pixels are handed out as 32-bit floats.
        expected = band.astype("float32")
        numpy.testing.assert_allclose(read[valid], expected[valid], rtol=2e-7, err_msg=f"band {number + 1}")
        assert not numpy.isnan(read[found_valid]).any()
        check_statistics(facts["statistics"][number], expected[valid].astype("float64"))


def check_nodata(found, expected):
    if expected is None:
        assert found is None
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


@examples(25)
@given(stacks())
def test_a_stack_of_bands_of_several_types_reads_as_rasterio_reads_it(bands):
    with kept("stack", bands) as folder:
        compare(write_stack(bands, folder), folder)

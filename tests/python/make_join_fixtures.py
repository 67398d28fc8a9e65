"""Small rasters on several grids, and what stacks, mosaics and band arithmetic of them hold by other programs.

    make_join_fixtures.py           writes tests/fixtures/joins
    make_join_fixtures.py check     exits with 1 when expected.json is not what the rasters say

Needs rasterio and numpy (`scripts/setup-python.sh tests`); made with rasterio 1.4.4 (GDAL 3.10.3) and numpy 2.4.6.

The authorities: `rasterio.vrt.WarpedVRT` (GDAL's warper) for values on another grid and for where they are, band by band;
numpy with rasterio's `dataset_mask` for mosaics; numpy for indices, scales and percentiles.
"""

import json
import sys
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.transform import Affine, from_origin
from rasterio.vrt import WarpedVRT

HERE = Path(__file__).resolve().parents[1] / "fixtures" / "joins"
UTM = "EPSG:32633"
# Columns and rows of the grid that stacks have.
WIDTH, HEIGHT = 24, 20
GRID = from_origin(500_000, 5_000_000, 10, 10)


def write(name, values, transform, crs=UTM, nodata=None, **more):
    values = values if values.ndim == 3 else values[None]
    profile = dict(
        driver="GTiff", width=values.shape[2], height=values.shape[1], count=values.shape[0], dtype=values.dtype,
        transform=transform, crs=crs, nodata=nodata, compress="deflate",
    )
    with rasterio.open(HERE / name, "w", **profile, **more) as out:
        out.write(values)


def make():
    HERE.mkdir(exist_ok=True)
    random = np.random.default_rng(5)
    row, col = np.mgrid[0:HEIGHT, 0:WIDTH]
    red = (400 + 30 * col + 11 * row + random.integers(0, 60, (HEIGHT, WIDTH))).astype("uint16")
    nir = (2500 - 40 * col + 25 * row + random.integers(0, 200, (HEIGHT, WIDTH))).astype("uint16")
    red[3:6, 4:8] = 0
    red[15, 15] = nir[15, 15] = 7
    nir[10, 10:13] = 0
    write("T33UUP_20220612T101559_B04_10m.tif", red, GRID, nodata=0)
    write("T33UUP_20220612T101559_B08_10m.tif", nir, GRID, nodata=0)
    # Twice as coarse, over the same ground, with holes.
    row, col = np.mgrid[0:10, 0:12]
    swir = (900 + 55 * col + 70 * row + random.integers(0, 90, (10, 12))).astype("uint16")
    swir[4, 5] = 0
    write("T33UUP_20220612T101559_B11_20m.tif", swir, from_origin(500_000, 5_000_000, 20, 20), nodata=0)
    # Five times as fine, over a part.
    row, col = np.mgrid[0:50, 0:60]
    fine = (np.sin(col / 9) + np.cos(row / 7) + random.random((50, 60)) / 10).astype("float32")
    fine[20:31, 30:42] = np.nan
    write("fine_2m.tif", fine, from_origin(500_040, 4_999_940, 2, 2))
    # Half a pixel aside.
    aside = (50 + 3 * np.mgrid[0:HEIGHT, 0:WIDTH][1] + random.integers(0, 30, (HEIGHT, WIDTH))).astype("uint8")
    write("aside.tif", aside, from_origin(500_005, 5_000_005, 10, 10))
    # In degrees; smooth, so that a thousandth of a pixel makes no difference.
    row, col = np.mgrid[0:60, 0:60]
    write("degrees.tif", (col * 4 + row * 3).astype("float32"), from_origin(14.9985, 45.1545, 0.00015, 0.00015), "EPSG:4326")
    # South-up and rotated.
    up = (100 + np.arange(WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)).astype("uint16")
    write("south_up.tif", up[::-1], Affine(10, 0, 500_000, 0, 10, 5_000_000 - 10 * HEIGHT))
    turned = Affine(10, 0, 500_120, 0, -10, 4_999_900) * Affine.rotation(25) * Affine.scale(0.5) * Affine.translation(-20, -16)
    row, col = np.mgrid[0:32, 0:40]
    write("turned.tif", (col * 5 + row * 7).astype("float32"), turned)
    # Tiles that overlap by two pixels, one of them with alpha.
    for at, (x, y) in enumerate([(0, 0), (8, 0), (0, 8), (8, 8)]):
        rgb = random.integers(1, 255, (3, 10, 10)).astype("uint8")
        rgb[:, 2:4, 8:10] = 0 if at == 1 else rgb[:, 2:4, 8:10]
        alpha = np.full((1, 10, 10), 255, "uint8")
        alpha[0, 0:3, 0:5] = 0
        values = np.concatenate([rgb, alpha]) if at == 3 else rgb
        more = dict(photometric="RGB", alpha="YES") if at == 3 else dict(photometric="RGB")
        write(f"tile_{at}.tif", values, from_origin(500_000 + 10 * x, 5_000_000 - 10 * y, 10, 10), **more)


def warped(name, resampling, tolerance=0.001):
    """Values and validity on the grid of stacks."""
    with rasterio.open(HERE / name) as source:
        alpha = source.nodata is None and source.dtypes[0] != "float32"
        nodata = float("nan") if source.dtypes[0] == "float32" else source.nodata
        with WarpedVRT(
            source, crs=UTM, transform=GRID, width=WIDTH, height=HEIGHT, resampling=resampling, tolerance=tolerance,
            add_alpha=alpha, nodata=nodata, src_nodata=nodata,
        ) as vrt:
            values = vrt.read(1)
            valid = vrt.read_masks(1) > 0
            valid &= np.isfinite(values)
    return dict(values=numbers(np.where(valid, values, 0)), valid=valid.astype(int).ravel().tolist())


def numbers(values):
    return [round(float(value), 6) for value in np.ravel(values)]


def expected():
    stacks = {
        "bilinear": warped("T33UUP_20220612T101559_B11_20m.tif", Resampling.bilinear),
        "nearest": warped("T33UUP_20220612T101559_B11_20m.tif", Resampling.nearest),
        "average": warped("fine_2m.tif", Resampling.average),
        "aside": warped("aside.tif", Resampling.bilinear),
        "degrees": warped("degrees.tif", Resampling.bilinear),
        "turned": warped("turned.tif", Resampling.nearest),
    }
    # As gdalbuildvrt lays sources with a mask over each other: valid pixels only.
    merged, valid = np.zeros((3, 18, 18), "uint8"), np.zeros((18, 18), bool)
    for at in range(4):
        with rasterio.open(HERE / f"tile_{at}.tif") as source:
            col, row = round((source.transform.c - 500_000) / 10), round((5_000_000 - source.transform.f) / 10)
            here = source.dataset_mask() > 0
            part = np.s_[row : row + 10, col : col + 10]
            merged[:, part[0], part[1]][:, here] = source.read([1, 2, 3])[:, here]
            valid[part] |= here
    mosaic = dict(values=numbers(merged), valid=valid.astype(int).ravel().tolist())
    with rasterio.open(HERE / "T33UUP_20220612T101559_B04_10m.tif") as one, rasterio.open(HERE / "T33UUP_20220612T101559_B08_10m.tif") as two:
        red, nir = one.read(1).astype("float64"), two.read(1).astype("float64")
    valid = (red > 0) & (nir > 0)
    with np.errstate(all="ignore"):
        ndvi = np.where(valid, (nir - red) / (nir + red), 0)
        seven = valid & (red != 7)
        ratio = np.where(seven, 1 / (red - 7) + np.where(nir > 2000, nir, -nir), 0)
        decibels = np.where(red > 0, 10 * np.log10(np.where(red > 0, red, 1)), 0)
    own = red[red > 0]
    bands = {
        "ndvi": dict(values=numbers(ndvi), valid=valid.astype(int).ravel().tolist()),
        "ratio": dict(values=numbers(ratio), valid=seven.astype(int).ravel().tolist()),
        "decibels": dict(values=numbers(decibels), valid=(red > 0).astype(int).ravel().tolist()),
        "red": dict(
            mean=own.mean(), std=own.std(), min=own.min(), max=own.max(),
            percentiles=[float(np.percentile(own, share, method="nearest")) for share in (10, 90)],
        ),
        "ndvi_statistics": dict(mean=ndvi[valid].mean(), std=ndvi[valid].std(), count=int(valid.sum())),
    }
    return dict(stacks=stacks, mosaic=mosaic, bands=bands)


def text(facts):
    return json.dumps(facts, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        sys.exit(text(expected()) != (HERE / "expected.json").read_text(encoding="utf-8"))
    make()
    (HERE / "expected.json").write_text(text(expected()), encoding="utf-8")

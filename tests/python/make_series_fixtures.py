"""Small rasters of four dates with cloud masks, and what series of them hold by numpy.

    make_series_fixtures.py           writes tests/fixtures/series
    make_series_fixtures.py check     exits with 1 when expected.json is not what the rasters say

Needs rasterio and numpy (`scripts/setup-python.sh tests`); made with rasterio 1.4.4 (GDAL 3.10.3) and numpy 2.4.6.

The authorities: numpy.ma for composites of masked arrays of dates, `numpy.interp` for values between dates.
"""

import datetime
import json
import sys
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

HERE = Path(__file__).resolve().parents[1] / "fixtures" / "series"
WIDTH, HEIGHT = 24, 20
DATES = ["2023-04-15", "2023-06-04", "2023-07-01", "2023-09-10"]
CODES = [0, 3, 8, 9]


def path(date, band, pixel):
    return HERE / f"T33UUP_{date.replace('-', '')}T101559_{band}_{pixel}m.tif"


def write(target, values, pixel, **more):
    with rasterio.open(
        target, "w", driver="GTiff", width=values.shape[1], height=values.shape[0], count=1, dtype=values.dtype, crs="EPSG:32633",
        transform=from_origin(500_000, 5_000_000, pixel, pixel), compress="deflate", **more,
    ) as out:
        out.write(values, 1)


def make():
    HERE.mkdir(exist_ok=True)
    random = np.random.default_rng(11)
    for at, date in enumerate(DATES):
        red = random.integers(300, 3000, (HEIGHT, WIDTH)).astype("uint16")
        nir = random.integers(900, 5000, (HEIGHT, WIDTH)).astype("uint16")
        red[at, 2:9] = 0
        nir[10, at * 3 : at * 3 + 5] = 0
        write(path(date, "B04", 10), red, 10, nodata=0)
        write(path(date, "B08", 10), nir, 10, nodata=0)
        classes = random.choice([4, 5, 6, 3, 8, 9], (HEIGHT // 2, WIDTH // 2), p=[0.3, 0.2, 0.1, 0.15, 0.15, 0.1]).astype("uint8")
        # Nothing is ever seen here, and here always.
        classes[0, 0], classes[9, 11] = 9, 4
        write(path(date, "SCL", 20), classes, 20)


def read():
    """Values `[dates, bands, height, width]` and where dates are valid, `[dates, height, width]`."""
    values, valid = [], []
    for date in DATES:
        bands = []
        for band in ("B04", "B08"):
            with rasterio.open(path(date, band, 10)) as source:
                bands.append(source.read(1).astype("float64"))
        with rasterio.open(path(date, "SCL", 20)) as source:
            classes = source.read(1).repeat(2, 0).repeat(2, 1)
        values.append(bands)
        valid.append(~np.isin(classes, CODES) & (bands[0] > 0) & (bands[1] > 0))
    return np.array(values), np.array(valid)


def numbers(values):
    return [round(float(value), 6) for value in np.ravel(values)]


def expected():
    values, valid = read()
    bands = np.repeat(valid[:, None], 2, 1)
    masked = np.ma.masked_array(values, ~bands)
    days = np.array([datetime.date.fromisoformat(date).toordinal() for date in DATES])
    seen = valid.any(0)
    first, last = valid.argmax(0), len(DATES) - 1 - valid[::-1].argmax(0)
    ndvi = (values[:, 1] - values[:, 0]) / (values[:, 1] + values[:, 0])
    greenest = np.where(valid, ndvi, -np.inf).argmax(0)

    def of(which):
        return np.take_along_axis(values, which[None, None].repeat(2, 1), 0)[0]

    composites = {
        "median": np.ma.median(masked, axis=0).filled(0), "mean": masked.mean(0).filled(0), "min": masked.min(0).filled(0),
        "max": masked.max(0).filled(0), "first": of(first), "last": of(last), "max_ndvi": of(greenest),
    }
    filled = np.zeros_like(values)
    for band, row, col in np.ndindex(2, HEIGHT, WIDTH):
        here = valid[:, row, col]
        if here.any():
            filled[:, band, row, col] = np.interp(days, days[here], values[here, band, row, col])
    return dict(
        dates=DATES, valid=valid.astype(int).ravel().tolist(), values=numbers(np.where(bands, values, 0)),
        composites={name: numbers(np.where(seen, made, 0)) for name, made in composites.items()},
        filled=numbers(filled), ndvi=numbers(np.where(valid, ndvi, 0)), means=numbers(masked.mean((2, 3))),
    )


def text(facts):
    return json.dumps(facts, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        sys.exit(text(expected()) != (HERE / "expected.json").read_text(encoding="utf-8"))
    make()
    (HERE / "expected.json").write_text(text(expected()), encoding="utf-8")

"""What imagery in cells costs at several qualities of WebP: bytes in a notebook, and how near it is to the imagery.

usage: pictures.py IMAGE…   (a venv with rasterio; `swath data fetch banepa` brings the images of the table in README.md)

Structural similarity is that of Wang and others (2004), by blocks of 8 x 8 pixels of the mean of the bands, which are stretched
from the 2nd to the 98th percentile as scenes are shown.
"""

import sys
import warnings

import numpy
import rasterio
from numpy.lib.stride_tricks import sliding_window_view
from rasterio.enums import Resampling
from rasterio.io import MemoryFile

LONGEST = 800
QUALITIES = (80, 75, 70, 60, 50)


def shown(path: str) -> numpy.ndarray:
    with rasterio.open(path) as raster:
        share = min(1, LONGEST / max(raster.shape))
        shape = (3, *(int(side * share) for side in raster.shape))
        bands = raster.read([1, 2, 3], out_shape=shape, resampling=Resampling.average).astype(float)
    low, high = numpy.percentile(bands, (2, 98), axis=(1, 2))[..., None, None]
    return (numpy.clip((bands - low) / (high - low), 0, 1) * 255).astype(numpy.uint8)


def encoded(bands: numpy.ndarray, quality: int) -> tuple[int, numpy.ndarray]:
    count, height, width = bands.shape
    with MemoryFile(ext=".webp") as file:
        with file.open(driver="WEBP", width=width, height=height, count=count, dtype="uint8", quality=quality) as raster:
            raster.write(bands)
        with file.open() as raster:
            return len(file.getbuffer()) * 4 // 3, raster.read()


def similarity(one: numpy.ndarray, other: numpy.ndarray) -> float:
    a, b = (sliding_window_view(bands.mean(0), (8, 8))[::4, ::4] for bands in (one, other))
    means = a.mean((2, 3)), b.mean((2, 3))
    covariance = (a * b).mean((2, 3)) - means[0] * means[1]
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    above = (2 * means[0] * means[1] + c1) * (2 * covariance + c2)
    below = (means[0] ** 2 + means[1] ** 2 + c1) * (a.var((2, 3)) + b.var((2, 3)) + c2)
    return float((above / below).mean())


def main() -> None:
    warnings.filterwarnings("ignore")
    print("| image | quality | kB in a notebook | beside 80 | similarity |\n|---|---|---|---|---|")
    for path in sys.argv[1:]:
        bands = shown(path)
        most = encoded(bands, QUALITIES[0])[0]
        for quality in QUALITIES:
            size, read = encoded(bands, quality)
            print(f"| {path.rsplit('/', 1)[-1]} | {quality} | {size // 1000} | {size / most:.2f} | {similarity(bands, read):.3f} |")


if __name__ == "__main__":
    main()

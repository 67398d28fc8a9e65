"""Raster Vision's side of the bench of polygons: the same file drawn in the same windows, in one process.

    cargo bench --profile release -p swath --bench rasterize    # prints the folder
    python3 -m venv ~/.cache/swath/venv-rv && ~/.cache/swath/venv-rv/bin/pip install rastervision_core
    ~/.cache/swath/venv-rv/bin/python benches/peers/rasterize.py FOLDER [windows]
"""

import sys
import time
from pathlib import Path

import numpy as np
from rastervision.core.box import Box
from rastervision.core.data import (
    ClassConfig,
    ClassInferenceTransformer,
    GeoJSONVectorSource,
    RasterioSource,
    RasterizedSource,
)


def main():
    folder = Path(sys.argv[1])
    names = ["background", "concrete", "tin", "thatch", "other"]
    began, busy = time.perf_counter(), time.process_time()
    images = RasterioSource(str(folder / "image.tif"), allow_streaming=True)
    classes = ClassConfig(names=names, null_class="background")
    vectors = GeoJSONVectorSource(
        str(folder / "labels.geojson"),
        images.crs_transformer,
        vector_transformers=[
            ClassInferenceTransformer(
                default_class_id=1,
                class_config=classes,
                class_id_to_filter={i: ["==", "class", name] for i, name in enumerate(names) if i > 0},
            )
        ],
    )
    rasterized = RasterizedSource(vectors, background_class_id=0, bbox=images.bbox)
    print(f"opened in {time.perf_counter() - began:.2f} s ({time.process_time() - busy:.2f} s of processor time)")

    height, width = images.shape[:2]
    windows = [Box(row, col, row + 512, col + 512) for row in range(0, height, 512) for col in range(0, width, 512)]
    all_windows = len(windows)
    windows = windows[: int(sys.argv[2])] if len(sys.argv) > 2 else windows
    seen = np.zeros(len(names), dtype=np.int64)
    began, busy = time.perf_counter(), time.process_time()
    for window in windows:
        seen += np.bincount(rasterized.get_chip(window).ravel(), minlength=len(seen))
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    print(
        f"{len(windows)} of {all_windows} windows drawn in {seconds:.2f} s ({busy:.2f} s of processor time); "
        f"pixels by class {seen.tolist()}"
    )


main()

"""Raster Vision's side of the chips bench: the same file, the same windows, labels and flips, in one process.

Its own classes read imagery and labels (`RasterioSource`, `RasterizedSource` behind `SemanticSegmentationLabelSource`);
what its datasets do after that, Albumentations' flips and the way to tensors, is replaced by numpy flips, which are quicker.

    SWATH_BENCH_WINDOWS=/tmp/windows.json cargo bench --profile release -p swath --bench chips
    python3 -m venv ~/.cache/swath/venv-rv && ~/.cache/swath/venv-rv/bin/pip install rastervision_core
    ~/.cache/swath/venv-rv/bin/python benches/peers/chips.py /tmp/windows.json [chips]
"""

import json
import random
import subprocess
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
    SemanticSegmentationLabelSource,
)


def main():
    plan = json.loads(Path(sys.argv[1]).read_text())
    windows = plan["windows"][: int(sys.argv[2])] if len(sys.argv) > 2 else plan["windows"]
    labels = Path(plan["labels"])
    geojson = Path("/tmp") / (labels.stem + ".geojson")
    if not geojson.exists():
        subprocess.run(["ogr2ogr", "-f", "GeoJSON", "-t_srs", "EPSG:4326", geojson, labels], check=True)

    began = time.perf_counter()
    images = RasterioSource(plan["scene"], allow_streaming=False)
    classes = ClassConfig(names=["background", "building", "car", "road", "tree"], null_class="background")
    vectors = GeoJSONVectorSource(
        str(geojson),
        images.crs_transformer,
        vector_transformers=[
            ClassInferenceTransformer(
                default_class_id=1,
                class_config=classes,
                class_id_to_filter={i: ["==", "class", name] for i, name in enumerate(classes.names) if i > 0},
            )
        ],
    )
    rasterized = RasterizedSource(vectors, background_class_id=0, bbox=images.bbox)
    source = SemanticSegmentationLabelSource(rasterized, classes)
    print(f"opened with its labels in {time.perf_counter() - began:.1f} s")

    edge, draw = plan["edge"], random.Random(1)
    seen = np.zeros(len(classes.names), dtype=np.int64)
    began, busy = time.perf_counter(), time.process_time()
    for col, row in windows:
        window = Box(row, col, row + edge, col + edge)
        image, mask = images.get_chip(window), source.get_label_arr(window)
        if draw.random() < 0.5:
            image, mask = image[:, ::-1], mask[:, ::-1]
        if draw.random() < 0.5:
            image, mask = image[::-1], mask[::-1]
        image = np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32)
        seen += np.bincount(mask.ravel(), minlength=len(seen))
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    print(
        f"Raster Vision: {len(windows)} chips of {edge} px with labels and flips: {len(windows) / seconds:.1f} chips/s; "
        f"{1e3 * busy / len(windows):.2f} ms of processor time a chip; pixels by class {seen.tolist()}"
    )


main()

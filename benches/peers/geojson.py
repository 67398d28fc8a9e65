"""One reading of a GeoJSON by pyogrio: time and peak memory, beside the labeling of many scenes in `benches/scenes.rs`.

    python benches/peers/geojson.py LABELS.geojson
"""

import sys
import time

import pyogrio

began = time.time()
_, _, geometries, _ = pyogrio.raw.read(sys.argv[1])
with open("/proc/self/status") as status:
    peak = next(line.split(":")[1].strip() for line in status if line.startswith("VmHWM"))
print(f"pyogrio {pyogrio.__version__} (GDAL {pyogrio.__gdal_version_string__}): {len(geometries)} features, {time.time() - began:.1f} s, peak {peak}")

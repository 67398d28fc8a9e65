"""Writes tests/fixtures/buffers: lines and points on small images in several systems, and the pixels that shapely's buffers
cover there.

    $SWATH_VENV/bin/python tests/python/make_buffer_fixtures.py

Authorities: shapely (GEOS) for buffers, `quad_segs=8`; PROJ through rasterio for places; `rasterio.features.rasterize`
(`all_touched=False`) for pixels. Where the image's plane is no ground (degrees, Mercator), a buffer in meters is made in an
azimuthal equidistant projection around the feature or, for a long one, around each of its pieces, and united."""

from __future__ import annotations

import json
from pathlib import Path

import numpy
import rasterio
import rasterio.features
import shapely
import shapely.affinity
import shapely.geometry
from rasterio.transform import Affine
from rasterio.warp import transform, transform_geom

FOLDER = Path(__file__).parent.parent / "fixtures" / "buffers"
DEGREES = "OGC:CRS84"
# Name: system, transform, width, height, meters in a unit of the plane (None where it is no ground).
IMAGES = {
    "utm": ("EPSG:32632", Affine(0.5, 0, 500_000, 0, -0.5, 5_000_000), 160, 120, 1.0),
    "turned": ("EPSG:32632", Affine.translation(500_000, 5_000_000) @ Affine.rotation(30) @ Affine.scale(0.5, -0.8), 160, 120, 1.0),
    "feet": ("EPSG:2263", Affine(2.0, 0, 984_000, 0, -2.0, 208_000), 160, 120, 1200 / 3937),
    "degrees": ("EPSG:4326", Affine(0.00001, 0, 10.0, 0, -0.000006, 60.0), 160, 120, None),
    "mercator": ("EPSG:3857", Affine(1.0, 0, 1_113_194.9, 0, -1.0, 8_399_737.9), 160, 120, None),
    "dateline": ("EPSG:4326", Affine(0.00001, 0, 179.9992, 0, -0.00001, -17.0), 160, 120, None),
    "tall": ("EPSG:4326", Affine(0.004, 0, 10.0, 0, -0.002, 61.0), 60, 1000, None),
}
# In pixels of the image. `tall` has its own.
SHAPES = [
    ({"kind": "road", "width": "7 m"}, shapely.LineString([(-20, 30), (40.3, 35.2), (60.7, 80.1), (175, 90.6)])),
    ({"kind": "path", "width": "3"}, shapely.MultiLineString([[(20, 5), (30.2, 70)], [(100, 10.1), (120.5, 60), (101, 10.5)]])),
    ({"kind": "tree", "width": None}, shapely.Point(140.4, 30.7)),
    ({"kind": "trees", "width": "wide"}, shapely.MultiPoint([(5.5, 110.2), (15.1, 112.7)])),
    ({"kind": "lake", "width": "9"}, shapely.Polygon([(60.2, 5.1), (90.3, 5.1), (90.3, 25.6), (60.2, 25.6)])),
]
LONG = [({"kind": "road", "width": "4000"}, shapely.LineString([(30, -40), (30, 1040)]))]
ORDER = ["lake", "path", "road", "tree", "trees"]


def world(affine: Affine, shape):
    return shapely.affinity.affine_transform(shape, [affine.a, affine.b, affine.d, affine.e, affine.c, affine.f])


def moved(shape, source, target):
    return shapely.geometry.shape(transform_geom(source, target, shapely.geometry.mapping(shape)))


def on_ground(crs: str, shape, meters: float):
    """A buffer in the plane of an azimuthal equidistant projection around the shape, or around pieces of it."""
    if shape.length > 0.1 and crs == "EPSG:4326":
        pieces = shapely.segmentize(shape, 0.02)
        points = shapely.get_coordinates(pieces)
        parts = [shapely.LineString(points[at:at + 2]) for at in range(len(points) - 1)]
        return shapely.union_all([on_ground(crs, part, meters) for part in parts])
    center = shape.envelope.centroid
    (lon,), (lat,) = transform(crs, DEGREES, [center.x], [center.y])
    plane = f"+proj=aeqd +lat_0={lat:.12f} +lon_0={lon:.12f} +datum=WGS84 +units=m"
    grown = moved(moved(shape, crs, plane).buffer(meters, quad_segs=8), plane, crs)
    # The longitudes of an image across 180 degrees go on.
    near = lambda xy: numpy.stack([xy[:, 0] + numpy.round((center.x - xy[:, 0]) / 360) * 360, xy[:, 1]], 1)  # noqa: E731
    return shapely.transform(grown, near) if crs == "EPSG:4326" else grown


def grown(image: str, properties: dict, shape, words: str):
    """The shape in pixels, and None where it has no buffer."""
    crs, affine, _, _, unit = IMAGES[image]
    if shape.geom_type == "Polygon" and not words.endswith("polygons"):
        return shape
    words = words.removesuffix(" polygons")
    if words.endswith("px"):
        return shape.buffer(float(words[:-2]), quad_segs=8)
    if words == "width":
        try:
            meters = float((properties["width"] or "").removesuffix("m")) / 2
        except ValueError:
            return None
    else:
        meters = float(words[:-1])
    back = ~affine
    buffered = world(affine, shape).buffer(meters / unit, quad_segs=8) if unit else on_ground(crs, world(affine, shape), meters)
    return world(back, buffered)


def spans(mask: numpy.ndarray) -> list:
    """Of each row, the class and the first and last column of what is labeled, one after the other."""
    rows = []
    for line in mask:
        edges = numpy.flatnonzero(numpy.diff(numpy.concatenate([[0], line, [0]]).astype(int)))
        starts = [0, *edges]
        row = []
        for start, end in zip(starts, [*edges, len(line)]):
            if end > start and start < len(line) and line[start]:
                row += [int(line[start]), int(start), int(end)]
        rows.append(row)
    return rows


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    expected = {"made_by": f"shapely {shapely.__version__} (GEOS {shapely.geos_version_string}), rasterio {rasterio.__version__}", "cases": []}
    for image, (crs, affine, width, height, _) in IMAGES.items():
        with rasterio.open(FOLDER / f"{image}.tif", "w", driver="GTiff", dtype="uint8", count=1, width=width, height=height,
                           crs=crs, transform=affine, compress="deflate") as file:
            file.write(numpy.ones((height, width), "uint8"), 1)
        shapes = LONG if image == "tall" else SHAPES
        features = []
        for properties, shape in shapes:
            there = moved(world(affine, shape), crs, DEGREES)
            # As files have them: longitudes up to 180, vertex by vertex.
            there = shapely.transform(there, lambda xy: numpy.stack([(xy[:, 0] + 180) % 360 - 180, xy[:, 1]], 1))
            features.append({"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(there)})
        if image == "dateline":
            # The polygon and the path would have to be cut there.
            features = [one for one in features if one["properties"]["kind"] in ("road", "tree")]
            shapes = [one for one in shapes if one[0]["kind"] in ("road", "tree")]
        (FOLDER / f"{image}.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        for words in ["4000m"] if image == "tall" else ["3m", "4px", "width", "3m polygons"]:
            mask = numpy.zeros((height, width), "uint8")
            for properties, shape in shapes:
                area = grown(image, properties, shape, words)
                if area is None:
                    continue
                index = ORDER.index(properties["kind"]) + 1
                burned = rasterio.features.rasterize([(area, 1)], (height, width), all_touched=False, dtype="uint8")
                mask[burned == 1] = index
            expected["cases"].append({"image": image, "buffer": words, "labels": spans(mask)})
    (FOLDER / "expected.json").write_text(json.dumps(expected, separators=(",", ":")))


if __name__ == "__main__":
    main()

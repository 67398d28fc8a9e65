"""Crops of real scenes for tests, and what is right about them by other programs.

    make_scene_fixtures.py crop DATA    cuts tests/fixtures/scenes out of the development data in DATA
    make_scene_fixtures.py expect       writes expected.json from the crops alone
    make_scene_fixtures.py check        exits with 1 when expected.json is not what the crops say

Needs rasterio, numpy and shapely (`scripts/setup-python.sh tests`); made with rasterio 1.4.4, numpy 2.4.6, shapely 2.2.0.

The authorities: pixels, places and types are rasterio's (GDAL); means, deviations and percentiles numpy's in float64; a
mask's pixels are those whose center lies in a polygon for shapely, the polygons brought to pixels by PROJ and the file's
own affine; GDAL's rasterizer may differ from that at the few centers that lie on an edge. Boxes are counted in the XML
with Python's own parser.
"""

import csv
import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import rasterio
import rasterio.warp
import shapely
from rasterio.features import rasterize
from rasterio.windows import Window

HERE = Path(__file__).resolve().parents[1] / "fixtures" / "scenes"
LARGEST = 300_000

# name: imagery, labels, (column, row, width, height)
MAPS = {
    "vegas": ("vegas/RGB-PanSharpen_AOI_2_Vegas_img205.tif", "vegas/buildings_AOI_2_Vegas_img205.geojson", (127, 230, 224, 224)),
    "sn7_train": ("sn7/sn7_train_L15-0331E-1257N_1327_3160_13.tif", "sn7/sn7_train_Buildings.geojson", (0, 261, 256, 255)),
    "sn7_val": ("sn7/sn7_val_L15-0357E-1223N_1429_3296_13.tif", "sn7/sn7_val_Buildings.geojson", (709, 239, 256, 255)),
}
# name: imagery, (column, row, width, height); the boxes are in the XML beside it.
BOXES = {
    "yell_train.jpg": ("neon/2019_YELL_2_528000_4978000_image_crop2.jpg", (690, 160, 400, 416)),
    "yell_test.png": ("neon/2019_YELL_2_541000_4977000_image_crop.png", (520, 30, 320, 288)),
    "OSBS_029.tif": ("neon/OSBS_029.tif", (100, 10, 288, 272)),
    "SOAP_061.png": ("neon/SOAP_061.png", (110, 80, 288, 272)),
}


def crop_raster(source: Path, target: Path, window: tuple[int, int, int, int], **options) -> None:
    window = Window(*window)
    with rasterio.open(source) as file:
        profile = dict(
            driver=options.pop("driver", "GTiff"), width=window.width, height=window.height, count=file.count,
            dtype=file.dtypes[0], nodata=file.nodata, **options,
        )
        if file.crs:
            profile.update(crs=file.crs, transform=file.window_transform(window))
        if file.count == 3 and profile["driver"] == "GTiff" and file.dtypes[0] == "uint16":
            profile["photometric"] = "MINISBLACK"
        with rasterio.open(target, "w", **profile) as out:
            out.write(file.read(window=window))
            if profile["driver"] == "GTiff":
                out.colorinterp = file.colorinterp
    target.with_name(target.name + ".aux.xml").unlink(missing_ok=True)


def in_pixels(shapes, file: rasterio.DatasetReader, crs: str = "OGC:CRS84") -> list:
    """Geometries of another system as ones in the file's columns and rows."""
    away = ~file.transform

    def to_pixels(points):
        xs, ys = points[:, 0], points[:, 1]
        if not (file.crs.to_epsg() == 4326 and crs == "OGC:CRS84"):
            xs, ys = map(np.array, rasterio.warp.transform(crs, file.crs, xs.tolist(), ys.tolist()))
        return np.stack([away.a * xs + away.b * ys + away.c, away.d * xs + away.e * ys + away.f], axis=1)

    return [shapely.transform(shapely.force_2d(shape), to_pixels) for shape in shapes]


def crop_labels(source: Path, imagery: Path, target: Path) -> None:
    """The features that touch the crop, uncut, each coordinate as it was written; properties that nobody reads go."""
    text = json.loads(source.read_text(encoding="utf-8"))
    features = text["features"]
    shapes = [shapely.geometry.shape(feature["geometry"]) for feature in features]
    with rasterio.open(imagery) as file:
        frame = shapely.box(0, 0, file.width, file.height)
        kept = [feature for feature, shape in zip(features, in_pixels(shapes, file)) if shape.intersects(frame)]
    for feature in kept:
        feature["properties"] = {name: value for name, value in feature["properties"].items() if name == "Id"}
    text["features"] = kept
    target.write_text(json.dumps(text, separators=(",", ":")) + "\n", encoding="utf-8")


def crop_boxes(source: Path, target: Path, window: tuple[int, int, int, int]) -> None:
    """The boxes whose middle lies in the window, cut at its edge and moved."""
    left, top, width, height = window
    tree = ElementTree.parse(source)
    root = tree.getroot()
    root.find("filename").text = target.name
    root.find("size/width").text, root.find("size/height").text = str(width), str(height)
    for one in root.findall("object"):
        corners = {name: float(one.find(f"bndbox/{name}").text) for name in ("xmin", "ymin", "xmax", "ymax")}
        x, y = (corners["xmin"] + corners["xmax"]) / 2 - left, (corners["ymin"] + corners["ymax"]) / 2 - top
        if not (0 <= x < width and 0 <= y < height):
            root.remove(one)
            continue
        for name, start, length in (("xmin", left, width), ("xmax", left, width), ("ymin", top, height), ("ymax", top, height)):
            one.find(f"bndbox/{name}").text = f"{min(max(corners[name] - start, 0), length):g}"
    tree.write(target.with_suffix(".xml"))


def crop(data: Path) -> None:
    for name, (imagery, labels, window) in MAPS.items():
        target = HERE / f"{name}.tif"
        crop_raster(data / imagery, target, window, compress="deflate", predictor=2, zlevel=9)
        crop_labels(data / labels, target, HERE / f"{name}.geojson")
    for name, (imagery, window) in BOXES.items():
        target = HERE / name
        kind = {".jpg": {"driver": "JPEG", "quality": 90}, ".png": {"driver": "PNG", "zlevel": 9}}
        crop_raster(data / imagery, target, window, **kind.get(target.suffix, {"compress": "deflate", "predictor": 2, "zlevel": 9}))
        crop_boxes((data / imagery).with_suffix(".xml"), target, window)
    # The same boxes as DeepForest's table.
    root = ElementTree.parse(HERE / "OSBS_029.xml").getroot()
    with open(HERE / "OSBS_029.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["image_path", "xmin", "ymin", "xmax", "ymax", "label"])
        for one in root.findall("object"):
            corners = [one.find(f"bndbox/{name}").text for name in ("xmin", "ymin", "xmax", "ymax")]
            table.writerow(["OSBS_029.tif", *corners, one.find("name").text])


def expect_map(name: str) -> dict:
    with rasterio.open(HERE / f"{name}.tif") as file:
        pixels = file.read()
        colors = pixels[:3].astype(np.float64)
        features = json.loads((HERE / f"{name}.geojson").read_text(encoding="utf-8"))["features"]
        shapes = in_pixels([shapely.geometry.shape(feature["geometry"]) for feature in features], file)
        height, width = file.shape
        rows, cols = np.mgrid[0:height, 0:width] + 0.5
        mask = np.zeros((height, width), bool)
        for shape in shapes:
            shapely.prepare(shape)
            mask |= shapely.contains_xy(shape, cols, rows)
        burned = rasterize(shapes, out_shape=(height, width), fill=0, default_value=1).astype(bool)
        different = int((mask != burned).sum())
        assert different <= 2, f"{name}: shapely and GDAL differ at {different} pixels"
        # Centers so near to an edge that rounding decides.
        edges = shapely.union_all([shape.boundary for shape in shapes])
        near = shapely.distance(edges, shapely.points(cols, rows)) < 1e-6
        assert not near.any(), f"{name}: {int(near.sum())} centers lie on an edge"
        return {
            "size": [width, height], "bands": file.count, "type": file.dtypes[0], "epsg": file.crs.to_epsg(),
            "geo_transform": list(file.transform.to_gdal()),
            "pixels": [{"row": row, "col": col, "values": [int(value) for value in pixels[:3, row, col]]}
                       for row, col in ((0, 0), (100, 100), (height - 1, width - 1))],
            "statistics": [{
                "mean": float(band.mean()), "std": float(band.std()), "min": int(band.min()), "max": int(band.max()),
                "p2": float(np.percentile(band, 2)), "p98": float(np.percentile(band, 98)),
            } for band in colors],
            "polygons": len(features),
            "mask_pixels": int(mask.sum()),
            "mask_by_row": [int(count) for count in mask.sum(axis=1)],
        }


def expect_boxes(name: str) -> dict:
    with rasterio.open(HERE / name) as file:
        size = [file.width, file.height]
    root = ElementTree.parse((HERE / name).with_suffix(".xml")).getroot()
    counts: dict[str, int] = {}
    for one in root.findall("object"):
        counts[one.find("name").text] = counts.get(one.find("name").text, 0) + 1
    return {"size": size, "classes": dict(sorted(counts.items()))}


def expected() -> dict:
    return {"maps": {name: expect_map(name) for name in MAPS}, "boxes": {name: expect_boxes(name) for name in BOXES}}


def too_large() -> list[str]:
    return [path.name for path in HERE.iterdir() if path.stat().st_size > LARGEST]


def text_of(facts: dict) -> str:
    """One fact a line, long lists on one line."""
    return json.dumps(facts, indent=1) + "\n"


def close(a, b) -> bool:
    """Equal, numbers to twelve digits: other builds of numpy add in another order."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(close(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(close, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= 1e-12 * max(abs(a), abs(b))
    return a == b


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["crop", data]:
            crop(Path(data))
        case ["expect"]:
            (HERE / "expected.json").write_text(text_of(expected()), encoding="utf-8")
        case ["check"]:
            written = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))
            sys.exit(0 if close(written, expected()) else "expected.json is not what the crops say")
        case _:
            sys.exit(__doc__)
    assert not too_large(), f"larger than {LARGEST} bytes: {too_large()}"

"""Labels on a scene, compared on random files with what rasterio rasterizes, NumPy picks and pycocotools bounds.

The rules where there is a choice: a pixel is labeled where its center lies inside (`all_touched=False`), rings are filled
by even and odd, later features lie over earlier ones; 255 is what no class is known for."""

import numpy
import pytest
import rasterio.features
import shapely
import shapely.affinity
from hypothesis import given
from hypothesis import strategies as st
from rasterio.warp import Resampling, reproject

from command import arrays, examples, info, kept, one, said
from random_labels import CLASSES, FORMATS, in_pixels, label_files, label_rasters

pytestmark = pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
IGNORE = 255


def burned(features, grid, names):
    """rasterio's picture of the features."""
    index = {name: number for number, name in enumerate(names)} | {None: IGNORE}
    shapes = [(shape, index[value]) for shape, value in features if shape.geom_type in ("Polygon", "MultiPolygon")]
    if not shapes:
        return numpy.zeros((grid.height, grid.width), "uint8")
    return rasterio.features.rasterize(shapes, (grid.height, grid.width), fill=0, all_touched=False, dtype="uint8")


def assert_same(found, expected, features):
    """Every pixel is as expected; where a center lies on an edge to a thousandth of a pixel, either side is right."""
    rows, columns = numpy.nonzero(found != expected)
    if not len(rows):
        return
    edges = shapely.union_all([shape.boundary for shape, _ in features])
    far = shapely.distance(edges, shapely.points(columns + 0.5, rows + 0.5)) > 1e-3
    wrong = list(zip(rows[far], columns[far], found[rows, columns][far], expected[rows, columns][far]))
    assert not wrong, f"{len(wrong)} pixels differ (row, column, read, expected): {wrong[:5]}"


def check_labels(labels, folder):
    image, path = labels.grid.write(folder / "image.tif"), labels.write(folder)
    features = in_pixels(path, labels.grid)
    (facts,) = info(image, "--labels", path, "--class", "kind", "--arrays", folder / "read")
    names = facts.get("labels", {}).get("classes") or ["background", *sorted({value for _, value in features if value})]
    expected = burned(features, labels.grid, names)
    if "error" in facts:
        # What lies beside the image may be an error, but never what lies on it.
        assert not (expected > 0).any(), f"{said(facts)}\n{(expected > 0).sum()} pixels are labeled"
        return facts, features
    _, _, found = arrays(folder / "read")
    assert_same(found, expected, features)
    present = {value for _, value in features if value}
    assert set(names[1:]) <= present | set(CLASSES)
    check_sums(facts["labels"], found)
    return facts, features


def check_sums(figures, found):
    for value in numpy.unique(found):
        rows, columns = numpy.nonzero(found == value)
        key = str(value)
        assert (figures["counts"][key], figures["row_sums"][key], figures["column_sums"][key]) == (
            len(rows), rows.sum(), columns.sum())


@pytest.mark.parametrize("driver", list(FORMATS))
def test_polygons_are_burned_as_rasterio_burns_them(driver):
    @examples(25)
    @given(label_files(drivers=(driver,)))
    def check(labels):
        with kept(f"labels-{driver}", labels) as folder:
            check_labels(labels, folder)

    check()


@examples(20)
@given(label_files(kinds=("plain", "hole"), values=(*CLASSES, None), drivers=("GeoJSON", "GPKG")))
def test_what_nobody_has_named_is_ignored(labels):
    with kept("labels-without-class", labels) as folder:
        facts, features = check_labels(labels, folder)
        unnamed = sum(value is None for _, value in features)
        if unnamed and "error" not in facts and len(features) > unnamed:
            assert str(unnamed) in said(facts), f"{unnamed} features without a class, and no word: {said(facts)!r}"


@examples(20)
@given(label_files(kinds=("plain", "plain", "line", "point"), drivers=("GeoJSON", "GPKG", "FlatGeobuf")))
def test_lines_and_points_are_left_out_and_counted(labels):
    with kept("labels-with-lines", labels) as folder:
        facts, features = check_labels(labels, folder)
        without_area = sum(shape.geom_type not in ("Polygon", "MultiPolygon") for shape, _ in features)
        if not without_area:
            return
        if "error" in facts:
            assert facts["hint"], facts
            return
        counted = sum(notice["count"] or 0 for notice in facts["report"]
                      if notice["kind"] == "left_out" and ("line" in notice["text"] or "point" in notice["text"]))
        assert counted == without_area, said(facts)


def grown(shape, affine, meters, pixels):
    """The shape's buffer by shapely, in pixels; a polygon is as it was."""
    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    if pixels:
        return shape.buffer(pixels, quad_segs=8)
    there = [affine.a, affine.b, affine.d, affine.e, affine.c, affine.f]
    back = ~affine
    back = [back.a, back.b, back.d, back.e, back.c, back.f]
    plane = shapely.affinity.affine_transform(shape, there).buffer(meters, quad_segs=8)
    return shapely.affinity.affine_transform(plane, back)


@examples(40)
@given(label_files(kinds=("plain", "line", "line", "point"), drivers=("GeoJSON", "GPKG", "FlatGeobuf")),
       st.sampled_from([("m", 1.5), ("m", 6.0), ("px", 1.2), ("px", 4.0)]))
def test_lines_and_points_are_buffered_as_shapely_buffers_them(labels, buffer):
    """On turned and stretched grids of UTM, whose plane is the ground; in degrees and Mercator's projection by pixels (the
    ground of these is compared in `tests/integration/buffers.rs`)."""
    unit, distance = buffer
    if unit == "m" and labels.grid.crs != "EPSG:32633":
        unit = "px"
    with kept("labels-with-buffer", (labels, buffer)) as folder:
        image, path = labels.grid.write(folder / "image.tif"), labels.write(folder)
        meters, pixels = (distance, None) if unit == "m" else (None, distance)
        features = [(grown(shape, labels.grid.affine(), meters, pixels), value) for shape, value in in_pixels(path, labels.grid)]
        (facts,) = info(image, "--labels", path, "--class", "kind", "--buffer", f"{distance}{unit}", "--arrays", folder / "read")
        names = facts.get("labels", {}).get("classes") or ["background", *sorted({value for _, value in features if value})]
        expected = burned(features, labels.grid, names)
        if "error" in facts:
            assert not (expected > 0).any(), f"{said(facts)}\n{(expected > 0).sum()} pixels are labeled"
            return
        _, _, found = arrays(folder / "read")
        # GEOS leaves out vertices of a buffer that change it by less than a hundredth of its distance: in which order they
        # come differs between its versions.
        rows, columns = numpy.nonzero(found != expected)
        if len(rows):
            edges = shapely.union_all([shape.boundary for shape, _ in features])
            far = shapely.distance(edges, shapely.points(columns + 0.5, rows + 0.5)) > 0.02 * distance
            assert not far.any(), list(zip(rows[far], columns[far], found[rows, columns][far], expected[rows, columns][far]))[:5]


def under_centers(case, values):
    """NumPy's picture: the label pixel under the center of each pixel, and how far that center is from the next label."""
    rows, columns = numpy.mgrid[0:case.image.height, 0:case.image.width]
    x, y = case.image.affine() @ (columns + 0.5, rows + 0.5)
    across, down = ~case.grid.affine() @ (x, y)
    column, row = numpy.floor(across).astype(int), numpy.floor(down).astype(int)
    inside = (column >= 0) & (column < case.grid.width) & (row >= 0) & (row < case.grid.height)
    picked = numpy.full(inside.shape, IGNORE, "float64")
    picked[inside] = values[row[inside], column[inside]]
    if case.nodata is not None:
        picked[picked == case.nodata] = IGNORE
    clear = (numpy.abs(across - numpy.round(across)) > 1e-6) & (numpy.abs(down - numpy.round(down)) > 1e-6)
    return picked.astype("uint8"), clear


@examples(50)
@given(label_rasters())
def test_label_rasters_are_picked_under_the_centers(case):
    with kept("label-raster", case) as folder:
        values = case.values()
        image = case.image.write(folder / "image.tif")
        mask = case.grid.write(folder / "mask.tif", values, case.nodata)
        facts = one(image, "--label-raster", mask, "--classes", "a,b,c", "--arrays", folder / "read")
        _, _, found = arrays(folder / "read")
        expected, clear = under_centers(case, values)
        numpy.testing.assert_array_equal(found[clear], expected[clear])
        check_sums(facts["labels"], found)
        # GDAL's warper is the second authority; within its own grid it is exact, and its edges are another matter.
        warped = numpy.full(found.shape, IGNORE, "float64")
        reproject(values.astype("float64"), warped, src_transform=case.grid.affine(), src_crs=case.grid.crs,
                  dst_transform=case.image.affine(), dst_crs=case.image.crs, resampling=Resampling.nearest,
                  init_dest_nodata=False, tolerance=0)
        if case.nodata is not None:
            warped[warped == case.nodata] = IGNORE
        differs = (warped != found) & clear
        assert differs.mean() < 0.02, f"{differs.sum()} pixels differ from GDAL's warper"


@examples(15)
@given(label_files(kinds=("plain",), drivers=("GPKG",)))
def test_an_area_of_interest_limits_the_labels_to_its_pixels(labels):
    with kept("area-of-interest", labels) as folder:
        image, path = labels.grid.write(folder / "image.tif"), labels.write(folder)
        features = in_pixels(path, labels.grid)
        (facts,) = info(image, "--labels", path, "--class", "kind", "--aoi", path, "--arrays", folder / "read")
        expected = burned(features, labels.grid, sorted({"", *(value for _, value in features)}))
        if "error" in facts:
            assert not (expected > 0).any(), said(facts)
            return
        _, _, found = arrays(folder / "read")
        # Inside the area everything has the class of its polygon, and outside nothing counts.
        assert_same(found, numpy.where(expected > 0, expected, IGNORE).astype("uint8"), features)

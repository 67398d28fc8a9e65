"""Random label polygons and grids, in pixels of an image, and the files that hold them in other systems."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy
import pyogrio.raw
import rasterio
import shapely
import shapely.affinity
import shapely.geometry
from hypothesis import strategies as st
from rasterio.transform import Affine
from rasterio.warp import transform_geom

# Systems in which label files come. The image lies at 15 degrees east, 51.9 degrees north, where all of them are used;
# 2180 and 3035 have their axes the other way round: northing first.
SYSTEMS = ["EPSG:4326", "EPSG:3857", "EPSG:32632", "EPSG:32633", "EPSG:2180", "EPSG:3035"]
FORMATS = {"GeoJSON": ".geojson", "GPKG": ".gpkg", "ESRI Shapefile": ".shp", "FlatGeobuf": ".fgb"}
CLASSES = ["field", "house", "water"]
# Where a grid of each system has its corner, and the side of its pixels.
ORIGINS = {"EPSG:32633": (500000.0, 5750000.0, 2.0), "EPSG:4326": (15.0, 51.9, 0.00002), "EPSG:3857": (1669792.0, 6783000.0, 1.5)}


@dataclass(frozen=True)
class Grid:
    """An image without content: where it lies."""

    crs: str
    transform: tuple[float, ...]
    width: int
    height: int

    def affine(self) -> Affine:
        return Affine(*self.transform)

    def write(self, path: Path, values: numpy.ndarray | None = None, nodata: float | None = None) -> Path:
        values = numpy.ones((self.height, self.width), "uint8") if values is None else values
        with rasterio.open(path, "w", driver="GTiff", dtype=values.dtype, count=1, width=self.width, height=self.height,
                           crs=self.crs, transform=self.affine(), nodata=nodata) as file:
            file.write(values, 1)
        return path


def turned(origin: tuple[float, float], side: float, kind: str, angle: float, stretch: float) -> tuple[float, ...]:
    place = Affine.translation(*origin)
    if kind == "turned":
        place @= Affine.rotation(angle)
    elif kind == "sheared":
        place @= Affine.shear(angle / 10.0, angle / 20.0)
    return tuple(place @ Affine.scale(side, side * stretch * (1 if kind == "south up" else -1)))[:6]


@st.composite
def grids(draw, systems=tuple(ORIGINS)) -> Grid:
    crs = draw(st.sampled_from(systems))
    x, y, side = ORIGINS[crs]
    kind = draw(st.sampled_from(["north up", "south up", "turned", "sheared"]))
    angle = round(draw(st.floats(-170.0, 170.0)), 1)
    stretch = draw(st.sampled_from([1.0, 1.0, 0.7]))
    return Grid(crs, turned((x, y), side, kind, angle, stretch), draw(st.integers(8, 60)), draw(st.integers(8, 60)))


@dataclass(frozen=True)
class Shape:
    """One feature, in pixels: a kind and the seed of its coordinates."""

    kind: str
    seed: int
    value: str | None

    def geometry(self, grid: Grid) -> shapely.Geometry:
        random = numpy.random.default_rng(self.seed)
        center = random.uniform((-0.1, -0.1), (1.1, 1.1)) * (grid.width, grid.height)
        size = random.uniform(0.1, 0.6) * min(grid.width, grid.height)
        if self.kind == "outside":
            center = center + (grid.width * 0.6, 0.0)
        ring = star(random, center, size)
        if self.kind == "hole":
            inner = center + (ring - center) * random.uniform(0.2, 0.7)
            return shapely.Polygon(ring, [inner[::-1]])
        if self.kind == "several":
            other = star(random, center + (2.2 * size, 0.3 * size), size)
            return shapely.MultiPolygon([shapely.Polygon(ring), shapely.Polygon(other)])
        if self.kind == "touches itself":
            # Two triangles that share one corner, in one ring.
            a, b = ring[0], ring[len(ring) // 2]
            return shapely.Polygon([center, a, a + (1.3, 2.9), center, b, b + (2.3, -1.7)])
        if self.kind == "crosses itself":
            corners = center + size * random.uniform(-1, 1, (4, 2))
            return shapely.Polygon(corners)
        if self.kind == "tiny":
            return shapely.Polygon(center + (ring - center) / (3 * size))
        if self.kind == "line":
            return shapely.LineString(ring)
        if self.kind == "point":
            return shapely.Point(center)
        return shapely.Polygon(ring)


def star(random: numpy.random.Generator, center: numpy.ndarray, size: float) -> numpy.ndarray:
    """A ring around a center that never crosses itself."""
    corners = int(random.integers(3, 12))
    angles = numpy.sort(random.uniform(0, 2 * math.pi, corners))
    if corners < 3 or numpy.max(numpy.diff(numpy.append(angles, angles[0] + 2 * math.pi))) > math.pi:
        angles = numpy.arange(corners) * 2 * math.pi / corners
    radii = size * random.uniform(0.4, 1.0, corners)
    return center + numpy.stack([radii * numpy.cos(angles), radii * numpy.sin(angles)], axis=1)


AREAS = ["plain", "plain", "hole", "several", "touches itself", "crosses itself", "outside", "tiny"]


def shapes(kinds=tuple(AREAS), values=tuple(CLASSES)) -> st.SearchStrategy[Shape]:
    return st.builds(Shape, st.sampled_from(kinds), st.integers(0, 2**16), st.sampled_from(values))


@dataclass(frozen=True)
class Labels:
    """A label file on an image."""

    grid: Grid
    crs: str
    driver: str
    shapes: tuple[Shape, ...]

    def write(self, folder: Path, name: str = "labels") -> Path:
        """Writes the features with the property `kind`, in the file's own system."""
        affine = self.grid.affine()
        matrix = [affine.a, affine.b, affine.d, affine.e, affine.c, affine.f]
        placed = [shapely.affinity.affine_transform(shape.geometry(self.grid), matrix) for shape in self.shapes]
        geometries = [shapely.geometry.shape(transform_geom(self.grid.crs, self.crs, shapely.geometry.mapping(one))) for one in placed]
        path = folder / f"{name}{FORMATS[self.driver]}"
        kinds = {one.geom_type for one in geometries}
        geometry_type = kinds.pop() if len(kinds) == 1 else "Unknown"
        if self.driver == "ESRI Shapefile":
            geometry_type = "Polygon"
        pyogrio.raw.write(path, numpy.array(shapely.to_wkb(geometries), object), [numpy.array([s.value for s in self.shapes], object)],
                          numpy.array(["kind"], object), geometry_type=geometry_type, crs=self.crs, driver=self.driver,
                          dataset_options={}, layer_options={})
        return path


def in_pixels(path: Path, grid: Grid) -> list[tuple[shapely.Geometry, str | None]]:
    """What pyogrio reads of a label file, in its own order, in pixels of the grid."""
    about, _, geometries, (values,) = pyogrio.raw.read(path)
    affine = ~grid.affine()
    matrix = [affine.a, affine.b, affine.d, affine.e, affine.c, affine.f]
    features = []
    for geometry, value in zip(shapely.from_wkb(geometries), values, strict=True):
        moved = shapely.geometry.shape(transform_geom(about["crs"], grid.crs, shapely.geometry.mapping(geometry)))
        features.append((shapely.affinity.affine_transform(moved, matrix), value))
    return features


@st.composite
def label_files(draw, kinds=tuple(AREAS), drivers=tuple(FORMATS), values=tuple(CLASSES)) -> Labels:
    return Labels(draw(grids()), draw(st.sampled_from(SYSTEMS)), draw(st.sampled_from(drivers)),
                  tuple(draw(st.lists(shapes(kinds, values), min_size=1, max_size=6))))


@dataclass(frozen=True)
class LabelRaster:
    """A raster of class indices on a grid of its own."""

    image: Grid
    grid: Grid
    dtype: str
    nodata: float | None
    seed: int

    def values(self) -> numpy.ndarray:
        random = numpy.random.default_rng(self.seed)
        coarse = random.integers(0, 4, (self.grid.height // 5 + 1, self.grid.width // 5 + 1))
        values = numpy.kron(coarse, numpy.ones((5, 5), int))[: self.grid.height, : self.grid.width].astype(self.dtype)
        if self.nodata is not None:
            values[random.random(values.shape) < 0.1] = self.nodata
        return values


@st.composite
def label_rasters(draw) -> LabelRaster:
    """Grids of the same system: the image's own, another pixel size, turned, partly outside."""
    image = draw(grids(("EPSG:32633",)))
    dtype = draw(st.sampled_from(["uint8", "int16", "uint16", "int32", "float32"]))
    nodata = draw(st.sampled_from([None, 255.0, 200.0] + ([-9999.0] if dtype not in ("uint8", "uint16") else [])))
    kind = draw(st.sampled_from(["same", "finer", "any"]))
    if kind == "same":
        grid = image
    elif kind == "finer":
        factor = draw(st.sampled_from([2, 3]))
        finer = image.affine() @ Affine.scale(1 / factor)
        grid = Grid(image.crs, tuple(finer)[:6], image.width * factor, image.height * factor)
    else:
        angle = round(draw(st.floats(-170.0, 170.0)), 1)
        side = draw(st.sampled_from([0.7, 2.1, 5.3]))
        size = draw(st.integers(20, 150))
        # Around the middle of the image, so that both overlap.
        x, y = image.affine() @ (image.width / 2 + 0.123, image.height / 2 + 0.321)
        placed = (Affine.translation(x, y) @ Affine.rotation(angle) @ Affine.scale(side, draw(st.sampled_from([side, -side])))
                  @ Affine.translation(-size / 2, -size / 2))
        grid = Grid(image.crs, tuple(placed)[:6], size, size)
    return LabelRaster(image, grid, dtype, nodata, draw(st.integers(0, 2**16)))

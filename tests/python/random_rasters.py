"""Random rasters of every kind that people have, written by rasterio or as the plain text of a format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy
import rasterio
from hypothesis import strategies as st
from rasterio.enums import ColorInterp
from rasterio.transform import Affine

TYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "int64", "uint64", "float32", "float64"]
# What a driver writes and GDAL 3.6 reads: types, and the most bands.
DRIVERS = {
    "GTiff": (TYPES, 5),
    "PNG": (["uint8", "uint16"], 3),
    "ENVI": (["uint8", "uint16", "int16", "uint32", "int32", "float32", "float64"], 5),
    "HFA": (["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"], 5),
    "AAIGrid": (["int32", "float32"], 1),
}
SUFFIX = {"GTiff": ".tif", "PNG": ".png", "ENVI": ".img", "HFA": ".img", "AAIGrid": ".asc", "VRT": ".vrt"}
MASKS = ["none", "nodata", "nodata of all bands", "nan", "nan as nodata", "beside", "inside", "alpha", "for each band",
         "nodata of the dataset"]


@dataclass(frozen=True)
class Layout:
    """How a GeoTIFF stores its pixels."""

    blocks: str
    compress: str
    interleave: str
    big: bool

    def options(self, height: int) -> dict:
        chosen = {"compress": self.compress, "interleave": self.interleave, "BIGTIFF": "YES" if self.big else "NO"}
        if self.blocks == "tiles":
            return chosen | {"tiled": True, "blockxsize": 16, "blockysize": 32}
        return chosen | {"blockysize": {"one strip": height, "strips": 3, "rows": 1}[self.blocks]}


@dataclass(frozen=True)
class Recipe:
    """One raster: enough to make it again."""

    driver: str
    dtype: str
    bands: int
    width: int
    height: int
    mask: str
    nodata: float | None
    transform: tuple[float, ...]
    layout: Layout
    narrow: bool
    seed: int

    def values(self) -> numpy.ndarray:
        """`[bands, height, width]` with what the mask kind needs: nodata in single bands and in all, NaN."""
        random = numpy.random.default_rng(self.seed)
        shape = (self.bands, self.height, self.width)
        kind = numpy.dtype(self.dtype)
        if kind.kind == "f":
            values = random.normal(0.0, 1.0 if self.narrow else 1e6, shape).astype(kind)
        elif self.narrow:
            values = random.integers(0, 100, shape).astype(kind)
        else:
            about = numpy.iinfo(kind)
            values = random.integers(about.min, about.max, shape, dtype=kind, endpoint=True)
        anywhere, everywhere = random.random(shape) < 0.1, random.random(shape[1:]) < 0.2
        elsewhere = self.mask != "nodata of all bands"
        empty = anywhere | everywhere if elsewhere else numpy.broadcast_to(everywhere, shape)
        if self.mask.startswith("nan"):
            values[empty] = numpy.nan
            # A division by zero in a band of its own.
            values[:, 0, 0][random.random(self.bands) < 0.3] = numpy.inf
        elif self.nodata is not None and not numpy.isnan(self.nodata):
            values[empty] = kind.type(self.nodata)
        return values

    def shape_of_mask(self) -> numpy.ndarray:
        return numpy.random.default_rng(self.seed + 1).random((self.height, self.width)) < 0.6

    def affine(self) -> Affine:
        return Affine(*self.transform)


def nodata_of(dtype: str) -> st.SearchStrategy[float]:
    """Values that stand for "no data" in files that people have."""
    kind = numpy.dtype(dtype)
    if kind.kind == "f":
        lowest = float(numpy.float32(-3.4028234663852886e38))
        return st.sampled_from([0.0, -9999.0, -32768.0, 1e20, lowest])
    about = numpy.iinfo(kind)
    small = [0, 1, 99, 127, 255, -1, -128, -9999, 32767, 65535, 2**31 - 1, -(2**31), 2**32 - 1]
    return st.sampled_from([float(value) for value in small if about.min <= value <= about.max])


def places() -> st.SearchStrategy[tuple[float, ...]]:
    """Grids: north up, south up, turned, sheared, pixels that are not square."""
    sides = st.sampled_from([0.3, 0.5, 2.0, 10.0, 30.0])

    def grid(kind: str, a: float, b: float, angle: float) -> tuple[float, ...]:
        place = Affine.translation(500000.25, 5750000.5)
        if kind == "turned":
            place @= Affine.rotation(angle)
        elif kind == "sheared":
            place @= Affine.shear(angle / 10.0, angle / 20.0)
        return tuple(place @ Affine.scale(a, b if kind == "south up" else -b))[:6]

    kinds = st.sampled_from(["north up", "south up", "turned", "sheared"])
    return st.builds(grid, kinds, sides, sides, st.floats(-170.0, 170.0).map(lambda angle: round(angle, 2)))


@st.composite
def recipes(draw, drivers=tuple(DRIVERS), masks=tuple(MASKS)) -> Recipe:
    driver = draw(st.sampled_from(list(drivers)))
    types, most = DRIVERS[driver]
    dtype = draw(st.sampled_from(types))
    real = numpy.dtype(dtype).kind == "f"
    kinds = [kind for kind in MASKS if real or not kind.startswith("nan")]
    if dtype not in ("uint8", "uint16", "int16", "float32"):
        kinds.remove("nodata of the dataset")
    if driver != "GTiff":
        # The others keep a nodata value at most; PNG keeps an alpha band.
        kinds = [kind for kind in kinds if kind in ("none", "nodata", "nodata of all bands", "nan", "nan as nodata")]
        if driver == "PNG":
            kinds = ["none", "alpha", "beside"]
        if driver == "AAIGrid":
            kinds = ["none", "nodata"]
    mask = draw(st.sampled_from([kind for kind in kinds if kind in masks]))
    bands = draw(st.integers(1, most))
    if driver == "PNG" and mask != "alpha" and bands == 2:
        bands = 3  # Two bands of a PNG are gray and alpha.
    if driver == "PNG" and mask == "alpha":
        bands = draw(st.sampled_from([1, 3]))
    nodata = None
    if mask.startswith("nodata"):
        nodata = draw(nodata_of(dtype))
    elif mask == "nan as nodata":
        nodata = float("nan")
    layout = Layout(
        draw(st.sampled_from(["strips", "rows", "one strip", "tiles"])),
        draw(st.sampled_from(["none", "deflate", "lzw", "zstd", "packbits"])),
        draw(st.sampled_from(["pixel", "band"])),
        draw(st.booleans()),
    )
    transform = draw(places())
    if driver == "AAIGrid":
        transform = (2.0, 0.0, 500000.0, 0.0, -2.0, 5750000.0)
    if driver == "ENVI":
        # Its header has no place for a shear.
        transform = (2.0, 0.0, 500000.0, 0.0, -2.0, 5750000.0)
    return Recipe(driver, dtype, bands, draw(st.integers(1, 40)), draw(st.integers(1, 40)), mask, nodata, transform, layout,
                  draw(st.booleans()), draw(st.integers(0, 2**16)))


def write(recipe: Recipe, folder: Path, name: str = "raster") -> Path:
    """Writes the raster and returns its path."""
    path = folder / f"{name}{SUFFIX[recipe.driver]}"
    values = recipe.values()
    if recipe.driver == "AAIGrid":
        return write_ascii(recipe, path, values[0])
    profile = {"driver": recipe.driver, "dtype": recipe.dtype, "count": recipe.bands, "width": recipe.width,
               "height": recipe.height}
    of_dataset = recipe.mask == "nodata of the dataset"
    if recipe.nodata is not None and not of_dataset:
        profile["nodata"] = recipe.nodata
    if recipe.driver != "PNG":
        profile |= {"crs": "EPSG:32633", "transform": recipe.affine()}
    if recipe.driver == "GTiff":
        # Without this, GDAL takes the fourth of four bands for alpha.
        profile |= recipe.layout.options(recipe.height) | {"photometric": "MINISBLACK"}
    alpha = recipe.mask == "alpha"
    if alpha:
        profile["count"] += 1
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=recipe.mask == "inside"):
        with rasterio.open(path, "w", **profile) as file:
            if alpha:
                if recipe.driver == "GTiff":
                    file.colorinterp = [ColorInterp.undefined] * recipe.bands + [ColorInterp.alpha]
                file.write(alpha_of(recipe), recipe.bands + 1)
            file.write(values, list(range(1, recipe.bands + 1)))
            if of_dataset:
                # One value for each band, all of which a pixel must have to be missing.
                file.update_tags(NODATA_VALUES=" ".join([repr(recipe.nodata).removesuffix(".0")] * recipe.bands))
            if recipe.mask in ("beside", "inside"):
                file.write_mask(recipe.shape_of_mask())
    if recipe.mask == "for each band":
        write_masks(recipe, path)
    return path


def alpha_of(recipe: Recipe) -> numpy.ndarray:
    """Fully, partly and not transparent."""
    kind = numpy.dtype(recipe.dtype)
    most = 1.0 if kind.kind == "f" else min(numpy.iinfo(kind).max, 2**53)
    partly = numpy.random.default_rng(recipe.seed + 2).choice([0.4, 1.0], (recipe.height, recipe.width))
    return (recipe.shape_of_mask() * partly * most).astype(kind)


def write_masks(recipe: Recipe, path: Path) -> None:
    """A file of masks beside the raster with one for each band, as GDAL's documentation of `.msk` files has it."""
    random = numpy.random.default_rng(recipe.seed + 3)
    masks = (random.random((recipe.bands, recipe.height, recipe.width)) < 0.6).astype("uint8") * 255
    profile = {"driver": "GTiff", "dtype": "uint8", "count": recipe.bands, "width": recipe.width, "height": recipe.height,
               "photometric": "MINISBLACK"}
    with rasterio.open(f"{path}.msk", "w", **profile) as file:
        file.write(masks)
        file.update_tags(**{f"INTERNAL_MASK_FLAGS_{band}": "0" for band in range(1, recipe.bands + 1)})


def write_ascii(recipe: Recipe, path: Path, values: numpy.ndarray) -> Path:
    """An ESRI grid as plain text."""
    lines = [f"ncols {recipe.width}", f"nrows {recipe.height}", "xllcorner 500000", "yllcorner 5750000", "cellsize 2"]
    if recipe.nodata is not None:
        lines.append(f"NODATA_value {recipe.nodata if recipe.dtype == 'float32' else int(recipe.nodata)}")
    for row in values:
        lines.append(" ".join(repr(float(value)) if recipe.dtype == "float32" else str(value) for value in row))
    path.write_text("\n".join(lines) + "\n")
    return path


@st.composite
def stacks(draw) -> list[Recipe]:
    """Bands of types and nodata values of their own, for a virtual raster."""
    types = [kind for kind in TYPES if kind != "int8"]
    bands = []
    for _ in range(draw(st.integers(2, 4))):
        dtype = draw(st.sampled_from(types))
        kinds = ["none", "nodata", "nodata out of range"] + (["nan"] if numpy.dtype(dtype).kind == "f" else [])
        kind = draw(st.sampled_from(kinds))
        nodata = draw(nodata_of(dtype)) if kind == "nodata" else None
        bands.append(Recipe("GTiff", dtype, 1, 23, 17, kind, nodata, (2.0, 0.0, 500000.0, 0.0, -2.0, 5750000.0),
                            Layout("strips", "deflate", "band", False), draw(st.booleans()), draw(st.integers(0, 2**16))))
    return bands


GDAL_NAMES = {"uint8": "Byte", "int8": "Int8", "uint16": "UInt16", "int16": "Int16", "uint32": "UInt32", "int32": "Int32",
              "uint64": "UInt64", "int64": "Int64", "float32": "Float32", "float64": "Float64"}


def write_stack(bands: list[Recipe], folder: Path) -> Path:
    """A VRT over one GeoTIFF for each band."""
    text = [f'<VRTDataset rasterXSize="{bands[0].width}" rasterYSize="{bands[0].height}">', "<SRS>EPSG:32633</SRS>",
            "<GeoTransform>500000, 2, 0, 5750000, 0, -2</GeoTransform>"]
    for number, band in enumerate(bands, start=1):
        source = write(band, folder, f"band{number}")
        nodata = -99999.5 if band.mask == "nodata out of range" else band.nodata
        text += [f'<VRTRasterBand dataType="{GDAL_NAMES[band.dtype]}" band="{number}">',
                 "" if nodata is None else f"<NoDataValue>{nodata!r}</NoDataValue>",
                 f'<SimpleSource><SourceFilename relativeToVRT="1">{source.name}</SourceFilename><SourceBand>1</SourceBand>'
                 "</SimpleSource></VRTRasterBand>"]
    path = folder / "stack.vrt"
    path.write_text("\n".join([*text, "</VRTDataset>"]))
    return path

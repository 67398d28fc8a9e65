"""Boxes of COCO files, compared with what pycocotools bounds: from boxes, from outlines, from masks as run lengths."""

import json
from dataclasses import dataclass

import numpy
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as rle

from command import examples, kept, one

pytestmark = [pytest.mark.filterwarnings("ignore:Dataset has no geotransform"),
              pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
WIDTH, HEIGHT = 60, 48
CATEGORIES = {3: "tree", 17: "car"}


@dataclass(frozen=True)
class Thing:
    """One annotation: what it has, and the seed of its coordinates."""

    has: str
    category: int
    crowd: bool
    seed: int

    def annotation(self, number: int) -> tuple[dict, list[float], float]:
        """The annotation, its bounds as x, y, width and height, and by how much they may differ."""
        random = numpy.random.default_rng(self.seed)
        about = {"id": number, "image_id": 1, "category_id": self.category, "iscrowd": int(self.crowd)}
        if self.has in ("run lengths", "compressed run lengths"):
            mask = numpy.zeros((HEIGHT, WIDTH), "uint8", order="F")
            x, y = random.integers(0, WIDTH - 8), random.integers(0, HEIGHT - 8)
            w, h = random.integers(1, WIDTH - x + 1), random.integers(1, HEIGHT - y + 1)
            mask[y : y + h, x : x + w] = random.random((h, w)) < 0.7
            mask[y, x] = 1
            coded = rle.encode(mask)
            bounds = [float(side) for side in rle.toBbox(coded)]
            if self.has == "run lengths":
                counts = runs(mask)
                assert rle.decode(rle.frPyObjects({"counts": counts, "size": [HEIGHT, WIDTH]}, HEIGHT, WIDTH)).tolist() == mask.tolist()
            else:
                counts = coded["counts"].decode()
            extra = {"bbox": None} if self.seed % 2 else {}
            return about | {"segmentation": {"counts": counts, "size": [HEIGHT, WIDTH]}} | extra, bounds, 0.0
        if self.has == "outlines":
            outlines = []
            for _ in range(int(random.integers(1, 3))):
                points = random.uniform((1, 1), (WIDTH - 1, HEIGHT - 1), (int(random.integers(3, 8)), 2)).round(2)
                outlines.append([float(value) for value in points.ravel()])
            # pycocotools rounds outlines to pixels; a box around an outline is that of its corners.
            xs, ys = numpy.concatenate([line[0::2] for line in outlines]), numpy.concatenate([line[1::2] for line in outlines])
            bounds = [xs.min(), ys.min(), xs.max() - xs.min(), ys.max() - ys.min()]
            return about | {"segmentation": outlines}, [float(side) for side in bounds], 1e-3
        x, y = random.uniform(0, WIDTH - 12), random.uniform(0, HEIGHT - 12)
        bounds = [round(float(side), 2) for side in (x, y, random.uniform(1, WIDTH - x - 1), random.uniform(1, HEIGHT - y - 1))]
        extra = {"boxes": {}, "boxes and nothing else said": {"segmentation": None, "area": None}}[self.has]
        return about | {"bbox": bounds} | extra, bounds, 1e-3


def runs(mask: numpy.ndarray) -> list[int]:
    """Lengths of the runs of 0 and 1 in turn, column by column, as COCO's crowds have them."""
    flat = mask.ravel(order="F").astype(int)
    changes = numpy.flatnonzero(numpy.diff(flat)) + 1
    lengths = numpy.diff(numpy.concatenate([[0], changes, [flat.size]])).tolist()
    return [0, *lengths] if flat[0] else lengths


KINDS = ["boxes", "boxes and nothing else said", "outlines", "run lengths", "compressed run lengths"]


def things() -> st.SearchStrategy[Thing]:
    return st.builds(Thing, st.sampled_from(KINDS), st.sampled_from(list(CATEGORIES)), st.booleans(), st.integers(0, 2**16))


@examples(50)
@given(st.lists(things(), min_size=1, max_size=5))
def test_boxes_of_coco_are_those_of_pycocotools(found):
    with kept("coco", found) as folder:
        with rasterio.open(folder / "a.png", "w", driver="PNG", dtype="uint8", count=3, width=WIDTH, height=HEIGHT) as file:
            file.write(numpy.full((3, HEIGHT, WIDTH), 90, "uint8"))
        made = [thing.annotation(number) for number, thing in enumerate(found, start=1)]
        coco = {
            "images": [{"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}],
            "categories": [{"id": number, "name": name} for number, name in CATEGORIES.items()],
            "annotations": [annotation for annotation, _, _ in made],
        }
        (folder / "a.json").write_text(json.dumps(coco, indent=1))
        facts = one(folder / "a.png", "--boxes", folder / "a.json", "--class", "category")
        read = facts["boxes"]
        assert len(read) == len(made)
        for thing, (_, (x, y, w, h), slack), box in zip(found, made, read, strict=True):
            corners = (box["x_min"], box["y_min"], box["x_max"], box["y_max"])
            difference = numpy.abs(numpy.array(corners) - (x, y, x + w, y + h)).max()
            assert difference <= slack, f"{thing}: read {corners}, expected {(x, y, x + w, y + h)}"
            assert (box["class"], box["crowd"]) == (CATEGORIES[thing.category], thing.crowd)

"""PyTorch reads a chip set of ours, and we read one of PyTorch's: the loss of the first batch is the same with equal weights.

    source scripts/env.sh && bash scripts/setup-torch.sh && "$SWATH_TORCH_VENV/bin/pip" install rasterio pillow
    "$SWATH_TORCH_VENV/bin/python" benches/peers/chip_sets.py /tmp/chip_sets

What it checks of the files, by rasterio, Pillow and the standard library: sizes, types, names of bands, place on the ground,
color table, nodata, the manifest's counts, COCO and YOLO. Then the losses. Exits with an error where something differs.
"""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import rasterio
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/python"))
from test_torchvision_export import Unet  # noqa: E402
from torchvision.models import resnet18  # noqa: E402


class Pairs(Dataset):
    """The usual data set: images and masks of equal names."""

    def __init__(self, images, masks):
        self.images, self.masks = sorted(images.iterdir()), sorted(masks.iterdir())
        assert [path.stem for path in self.images] == [path.stem for path in self.masks]

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return read(self.images[index]), read(self.masks[index])[0].astype(np.int64)


def read(path):
    """Bands, rows, columns."""
    if path.suffix == ".tif":
        with rasterio.open(path) as file:
            return file.read()
    values = np.array(Image.open(path))
    return values[None] if values.ndim == 2 else values.transpose(2, 0, 1)


def main():
    folder = Path(sys.argv[1]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    write_theirs(folder / "theirs")
    command = ["cargo", "run", "--quiet", "--release", "--package", "swath", "--example", "chip_set", "--", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True)
    check_files(folder / "ours")
    check_png(folder)
    losses = json.loads((folder / "losses.json").read_text())
    parts = {
        "ours": Pairs(folder / "ours/images/train", folder / "ours/masks/train"),
        "png": Pairs(folder / "png/images/train", folder / "png/masks/train"),
        "theirs": Pairs(folder / "theirs/images", folder / "theirs/masks"),
    }
    assert losses["scene"] == losses["ours"], losses
    for name, pairs in parts.items():
        expected = losses["ours" if name == "png" else name]
        loss = first_loss(folder, pairs)
        print(f"{name}: swath {expected:.7f}, PyTorch {loss:.7f}, difference {abs(loss - expected):.1e}")
        assert abs(loss - expected) < 2e-5 * expected


def first_loss(folder, pairs):
    weights = load_file(folder / "unet.safetensors")
    with safe_open(folder / "unet.safetensors", "pt") as file:
        about = file.metadata()
    mean, std = (torch.tensor(json.loads(about[key])).view(1, -1, 1, 1) for key in ("mean", "std"))
    classes = len(json.loads(about["classes"]))
    network = Unet(resnet18, [64, 64, 128, 256, 512], mean.shape[1], classes)
    network.load_state_dict(weights, strict=True)
    network.train()
    images, masks = next(iter(DataLoader(pairs, batch_size=8)))
    with torch.no_grad():
        scores = network((images.float() - mean) / std)
    return F.cross_entropy(scores.double(), masks, ignore_index=255).item()


def check_files(folder):
    manifest = json.loads((folder / "chips.json").read_text())
    part = manifest["parts"][0]
    assert manifest["version"] == 1 and part["split"] == "train" and len(part["chips"]) == 8
    names = [entry["name"] for entry in manifest["classes"]]
    with open(folder / "classes.csv", newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == names
    with rasterio.open(next((folder.parent / "town").glob("*.tif"))) as town:
        for chip in part["chips"]:
            window = chip["window"]
            place = rasterio.windows.Window(window["col"], window["row"], window["width"], window["height"])
            with rasterio.open(folder / chip["image"]) as image, rasterio.open(folder / chip["mask"]) as mask:
                assert (image.read() == town.read(window=place)).all()
                assert image.dtypes == town.dtypes and image.crs == town.crs == mask.crs
                assert image.transform.almost_equals(town.window_transform(place))
                assert mask.transform.almost_equals(image.transform)
                assert [entry["name"] for entry in manifest["bands"]] == list(image.descriptions)
                assert image.colorinterp == town.colorinterp
                assert np.allclose(chip["bounds"], image.bounds)
                labels = mask.read(1)
                assert mask.nodata == 255 and mask.dtypes == ("uint8",)
                counts = np.bincount(labels.ravel(), minlength=256)
                assert chip["pixels"] == counts[: len(names)].tolist() and chip["ignored"] == counts[255]
                colors = mask.colormap(1)
                tags = mask.tags()
                for index, entry in enumerate(manifest["classes"]):
                    assert list(colors[index][:3]) == entry["color"] and tags[f"CLASS_{index}"] == entry["name"]
    coco = json.loads((folder / "annotations/instances_train.json").read_text())
    assert [image["file_name"] for image in coco["images"]] == [Path(chip["image"]).name for chip in part["chips"]]
    assert [category["name"] for category in coco["categories"]] == names[1:]
    for image, chip in zip(coco["images"], part["chips"]):
        own = [one for one in coco["annotations"] if one["image_id"] == image["id"]]
        counts = np.bincount([one["category_id"] for one in own], minlength=len(names))
        assert counts.tolist() == chip["objects"]
        # YOLO: class, center and size as shares of the image.
        lines = (folder / chip["yolo"]).read_text().split("\n")[:-1]
        assert len(lines) == len(own)
        for line, one in zip(lines, own):
            number, x, y, width, height = map(float, line.split())
            left, top, wide, high = one["bbox"]
            assert number == one["category_id"] - 1
            assert np.allclose(np.array([x - width / 2, y - height / 2, width, height]) * 64, [left, top, wide, high])
    print("files: as rasterio, json and csv read them")


def check_png(folder):
    for path in sorted((folder / "png/images/train").iterdir()):
        tiff = folder / "ours/images/train" / (path.stem + ".tif")
        assert (read(path) == read(tiff)).all()
        mask = Image.open(folder / "png/masks/train" / path.name)
        assert mask.mode == "P" and mask.text["CLASS_0"] == "background"
        assert (np.array(mask) == read(folder / "ours/masks/train" / tiff.name)[0]).all()
    print("PNG: as Pillow reads it")


def write_theirs(folder):
    """A data set as one writes it with Pillow: images and masks of equal names, 255 for what does not count."""
    numbers = np.random.default_rng(0)
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for index in range(8):
        image = numbers.integers(1, 256, (64, 64, 3), dtype=np.uint8)
        mask = numbers.integers(0, 5, (64, 64), dtype=np.uint8)
        mask[:4] = 255
        Image.fromarray(image).save(folder / f"images/chip_{index:02}.png")
        Image.fromarray(mask).save(folder / f"masks/chip_{index:02}.png")


if __name__ == "__main__":
    main()

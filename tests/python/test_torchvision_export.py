"""Exported weights load into PyTorch's own networks and give equal outputs. Runs where torch can be imported."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: the export is not compared with it")
torchvision = pytest.importorskip("torchvision", reason="torchvision is not installed: the export is not compared with it")
safetensors = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    if shutil.which("cargo") is None:
        pytest.skip("cargo is not on the path: the example that exports cannot run")
    folder = tmp_path_factory.mktemp("exported")
    command = ["cargo", "run", "--quiet", "--release", "--package", "swath", "--example", "export_torchvision", "--"]
    subprocess.run([*command, str(folder)], cwd=ROOT, check=True)
    return folder


class Unet(torch.nn.Module):
    """`segmentation_models_pytorch.Unet` without options: its structure and its parameter names."""

    class Block(torch.nn.Module):
        def __init__(self, inputs, outputs):
            super().__init__()
            step = lambda channels: torch.nn.Sequential(
                torch.nn.Conv2d(channels, outputs, 3, padding=1, bias=False), torch.nn.BatchNorm2d(outputs), torch.nn.ReLU()
            )
            self.conv1, self.conv2 = step(inputs), step(outputs)

        def forward(self, x, skip):
            x = torch.nn.functional.interpolate(x, scale_factor=2, mode="nearest")
            if skip is not None:
                x = torch.cat([x[..., : skip.shape[2], : skip.shape[3]], skip], 1)
            return self.conv2(self.conv1(x))

    class Decoder(torch.nn.Module):
        def __init__(self, channels, widths):
            super().__init__()
            skips = [*channels[-2::-1], 0]
            inputs = [channels[-1], *widths[:-1]]
            self.blocks = torch.nn.ModuleList(Unet.Block(a + b, c) for a, b, c in zip(inputs, skips, widths))

    def __init__(self, resnet, channels, bands, classes, widths=(256, 128, 64, 32, 16)):
        super().__init__()
        self.encoder = resnet()
        self.encoder.conv1 = torch.nn.Conv2d(bands, 64, 7, stride=2, padding=3, bias=False)
        del self.encoder.fc
        self.decoder = Unet.Decoder(channels, widths)
        self.segmentation_head = torch.nn.Sequential(torch.nn.Conv2d(widths[-1], classes, 3, padding=1))

    def forward(self, x):
        size = x.shape[2:]
        e = self.encoder
        features = [e.relu(e.bn1(e.conv1(x)))]
        x = e.maxpool(features[0])
        for layer in [e.layer1, e.layer2, e.layer3, e.layer4]:
            x = layer(x)
            features.append(x)
        features.pop()
        for block in self.decoder.blocks:
            x = block(x, features.pop() if features else None)
        return self.segmentation_head(x)[..., : size[0], : size[1]]


def deeplab(make, classes):
    network = make(weights=None, weights_backbone=None, num_classes=classes, aux_loss=False)
    return network, lambda x: network(x)["out"]


def unet(make, channels, bands, classes):
    network = Unet(make, channels, bands, classes)
    return network, network


def classifier(make, bands, classes):
    network = make(weights=None, num_classes=classes)
    if bands != 3:
        network.conv1 = torch.nn.Conv2d(bands, 64, 7, stride=2, padding=3, bias=False)
    return network, network


NETWORKS = {
    "deeplabv3_resnet50": lambda: deeplab(torchvision.models.segmentation.deeplabv3_resnet50, 5),
    "deeplabv3_resnet101": lambda: deeplab(torchvision.models.segmentation.deeplabv3_resnet101, 2),
    "unet_resnet18": lambda: unet(torchvision.models.resnet18, [64, 64, 128, 256, 512], 4, 3),
    "resnet18": lambda: classifier(torchvision.models.resnet18, 4, 5),
    "resnet50": lambda: classifier(torchvision.models.resnet50, 3, 2),
    "unet_resnet50": lambda: unet(torchvision.models.resnet50, [64, 256, 512, 1024, 2048], 3, 3),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_pytorch_loads_every_exported_tensor_and_computes_the_same(name, exported):
    network, run = NETWORKS[name]()
    network.load_state_dict(safetensors.load_file(exported / f"{name}.safetensors"), strict=True)
    network.eval()
    numbers = safetensors.load_file(exported / f"{name}.numbers.safetensors")
    with torch.no_grad():
        found = run(numbers["input"])
    expected = numbers["output"]
    assert found.shape == expected.shape
    assert expected.std() > 1e-3
    error = (found - expected).abs().max() / expected.abs().mean()
    assert error < 1e-4, f"off by {error:.2g} of the mean size"


# `DetectOptions` unless set.
LEAST, OVERLAP, MOST = 0.05, 0.5, 300


def detector(make, bands, **options):
    """The network on images that are normalized already and keep their size."""
    plain = dict(image_mean=[0.0] * bands, image_std=[1.0] * bands, min_size=96, max_size=128)
    thresholds = dict(score_thresh=LEAST, nms_thresh=OVERLAP, detections_per_img=MOST)
    return make(**plain, **{options.get("prefix", "") + name: value for name, value in thresholds.items()})


def retinanet_resnet18(**options):
    from torchvision.models.detection import RetinaNet
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
    from torchvision.models.detection.retinanet import _default_anchorgen
    from torchvision.ops.feature_pyramid_network import LastLevelP6P7

    backbone = resnet_fpn_backbone(
        backbone_name="resnet18", weights=None, returned_layers=[2, 3, 4], extra_blocks=LastLevelP6P7(256, 256)
    )
    backbone.body.conv1 = torch.nn.Conv2d(4, 64, 7, stride=2, padding=3, bias=False)
    return RetinaNet(backbone, 3, anchor_generator=_default_anchorgen(), **options)


def by_name(name):
    make = getattr(torchvision.models.detection, name)
    return lambda **options: make(weights=None, weights_backbone=None, num_classes=3, **options)


DETECTORS = {
    "retinanet_resnet18": lambda: detector(retinanet_resnet18, 4),
    "retinanet_resnet50": lambda: detector(by_name("retinanet_resnet50_fpn"), 3),
    "fasterrcnn_resnet50": lambda: detector(by_name("fasterrcnn_resnet50_fpn"), 3, prefix="box_"),
}


# What 32-bit rounding may change: scores, edges in pixels, overlaps. Measured between torchvision and us: 4e-6 and 2e-4 pixels
# for RetinaNet, 4e-4 and 0.012 for Faster R-CNN, whose scores are spread until many round to 1.
NOISE = {
    "retinanet_resnet18": (4e-5, 2e-3, 1e-3),
    "retinanet_resnet50": (4e-5, 2e-3, 1e-3),
    "fasterrcnn_resnet50": (1e-3, 0.05, 1e-2),
}


@pytest.mark.parametrize("name", DETECTORS)
def test_torchvisions_detectors_load_every_exported_tensor_and_find_the_same(name, exported):
    network = DETECTORS[name]()
    network.load_state_dict(safetensors.load_file(exported / f"{name}.safetensors"), strict=True)
    network.eval()
    numbers = safetensors.load_file(exported / f"{name}.numbers.safetensors")
    with torch.no_grad():
        found = network(list(numbers["input"]))
    for image, theirs in enumerate(found):
        ours = {what: numbers[f"{what}.{image}"] for what in ("boxes", "scores", "labels")}
        assert 10 < len(ours["scores"]) < MOST and len(theirs["scores"]) < MOST, "the limit of boxes cuts nothing off"
        # torchvision's RetinaNet keeps boxes outside the image, which have no area once they are cut to it; ours does not.
        # Its Faster R-CNN drops them as well.
        has_area = (theirs["boxes"][:, 2:] > theirs["boxes"][:, :2]).all(1)
        assert "retinanet" in name or has_area.all()
        theirs = {what: values[has_area] for what, values in theirs.items()}
        compare(ours, theirs, *NOISE[name])


def compare(ours, theirs, score_noise, edge_noise, overlap_noise):
    """Every box has a twin of its own in the other list, or 32-bit rounding decides about it: that its score is above the
    least, that a better box overlaps it by more than the limit, or which of two boxes is the better one."""
    pairs = [twins(ours, theirs, score_noise, edge_noise), twins(theirs, ours, score_noise, edge_noise)]
    for (one, other), (twin, back) in zip([(ours, theirs), (theirs, ours)], [pairs, pairs[::-1]]):
        chosen = twin[twin >= 0]
        assert len(chosen.unique()) == len(chosen), "two boxes have the same twin"
        for index in (twin < 0).nonzero().flatten().tolist():
            box, label, score = (one[what][index] for what in ("boxes", "labels", "scores"))
            overlap = torchvision.ops.box_iou(box[None].double(), other["boxes"].double())[0]
            overlap[other["labels"] != label] = 0
            ahead = other["scores"] - score
            near_the_limit = (overlap - OVERLAP).abs() < overlap_noise
            as_good = (overlap > OVERLAP) & (ahead.abs() < score_noise)
            # Ahead in score, so that no two boxes explain each other. The better one is looked at in its own turn.
            follows = (overlap > OVERLAP) & (ahead > 0) & (back < 0)
            is_close = score - LEAST < score_noise or (near_the_limit | as_good | follows).any()
            assert is_close, f"no twin of {box.tolist()}, class {label:.0f}, score {score:.7f}; overlaps: {overlap.max():.7f}"


def twins(one, other, score_noise, edge_noise):
    """The place in `other` of each box of `one`, or -1."""
    apart = (one["boxes"][:, None] - other["boxes"][None]).abs().amax(2)
    unlike = (one["scores"][:, None] - other["scores"][None]).abs() >= score_noise
    apart[unlike | (one["labels"][:, None] != other["labels"][None])] = torch.inf
    nearest, place = apart.min(1)
    return torch.where(nearest < edge_noise, place, -1)


def test_the_export_says_how_to_normalize_and_what_the_classes_are(exported):
    import safetensors as plain

    with plain.safe_open(exported / "unet_resnet18.safetensors", framework="pt") as file:
        metadata = file.metadata()
    assert json.loads(metadata["mean"]) == [127.0] * 4
    assert json.loads(metadata["std"]) == [128.0] * 4
    assert json.loads(metadata["classes"]) == ["class 0", "class 1", "class 2"]

"""Writes tests/fixtures/models/torchvision.json: what torchvision's networks compute, in inference and in training.

pip install torch torchvision; python tests/python/make_torchvision_oracles.py [--check]

Weights come from a formula (oracles.py). Of each tensor the JSON keeps a summary, computed in 64 bits, and
`float32`: how far PyTorch's own 32-bit values are from them, at most, in units of the greater of the value and the mean.
(Deep networks in training are sensitive: one value near 0 that rounds to the other side closes a ReLU.)
"""
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7

from oracles import fill, images, noise, resnet, save, summary

torch.manual_seed(0)
torch.set_num_threads(2)


def labels(height, width, classes):
    n, y, x = np.meshgrid(np.arange(2), np.arange(height), np.arange(width), indexing="ij")
    return torch.from_numpy(((y // 7 + x // 5 + n) % classes).astype(np.int64))


def compared(exact, rounded):
    flat, other = (tensor.detach().double().flatten() for tensor in (exact, rounded))
    error = ((flat - other).abs() / torch.maximum(flat.abs(), flat.abs().mean())).max().item()
    return summary(exact, float32=float(f"{error:.2g}"))


def squares(outputs):
    return sum((f * f).mean() for f in outputs)


def trained(model, run, loss, rate, x, dtype):
    """Outputs in inference and in training, the loss, gradients, and everything after one step of SGD."""
    fill(model).to(dtype).eval()
    x = {name: value.to(dtype) for name, value in x.items()} if isinstance(x, dict) else x.to(dtype)
    with torch.no_grad():
        inference = run(model, x)
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, weight_decay=1e-4)
    outputs = run(model, x)
    value = loss(outputs)
    value.backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}
    optimizer.step()
    return inference, outputs, value.item(), gradients, model.state_dict()


def oracle(make, run, loss, rate, watched, x):
    exact = trained(make(), run, loss, rate, x, torch.float64)
    rounded = trained(make(), run, loss, rate, x, torch.float32)
    lists = lambda part: [compared(a, b) for a, b in zip(exact[part], rounded[part])]
    named = lambda part, names: {name: compared(exact[part][name], rounded[part][name]) for name in names}
    for name in watched:
        moved = rate * exact[3][name].abs().mean() / exact[4][name].abs().mean()
        print(f"    {name} moves by {moved:.5f} of its size; float32 gradient off by {named(3, [name])[name]['float32']}")
    variances = [name for name in exact[4] if name.endswith("running_var")]
    found = {
        "inference": lists(0),
        "training": lists(1),
        "loss": exact[2],
        "rate": rate,
        "gradients": named(3, watched),
        "stepped": named(4, watched),
        "running": named(4, variances[:: max(1, len(variances) // 8)]),
    }
    for part in ["inference", "training"]:
        print(f"    {part} off by", [f["float32"] for f in found[part]])
    print("    weights off by", [f["float32"] for f in found["stepped"].values()])
    return found


def encoders(found):
    ends = ["conv1.weight", "bn1.weight", "layer1.0.conv2.weight", "layer2.0.downsample.0.weight"]
    for name, rate in [("resnet18", 0.2), ("resnet34", 0.1), ("resnet50", 0.3), ("resnet101", 0.05)]:
        print(name)
        last = ["layer4.1.conv2.weight"] if name in ("resnet18", "resnet34") else ["layer4.2.conv3.weight", "layer4.2.bn3.bias"]
        make = getattr(torchvision.models, name)
        found[name] = oracle(make, resnet, squares, rate, [*ends, *last], images(96, 128))
    print("resnet50 dilated")
    make = lambda: torchvision.models.resnet50(replace_stride_with_dilation=[False, True, True])
    found["resnet50_dilated"] = oracle(make, resnet, squares, 0.5, [*ends, "layer4.2.conv2.weight"], images(56, 72))


def pyramids(found):
    """On made-up features of odd sizes, so that enlarging cuts a row."""
    sizes = [(19, 26), (10, 13), (5, 7)]
    features = {
        str(i): torch.from_numpy(noise(f"feature{i}", 2 * c * h * w).reshape(2, c, h, w))
        for i, (c, (h, w)) in enumerate(zip([6, 8, 12], sizes))
    }
    for name, extra in [("fpn_pool", lambda: LastLevelMaxPool()), ("fpn_p6p7", lambda: LastLevelP6P7(12, 16))]:
        print(name)
        make = lambda: FeaturePyramidNetwork([6, 8, 12], 16, extra_blocks=extra())
        watched = ["inner_blocks.0.0.weight", "inner_blocks.2.0.bias", "layer_blocks.1.0.weight"]
        if name == "fpn_p6p7":
            watched += ["extra_blocks.p6.weight", "extra_blocks.p7.bias"]
        found[name] = oracle(make, lambda m, x: list(m(x).values()), squares, 0.5, watched, features)


def deeplabv3():
    model = torchvision.models.segmentation.deeplabv3_resnet50(weights=None, weights_backbone=None, num_classes=5)
    # Random numbers of two libraries cannot agree.
    model.classifier[0].project[3].p = 0.0
    return model


def deeplab(found):
    print("deeplabv3_resnet50")
    size = (56, 72)
    target = labels(*size, 5)
    watched = [
        "backbone.conv1.weight",
        "backbone.layer4.2.conv2.weight",
        "classifier.0.convs.0.0.weight",
        "classifier.0.convs.2.0.weight",
        "classifier.0.convs.4.1.weight",
        "classifier.0.convs.4.2.bias",
        "classifier.0.project.0.weight",
        "classifier.4.weight",
        "classifier.4.bias",
    ]
    run = lambda m, x: [m(x)["out"]]
    found["deeplabv3_resnet50"] = oracle(deeplabv3, run, lambda o: F.cross_entropy(o[0], target), 0.1, watched, images(*size))


found = {}
encoders(found)
pyramids(found)
deeplab(found)
save(found, Path(__file__).parents[1] / "fixtures/models/torchvision.json")

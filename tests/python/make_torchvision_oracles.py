"""Writes tests/fixtures/models/torchvision.json: what torchvision's networks compute, in inference and in training.

pip install torch torchvision; python tests/python/make_torchvision_oracles.py

Weights come from a formula (`formula`) that src/models/oracle.rs repeats, so that no weights need to be stored. Of each
tensor the JSON keeps the shape, the mean of the absolute values and 24 values spread over it. Everything is computed in
64 bits, so that the differences that the tests meet are the library's own.
"""
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7

torch.manual_seed(0)
torch.set_num_threads(2)


def noise(name, count):
    """Numbers in [-0.5, 0.5) by FNV-1a of the name and a mix of the index."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 % 2**32
    state = (np.arange(count, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(seed)) & np.uint64(2**32 - 1)
    state = ((state ^ (state >> np.uint64(15))) * np.uint64(2246822519)) & np.uint64(2**32 - 1)
    return (((state >> np.uint64(8)).astype(np.float64) / 2**24) - 0.5).astype(np.float32)


def formula(name, shape):
    values = noise(name, int(np.prod(shape))).reshape(shape)
    if len(shape) == 4:
        return values * np.float32(np.sqrt(24.0 / (shape[1] * shape[2] * shape[3])))
    if name.endswith("running_var"):
        return np.float32(1) + np.float32(0.4) * values
    if name.endswith("weight"):
        return np.float32(1) + np.float32(0.2) * values
    return np.float32(0.2) * values


@torch.no_grad()
def fill(model):
    for name, tensor in model.state_dict().items():
        if tensor.dtype == torch.float32:
            tensor.copy_(torch.from_numpy(np.ascontiguousarray(formula(name, tuple(tensor.shape)))))
    return model


def images(height=64, width=96):
    n, c, y, x = np.meshgrid(np.arange(2), np.arange(3), np.arange(height), np.arange(width), indexing="ij")
    values = (n * 31 + c * 47 + y * 5 + x * 3 + (y * x) % 19 * 7) % 256
    return torch.from_numpy(((values - 127) / 128).astype(np.float32))


def labels(height, width, classes):
    n, y, x = np.meshgrid(np.arange(2), np.arange(height), np.arange(width), indexing="ij")
    return torch.from_numpy(((y // 7 + x // 5 + n) % classes).astype(np.int64))


def summary(tensor):
    flat = tensor.detach().double().flatten()
    index = [i * (len(flat) - 1) // 23 for i in range(24)]
    digits = lambda value: float(f"{value:.8g}")
    values = [digits(flat[i].item()) for i in index]
    return {"shape": list(tensor.shape), "mean_abs": digits(flat.abs().mean().item()), "values": values}


def resnet(model, x):
    x = model.relu(model.bn1(model.conv1(x)))
    features = [x]
    x = model.maxpool(x)
    for layer in [model.layer1, model.layer2, model.layer3, model.layer4]:
        x = layer(x)
        features.append(x)
    return features


def squares(outputs):
    return sum((f * f).mean() for f in outputs)


def oracle(model, run, loss, rate, watched, x):
    """Inference; training; the loss; watched weights after one step of SGD; some running variances."""
    fill(model).double().eval()
    x = {name: value.double() for name, value in x.items()} if isinstance(x, dict) else x.double()
    with torch.no_grad():
        inference = [summary(f) for f in run(model, x)]
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, weight_decay=1e-4)
    outputs = run(model, x)
    value = loss(outputs)
    value.backward()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    optimizer.step()
    state = model.state_dict()
    parameters = dict(model.named_parameters())
    for name in watched:
        moved = (state[name] - before[name]).abs().mean() / before[name].abs().mean()
        print(f"    {name} moves by {moved:.4f} of its size")
    variances = [name for name in state if name.endswith("running_var")]
    return {
        "inference": inference,
        "training": [summary(f) for f in outputs],
        "loss": value.item(),
        "rate": rate,
        "gradients": {name: summary(parameters[name].grad) for name in watched},
        "stepped": {name: summary(state[name]) for name in watched},
        "running": {name: summary(state[name]) for name in variances[:: max(1, len(variances) // 8)]},
    }


ENDS = ["conv1.weight", "bn1.weight", "layer1.0.conv2.weight", "layer2.0.downsample.0.weight", "layer4.1.bn2.bias"]


def encoders(found):
    for name in ["resnet18", "resnet34", "resnet50", "resnet101"]:
        print(name)
        last = "layer4.1.conv2.weight" if name in ("resnet18", "resnet34") else "layer4.2.conv3.weight"
        found[name] = oracle(getattr(torchvision.models, name)(), resnet, squares, 0.05, [*ENDS, last], images())
    print("resnet50 dilated")
    model = torchvision.models.resnet50(replace_stride_with_dilation=[False, True, True])
    found["resnet50_dilated"] = oracle(model, resnet, squares, 0.05, [*ENDS, "layer4.2.conv2.weight"], images(56, 72))


def pyramids(found):
    """On made-up features of odd sizes, so that enlarging cuts a row."""
    sizes = [(19, 26), (10, 13), (5, 7)]
    features = {
        str(i): torch.from_numpy(noise(f"feature{i}", 2 * c * h * w).reshape(2, c, h, w))
        for i, (c, (h, w)) in enumerate(zip([6, 8, 12], sizes))
    }
    for name, extra in [("fpn_pool", LastLevelMaxPool()), ("fpn_p6p7", LastLevelP6P7(12, 16))]:
        print(name)
        model = FeaturePyramidNetwork([6, 8, 12], 16, extra_blocks=extra)
        watched = ["inner_blocks.0.0.weight", "inner_blocks.2.0.bias", "layer_blocks.1.0.weight"]
        if name == "fpn_p6p7":
            watched += ["extra_blocks.p6.weight", "extra_blocks.p7.bias"]
        found[name] = oracle(model, lambda m, x: list(m(x).values()), squares, 0.5, watched, features)


def deeplab(found):
    print("deeplabv3_resnet50")
    model = torchvision.models.segmentation.deeplabv3_resnet50(weights=None, weights_backbone=None, num_classes=5)
    # Random numbers of two libraries cannot agree.
    model.classifier[0].project[3].p = 0.0
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
    found["deeplabv3_resnet50"] = oracle(model, run, lambda o: F.cross_entropy(o[0], target), 0.5, watched, images(*size))


found = {}
encoders(found)
pyramids(found)
deeplab(found)
path = Path(__file__).parents[1] / "fixtures/models/torchvision.json"
path.write_text(json.dumps(found, indent=0) + "\n")

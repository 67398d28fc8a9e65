"""What the scripts that write the models' fixtures share: weights by formula, images, and summaries of tensors.

src/models/oracle_tests.rs repeats `noise`, `formula` and `images`, so that neither weights nor images need to be stored.
"""
import json
import sys

import numpy as np
import torch


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
    if name.endswith("bn3.weight"):
        # The last norm of a bottleneck: large ones make the sum over 33 blocks explode.
        return np.float32(0.25) + np.float32(0.05) * values
    if name.endswith("weight"):
        return np.float32(1) + np.float32(0.2) * values
    return np.float32(0.2) * values


def plain(name):
    """A parameter's name without the underscores of `efficientnet_lite_pytorch`."""
    return ".".join(part.lstrip("_") for part in name.split("."))


@torch.no_grad()
def fill(model, formula=formula):
    """Gives the model the formula's weights. A classifier's head (`fc`), which no test runs, keeps its own."""
    for name, tensor in model.state_dict().items():
        if tensor.dtype == torch.float32 and "fc" not in name.split(".")[0]:
            tensor.copy_(torch.from_numpy(np.ascontiguousarray(formula(plain(name), tuple(tensor.shape)))))
    return model


def images(height=64, width=96):
    n, c, y, x = np.meshgrid(np.arange(2), np.arange(3), np.arange(height), np.arange(width), indexing="ij")
    values = (n * 31 + c * 47 + y * 5 + x * 3 + (y * x) % 19 * 7) % 256
    return torch.from_numpy(((values - 127) / 128).astype(np.float32))


def numbers(tensor, digits=8):
    """Eight significant digits: what a 32-bit float holds."""
    return [float(f"{value:.{digits}g}") for value in tensor.detach().double().flatten().tolist()]


def summary(tensor, digits=8, **more):
    """The shape, the mean of the absolute values, and 24 values spread over the tensor."""
    flat = tensor.detach().double().flatten()
    index = [i * (len(flat) - 1) // 23 for i in range(24)]
    [mean] = numbers(flat.abs().mean(), digits)
    return {"shape": list(tensor.shape), "mean_abs": mean, **more, "values": numbers(flat[index], digits)}


def resnet(model, x):
    """The features of torchvision's ResNet at strides 2 to 32."""
    x = model.relu(model.bn1(model.conv1(x)))
    features = [x]
    x = model.maxpool(x)
    for layer in [model.layer1, model.layer2, model.layer3, model.layer4]:
        x = layer(x)
        features.append(x)
    return features


def save(found, path):
    """Writes the fixture. With `--check` it is compared with the committed one instead, and nothing is written.

    What is computed in 64 bits is the same on every machine to the digits that are kept, whatever the number of threads
    or the instructions of the processor.
    """
    if "--check" not in sys.argv[1:]:
        path.write_text(json.dumps(found, indent=0) + "\n")
        return
    wrong = list(differences(json.loads(path.read_text()), json.loads(json.dumps(found))))
    print(f"{path.name}: {len(wrong)} differences", *wrong[:20], sep="\n    ")
    sys.exit(1 if wrong else 0)


def differences(committed, found, where="", size=0.0):
    """Where two fixtures differ by more than the last of eight digits of a number, or of the mean size of its tensor.

    `float32`, the error of PyTorch's 32-bit arithmetic, is that of one machine and left out.
    """
    if isinstance(committed, dict) and isinstance(found, dict):
        if committed.keys() != found.keys():
            yield f"{where}: {sorted(committed.keys() ^ found.keys())} in one alone"
        size = committed.get("mean_abs", size)
        for key in sorted((committed.keys() & found.keys()) - {"float32"}):
            yield from differences(committed[key], found[key], f"{where}/{key}", size)
    elif isinstance(committed, list) and isinstance(found, list) and len(committed) == len(found):
        for index, pair in enumerate(zip(committed, found)):
            yield from differences(*pair, f"{where}/{index}", size)
    elif isinstance(committed, (int, float)) and isinstance(found, (int, float)):
        if abs(committed - found) > 2e-7 * max(abs(committed), abs(found), size):
            yield f"{where}: {committed} is committed, {found} found"
    elif committed != found:
        yield f"{where}: {str(committed)[:60]} is committed, {str(found)[:60]} found"

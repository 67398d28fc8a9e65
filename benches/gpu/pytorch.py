"""PyTorch's side of the GPU bench: the same networks, shapes and number formats as benches/gpu/main.rs, each eager and
compiled, channels last. Prints one JSON object a line.

usage: pytorch.py [--steps 30] [--no-compile]
"""

import argparse
import json
import time

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

WIDTHS = [256, 128, 64, 32, 16]
CASES = [("U-Net ResNet-50", 512, 16), ("DeepLabV3 ResNet-50", 300, 16)]


def block(inputs, outputs):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Unet(nn.Module):
    """The layers of src/models/unet.rs."""

    def __init__(self, classes):
        super().__init__()
        self.encoder = torchvision.models.resnet50(weights=None)
        del self.encoder.fc
        skips = [1024, 512, 256, 64, 0]
        inputs = [2048 + skips[0]] + [WIDTHS[i] + skips[i + 1] for i in range(4)]
        self.decoder = nn.ModuleList(block(i, o) for i, o in zip(inputs, WIDTHS))
        self.head = nn.Conv2d(WIDTHS[-1], classes, 3, padding=1)

    def forward(self, x):
        e = self.encoder
        x = e.relu(e.bn1(e.conv1(x)))
        features = [x]
        x = e.maxpool(x)
        for layer in (e.layer1, e.layer2, e.layer3, e.layer4):
            x = layer(x)
            features.append(x)
        x = features.pop()
        for decode in self.decoder:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            if features:
                x = torch.cat([x, features.pop()], 1)
            x = decode(x)
        return self.head(x)


class DeepLab(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.inner = torchvision.models.segmentation.deeplabv3_resnet50(
            weights=None, weights_backbone=None, num_classes=classes, aux_loss=False)

    def forward(self, x):
        return self.inner(x)["out"]


def step_time(name, size, batch, dtype, compiled, steps):
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = dtype != "f32"
    torch.backends.cudnn.benchmark = True
    model = (Unet(2) if name.startswith("U-Net") else DeepLab(2)).cuda().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    images = torch.randn(batch, 3, size, size, device="cuda").to(memory_format=torch.channels_last)
    labels = torch.randint(0, 2, (batch, size, size), device="cuda")
    forward = torch.compile(model) if compiled else model

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", torch.bfloat16, enabled=dtype == "bf16"):
            loss = F.cross_entropy(forward(images), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    began = time.monotonic()
    for _ in range(8):
        step()
    torch.cuda.synchronize()
    warm = time.monotonic() - began
    began = time.monotonic()
    for _ in range(steps):
        step()
    torch.cuda.synchronize()
    seconds = (time.monotonic() - began) / steps
    print(json.dumps({
        "who": "PyTorch compiled" if compiled else "PyTorch eager", "model": name, "size": size, "batch": batch,
        "dtype": dtype, "images_per_second": round(batch / seconds, 2), "warm_up_seconds": round(warm, 1),
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2),
    }), flush=True)
    torch.cuda.reset_peak_memory_stats()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--no-compile", action="store_true")
    options = parser.parse_args()
    for name, size, batch in CASES:
        for dtype in ("f32", "tf32", "bf16"):
            for compiled in (False, True):
                if compiled and (options.no_compile or dtype == "f32"):
                    continue
                step_time(name, size, batch, dtype, compiled, options.steps)


if __name__ == "__main__":
    main()

"""Convolutions, training steps and prediction in PyTorch on the CPU: the peer of benches/conv.rs.

python benches/peers/conv.py [threads] [ops] [steps] [inference]: milliseconds of processor time a call when `threads` is 1, of wall time otherwise;
the best of several. Needs torch and, for the steps, torchvision and efficientnet_lite_pytorch.
"""
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 2
torch.set_num_threads(THREADS)
clock = time.process_time if THREADS == 1 else time.perf_counter

SHAPES = [
    ("64 x 64", 64, 64, 64, 3, 1, 1),
    ("64 x 128", 64, 64, 128, 3, 1, 1),
    ("128 x 32", 128, 128, 32, 3, 1, 1),
    ("256 x 16", 256, 256, 16, 3, 1, 1),
    ("512 x 8", 512, 512, 8, 3, 1, 1),
    ("96 depthwise 3x3, 64", 96, 96, 64, 3, 96, 1),
    ("144 depthwise 5x5, 32", 144, 144, 32, 5, 144, 1),
    ("480 depthwise 3x3, 16", 480, 480, 16, 3, 480, 1),
    ("144 depthwise 5x5 s2, 64", 144, 144, 64, 5, 144, 2),
    ("96 depthwise 3x3 s2, 128", 96, 96, 128, 3, 96, 2),
    ("24 to 144, 1x1, 64", 24, 144, 64, 1, 1, 1),
    ("672 to 112, 1x1, 16", 672, 112, 16, 1, 1, 1),
    ("16 to 96, 1x1, 128", 16, 96, 128, 1, 1, 1),
    ("64 to 128 stride 2, 64", 64, 128, 64, 3, 1, 2),
    ("3 to 32 stride 2, 256", 3, 32, 256, 3, 1, 2),
    ("32 to 16, 256", 32, 16, 256, 3, 1, 1),
    ("16 to 16, 256", 16, 16, 256, 3, 1, 1),
    ("16 to 2, 256", 16, 2, 256, 3, 1, 1),
    ("96 to 32, 128", 96, 32, 128, 3, 1, 1),
]


def best(run):
    run()
    found, started, count = 1e9, clock(), 0
    while count < 5 or (clock() - started < 0.6 and count < 200):
        start = clock()
        run()
        found = min(found, clock() - start)
        count += 1
    return found * 1e3


MODES = [mode for mode in ("ops", "steps", "inference") if mode in sys.argv] or ["ops"]

if "ops" in MODES:
    print(f"{'ms':26} {'forward':>8} {'+ grads':>8}")
for name, cin, cout, size, k, groups, stride in SHAPES if "ops" in MODES else []:
    x, w = torch.randn(4, cin, size, size), torch.randn(cout, cin // groups, k, k)
    options = dict(stride=stride, padding=k // 2, groups=groups)
    with torch.no_grad():
        forward = best(lambda: F.conv2d(x, w, **options))
    x.requires_grad_(), w.requires_grad_()

    def both():
        x.grad = w.grad = None
        F.conv2d(x, w, **options).sum().backward()

    print(f"{name:26} {forward:8.2f} {best(both):8.2f}", flush=True)


class Block(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        conv = lambda a, b: [nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*conv(cin, cout), *conv(cout, cout))

    def forward(self, x, skip):
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        return self.layers(x if skip is None else torch.cat([x, skip], 1))


class Unet(nn.Module):
    """The U-Net of src/models/unet.rs."""

    def __init__(self, encoder, features, channels, widths=(256, 128, 64, 32, 16)):
        super().__init__()
        self.encoder, self.features = encoder, features
        s2, s4, s8, s16, s32 = channels
        inputs = [s32 + s16, widths[0] + s8, widths[1] + s4, widths[2] + s2, widths[3]]
        self.blocks = nn.ModuleList(Block(a, b) for a, b in zip(inputs, widths))
        self.head = nn.Conv2d(widths[-1], 2, 3, padding=1)

    def forward(self, x):
        features = self.features(self.encoder, x)
        x = features.pop()
        for block in self.blocks:
            x = block(x, features.pop() if features else None)
        return self.head(x)


def resnet(model, x):
    x = model.relu(model.bn1(model.conv1(x)))
    features = [x]
    x = model.maxpool(x)
    for layer in [model.layer1, model.layer2, model.layer3, model.layer4]:
        x = layer(x)
        features.append(x)
    return features


def efficientnet(model, x):
    x = model._swish(model._bn0(model._conv_stem(x)))
    features = [x]
    for index, block in enumerate(model._blocks):
        x = block(x)
        if index in (2, 4, 10, 15):
            features.append(x)
    return features


def networks():
    import torchvision
    from efficientnet_lite_pytorch import EfficientNet

    yield "U-Net EfficientNet-Lite0, 4 x 256 px", Unet(
        EfficientNet.from_name("efficientnet-lite0"), efficientnet, (32, 24, 40, 112, 320)
    )
    yield "U-Net ResNet-18, 4 x 256 px", Unet(torchvision.models.resnet18(), resnet, (64, 64, 128, 256, 512))


def retinanet():
    """With plain batch norms, two classes and images of their own size, as ours."""
    from torchvision.models.detection import RetinaNet
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
    from torchvision.models.detection.retinanet import _default_anchorgen
    from torchvision.ops.feature_pyramid_network import LastLevelP6P7

    backbone = resnet_fpn_backbone(
        backbone_name="resnet18", weights=None, norm_layer=nn.BatchNorm2d, trainable_layers=5,
        returned_layers=[2, 3, 4], extra_blocks=LastLevelP6P7(256, 256),
    )
    size = dict(min_size=512, max_size=512)
    return "RetinaNet ResNet-18, 2 x 512 px", RetinaNet(backbone, 2, anchor_generator=_default_anchorgen(), **size)


def objects():
    found = []
    for index in range(20):
        x, y, side = index * 83 % 390, index * 47 % 390, 20 + index * 5
        found.append([x, y, x + side, y + side])
    return [{"boxes": torch.tensor(found, dtype=torch.float32), "labels": torch.ones(20, dtype=torch.int64)} for _ in range(2)]


def step(name, network, count, loss_of, repeats):
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    network.train()
    times = [1e9] * 3
    for _ in range(repeats):
        optimizer.zero_grad()
        marks = [clock()]
        loss = loss_of()
        marks.append(clock())
        loss.backward()
        marks.append(clock())
        optimizer.step()
        marks.append(clock())
        times = [min(t, b - a) for t, a, b in zip(times, marks, marks[1:])]
    forward, backward, last = (1e3 * t for t in times)
    print(f"{name}: forward {forward:.0f} ms, backward {backward:.0f} ms, AdamW {last:.0f} ms; "
          f"{count / sum(times):.2f} images/s", flush=True)


if "steps" in MODES:
    for name, network in networks():
        images, labels = torch.randn(4, 3, 256, 256), torch.randn(4, 2, 256, 256)
        step(name, network, 4, lambda: (network(images) * labels).mean(), 4)
    name, network = retinanet()
    images = list(torch.rand(2, 3, 512, 512))
    step(name, network, 2, lambda: sum(network(images, objects()).values()), 4)

if "inference" in MODES:
    with torch.no_grad():
        for name, network in networks():
            images = torch.randn(4, 3, 256, 256)
            network.eval()
            time_of = best(lambda: network(images))
            print(f"{name}: {time_of:.0f} ms; {4e3 / time_of:.2f} images/s", flush=True)
        name, network = retinanet()
        network.eval()
        images = list(torch.rand(2, 3, 512, 512))
        time_of = best(lambda: network(images))
        print(f"{name}: {time_of:.0f} ms; {2e3 / time_of:.2f} images/s", flush=True)

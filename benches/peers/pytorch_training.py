"""PyTorch's side of the training bench: U-Net with a ResNet-18 encoder, the same layers and decoder widths as ours, AdamW,
cross-entropy + dice, 256 px, batch 4, two threads. Prints the median of the images per second.

usage: pytorch_training.py [--steps 12] [--threads 2]
"""

import argparse
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

WIDTHS = [256, 128, 64, 32, 16]


def conv(inputs, outputs, kernel=3, stride=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs), nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class DecoderBlock(nn.Sequential):
    def __init__(self, inputs, outputs):
        super().__init__(conv(inputs, outputs), nn.BatchNorm2d(outputs), nn.ReLU(),
                         conv(outputs, outputs), nn.BatchNorm2d(outputs), nn.ReLU())


class Unet(nn.Module):
    def __init__(self, bands, classes):
        super().__init__()
        self.conv1, self.bn1 = conv(bands, 64, 7, 2), nn.BatchNorm2d(64)
        sizes = [64, 64, 128, 256, 512]
        self.layers = nn.ModuleList(
            nn.Sequential(BasicBlock(sizes[i], sizes[i + 1], 1 if i == 0 else 2), BasicBlock(sizes[i + 1], sizes[i + 1], 1))
            for i in range(4)
        )
        skips = [256, 128, 64, 64, 0]
        inputs = [512 + skips[0]] + [WIDTHS[i] + skips[i + 1] for i in range(4)]
        self.decoder = nn.ModuleList(DecoderBlock(i, o) for i, o in zip(inputs, WIDTHS))
        self.head = nn.Conv2d(WIDTHS[-1], classes, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        features = [x]
        x = F.max_pool2d(x, 3, 2, 1)
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        x = features.pop()
        for block in self.decoder:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            if features:
                x = torch.cat([x, features.pop()], 1)
            x = block(x)
        return self.head(x)


def loss_of(logits, labels):
    scores = logits.softmax(1)
    truth = F.one_hot(labels, logits.shape[1]).permute(0, 3, 1, 2).float()
    overlap = (scores * truth).sum((0, 2, 3))
    dice = 1 - (2 * overlap + 1) / (scores.sum((0, 2, 3)) + truth.sum((0, 2, 3)) + 1)
    return F.cross_entropy(logits, labels) + dice.mean()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    model = Unet(3, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    images = torch.randn(4, 3, 256, 256)
    labels = torch.randint(0, 2, (4, 256, 256))
    times = []
    for _ in range(options.steps + 2):
        began = time.monotonic()
        optimizer.zero_grad()
        loss_of(model(images), labels).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        times.append(time.monotonic() - began)
    print(f"pytorch {torch.__version__}: {4 / statistics.median(times[2:]):.3f} images/s")


if __name__ == "__main__":
    main()

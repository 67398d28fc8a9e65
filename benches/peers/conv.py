"""Convolutions and training steps in PyTorch on the CPU: the peer of benches/conv.rs.

python benches/peers/conv.py [threads]: milliseconds of processor time a call when `threads` is 1, of wall time otherwise;
the best of several. Needs torch and, for the steps, torchvision and efficientnet_lite_pytorch.
"""
import sys
import time

import torch
import torch.nn.functional as F

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


print(f"{'ms':26} {'forward':>8} {'+ grads':>8}")
for name, cin, cout, size, k, groups, stride in SHAPES:
    x, w = torch.randn(4, cin, size, size), torch.randn(cout, cin // groups, k, k)
    options = dict(stride=stride, padding=k // 2, groups=groups)
    with torch.no_grad():
        forward = best(lambda: F.conv2d(x, w, **options))
    x.requires_grad_(), w.requires_grad_()

    def both():
        x.grad = w.grad = None
        F.conv2d(x, w, **options).sum().backward()

    print(f"{name:26} {forward:8.2f} {best(both):8.2f}", flush=True)

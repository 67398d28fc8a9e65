"""Writes tests/fixtures/detection/{pieces,models}.json: what torchvision's detection parts and detectors compute.

pip install torch torchvision; python tests/python/make_detection_fixtures.py

Inputs and weights come from `noise` and `formula`, which src/models/oracle_tests.rs and src/models/detection/oracle_tests.rs repeat, so
that no weights need to be stored. The images have their final size: torchvision's resizing and normalizing are switched off.
"""
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torchvision.models.detection import FasterRCNN, RetinaNet, _utils
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.detection.retinanet import _default_anchorgen
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import FrozenBatchNorm2d, MultiScaleRoIAlign, box_iou, generalized_box_iou_loss, roi_align
from torchvision.ops import sigmoid_focal_loss
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from oracles import fill, images, noise, numbers, summary

torch.manual_seed(0)
torch.set_num_threads(2)
FOLDER = Path(__file__).parents[1] / "fixtures/detection"


def array(name, *shape):
    return torch.from_numpy(noise(name, int(np.prod(shape))).reshape(shape))


def formula(name, shape):
    values = noise(name, int(np.prod(shape))).reshape(shape)
    if len(shape) in (2, 4):
        # The last layers are weaker, so that no score saturates and no box explodes.
        last = any(part in name for part in ("cls_logits", "bbox_reg", "bbox_pred", "cls_score"))
        return values * np.float32((0.3 if last else 1.0) * np.sqrt(24.0 / np.prod(shape[1:])))
    if name.endswith("running_var"):
        return np.float32(1) + np.float32(0.4) * values
    if name.endswith(("bn2.weight", "bn3.weight")):
        # The blocks' branches are weaker than their shortcuts: fixed statistics keep nothing else in bounds.
        return np.float32(0.4) + np.float32(0.1) * values
    if name.endswith("weight"):
        return np.float32(1) + np.float32(0.2) * values
    return np.float32(0.2) * values


def boxes(name, count, size, smallest=2.0):
    """Boxes of many sizes, some beyond a square image of `size` pixels."""
    values = array(name, count, 4)
    center = (values[:, :2] + 0.5) * size
    extent = smallest + (values[:, 2:] + 0.5) ** 2 * size * 0.6
    return torch.cat([center - extent / 2, center + extent / 2], 1)


def pieces():
    found = {}
    maps, image = [[13, 19], [7, 10], [4, 5], [2, 3], [1, 2]], [104, 152]
    # The stride is the image's size by the map's, as the detectors' padded images have it.
    padded = torchvision.models.detection.image_list.ImageList(torch.zeros(1, 3, *image), [tuple(image)])
    features = [torch.zeros(1, 1, *size) for size in maps]
    sizes = {"retinanet": _default_anchorgen(), "faster_rcnn": AnchorGenerator(tuple((s,) for s in (32, 64, 128, 256, 512)), ((0.5, 1.0, 2.0),) * 5)}
    found["anchors"] = {
        name: {"cells": [numbers(cell) for cell in generator.cell_anchors], "grid": summary(generator(padded, features)[0])}
        for name, generator in sizes.items()
    }

    objects, candidates = boxes("objects", 9, 100.0), boxes("candidates", 200, 100.0)
    found["matcher"] = []
    for high, low, keep in [(0.5, 0.4, True), (0.7, 0.3, True), (0.5, 0.5, False)]:
        matches = _utils.Matcher(high, low, allow_low_quality_matches=keep)(box_iou(objects, candidates))
        found["matcher"].append({"object_iou": high, "background_iou": low, "keep_best": keep, "matches": matches.tolist()})

    found["coder"] = []
    targets, references, offsets = boxes("targets", 12, 80.0), boxes("references", 12, 80.0), array("offsets", 12, 4) * 20
    for weights in [(1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)]:
        coder = _utils.BoxCoder(weights)
        scaled = (offsets * torch.tensor(weights) / 4).requires_grad_()
        decoded = coder.decode_single(scaled, references)
        (decoded * array("upstream", 12, 4)).sum().backward()
        found["coder"].append({
            "weights": weights, "encoded": numbers(coder.encode_single(targets, references)),
            "decoded": numbers(decoded), "gradient": numbers(scaled.grad),
        })

    found["losses"] = {}

    def loss(name, run, inputs):
        inputs = inputs.clone().requires_grad_()
        value = run(inputs)
        (value * array("upstream", *value.shape)).sum().backward()
        found["losses"][name] = {"values": numbers(value), "gradient": numbers(inputs.grad)}

    scores = array("scores", 12, 4) * 16
    scores[0, 0] = 0.0
    wanted = (array("wanted", 12, 4) > 0.2).float()
    loss("focal", lambda x: sigmoid_focal_loss(x, wanted), scores)
    loss("focal_3", lambda x: sigmoid_focal_loss(x, wanted, alpha=0.6, gamma=3.0), scores)
    loss("binary_cross_entropy", lambda x: F.binary_cross_entropy_with_logits(x, wanted, reduction="none"), scores)
    for name, beta in [("l1", 0.0), ("smooth_l1", 1.0), ("smooth_l1_ninth", 1 / 9)]:
        loss(name, lambda x: F.smooth_l1_loss(x, array("wanted", 12, 4), beta=beta, reduction="none"), array("found", 12, 4) * 4)
    loss("giou", lambda x: generalized_box_iou_loss(x, targets), boxes("references", 12, 80.0))
    labels = torch.arange(12) * 5 % 4
    loss("cross_entropy", lambda x: F.cross_entropy(x, labels, reduction="none"), scores)

    features = array("features", 2, 3, 13, 17).requires_grad_()
    rois = torch.cat([(torch.arange(10) % 2)[:, None].float(), boxes("rois", 10, 70.0, smallest=0.5)], 1)
    rois[0, 1:] = torch.tensor([-40.0, -30.0, -20.0, -10.0])
    rois[1, 1:] = torch.tensor([10.0, 20.0, 10.0, 20.0])
    output = roi_align(features, rois, 7, 0.25, 2, aligned=False)
    (output * array("upstream", *output.shape)).sum().backward()
    found["roi_align"] = {"boxes": numbers(rois[:, 1:]), "output": summary(output), "gradient": summary(features.grad)}

    levels = {str(i): array(f"level{i}", 2, 4, 128 >> i, 160 >> i).requires_grad_() for i in range(4)}
    of_images = [boxes("first", 12, 500.0), boxes("second", 7, 500.0)]
    output = MultiScaleRoIAlign(["0", "1", "2", "3"], 7, 2)(levels, of_images, [(500, 636), (512, 640)])
    (output * array("upstream", *output.shape)).sum().backward()
    found["levels"] = {
        "boxes": [numbers(b) for b in of_images], "output": summary(output),
        "gradients": [summary(level.grad) for level in levels.values()],
    }
    return found


def backbone(name, frozen, layers, extra):
    norm = FrozenBatchNorm2d if frozen else torch.nn.BatchNorm2d
    return resnet_fpn_backbone(backbone_name=name, weights=None, norm_layer=norm, trainable_layers=5, returned_layers=layers, extra_blocks=extra)


def targets():
    first = torch.tensor([[10.0, 12.0, 42.0, 50.0], [50.0, 20.0, 70.0, 36.0], [5.0, 60.0, 100.0, 90.0]])
    second = torch.tensor([[80.0, 8.0, 124.0, 44.0]])
    return [{"boxes": first, "labels": torch.tensor([1, 2, 2])}, {"boxes": second, "labels": torch.tensor([2])}]


def detector(model, size, watched, outputs, rate):
    model.transform = GeneralizedRCNNTransform(1, 1, [0.0] * 3, [1.0] * 3)
    model.transform.resize = lambda image, target: (image, target)
    fill(model, formula)
    if isinstance(model, RetinaNet):
        # Nothing trains the background's own score, and nobody wants it among the detections.
        model.head.classification_head.cls_logits.bias.data[::3] -= 10
    x = images(*size)
    model.eval()
    with torch.no_grad():
        features = model.backbone(x)
        heads = [summary(output) for output in outputs(model, list(features.values()))]
        detections = model([*images(size[0] - 6, size[1] - 9)])
    # RetinaNet keeps boxes that cutting to the image has left without area; ours does not.
    for found in detections:
        sound = (found["boxes"][:, 2:] > found["boxes"][:, :2]).all(1)
        found.update({key: value[sound][:300] for key, value in found.items()})
    model.train()
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=rate)
    losses = model([*x], targets())
    print({name: value.item() for name, value in losses.items()}, [len(d["scores"]) for d in detections])
    sum(losses.values()).backward()
    parameters = dict(model.named_parameters())
    gradients = {name: summary(parameters[name].grad) for name in watched}
    optimizer.step()
    return {
        "size": list(size), "heads": heads, "rate": rate,
        "detections": [
            {"boxes": numbers(d["boxes"][:40]), "scores": numbers(d["scores"][:40]), "labels": d["labels"][:40].tolist(), "count": len(d["scores"])}
            for d in detections
        ],
        "losses": {name: value.item() for name, value in losses.items()},
        "gradients": gradients,
        "after": {name: summary(parameters[name]) for name in watched},
    }


def retinanet(name, frozen):
    model = RetinaNet(backbone(name, frozen, [2, 3, 4], LastLevelP6P7(256, 256)), 3, score_thresh=0.5, detections_per_img=5000)
    watched = [
        "backbone.body.conv1.weight", "backbone.body.layer3.0.downsample.0.weight", "backbone.body.layer4.1.conv2.weight",
        "backbone.fpn.inner_blocks.1.0.weight", "backbone.fpn.extra_blocks.p6.weight", "head.classification_head.conv.2.0.weight",
        "head.classification_head.cls_logits.bias", "head.regression_head.bbox_reg.weight",
    ] + ([] if frozen else ["backbone.body.bn1.weight", "backbone.body.layer4.0.bn2.bias"])
    return detector(model, (96, 128), watched, lambda m, f: list(m.head(f).values()), 0.01)


def faster_rcnn(name):
    # All candidates are taken, so that torchvision's random choice among them plays no part.
    everything = dict(rpn_batch_size_per_image=100000, box_batch_size_per_image=100000, rpn_pre_nms_top_n_train=120,
        rpn_pre_nms_top_n_test=120, rpn_post_nms_top_n_train=60, rpn_post_nms_top_n_test=60)
    model = FasterRCNN(backbone(name, True, None, None), 3, **everything)
    watched = [
        "backbone.body.conv1.weight", "backbone.body.layer4.1.conv2.weight", "backbone.fpn.layer_blocks.0.0.weight",
        "rpn.head.conv.0.0.weight", "rpn.head.bbox_pred.weight", "roi_heads.box_head.fc6.weight", "roi_heads.box_head.fc7.bias",
        "roi_heads.box_predictor.cls_score.weight", "roi_heads.box_predictor.bbox_pred.bias",
    ]

    def outputs(model, features):
        objectness, offsets = model.rpn.head(features)
        rois = [boxes("rois", 6, 90.0), boxes("more", 3, 90.0)]
        pooled = model.roi_heads.box_roi_pool(dict(zip("0123", features)), rois, [(96, 128)] * 2)
        return [*objectness, *offsets, *model.roi_heads.box_predictor(model.roi_heads.box_head(pooled))]

    return detector(model, (96, 128), watched, outputs, 0.01)


FOLDER.mkdir(exist_ok=True)
(FOLDER / "pieces.json").write_text(json.dumps(pieces()) + "\n")
models = {
    "retinanet_resnet18": retinanet("resnet18", False),
    "retinanet_resnet50": retinanet("resnet50", True),
    "faster_rcnn_resnet50": faster_rcnn("resnet50"),
}
(FOLDER / "models.json").write_text(json.dumps(models) + "\n")

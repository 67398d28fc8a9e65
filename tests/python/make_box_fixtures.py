"""Makes tests/fixtures/boxes: what pycocotools and ensemble-boxes say about random boxes.

Needs numpy, pycocotools 2.0.11 and ensemble-boxes 1.0.9:
    python tests/python/make_box_fixtures.py
"""

import contextlib
import io
import json
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "boxes"


def detections(random, objects, classes, extent):
    """Boxes around random objects, several for most of them, with different scores."""
    rows = []
    for _ in range(objects):
        x, y = random.uniform(0, extent * 0.9, 2)
        width, height = random.uniform(extent * 0.02, extent * 0.1, 2)
        kind = int(random.integers(1, classes + 1))
        for _ in range(int(random.integers(1, 6))):
            off = random.normal(0, 0.08, 4) * [width, height, width, height]
            box = np.array([x, y, x + width, y + height]) + off
            if box[2] > box[0] and box[3] > box[1]:
                rows.append([*np.clip(box, 0, extent).round(2), kind, float(np.float32(random.uniform(0.05, 1)))])
    random.shuffle(rows)
    return rows


def merging():
    """ensemble-boxes counts from 0 to 1, our boxes in pixels."""
    from ensemble_boxes import nms, weighted_boxes_fusion
    from ensemble_boxes.ensemble_boxes_nms import cpu_soft_nms_float

    extent = 512.0
    rows = np.array(detections(np.random.default_rng(3), 60, 3, extent))
    boxes, kinds, scores = rows[:, :4] / extent, rows[:, 4].astype(int), rows[:, 5]

    def table(boxes, kinds, scores):
        order = np.argsort(-scores, kind="stable")
        joined = [[*(boxes[i] * extent), int(kinds[i]), float(scores[i])] for i in order]
        return [[round(float(value), 8) for value in row] for row in joined]

    def plain():
        found, values, labels = nms([boxes], [scores], [kinds], iou_thr=0.5)
        return table(found, labels, values)

    def soft(sigma, least):
        # Its public function returns the scores as they were before; they are lowered in place.
        parts = []
        for kind in np.unique(kinds):
            chosen, values = boxes[kinds == kind].copy(), scores[kinds == kind].copy()
            keep = cpu_soft_nms_float(chosen.copy(), values, Nt=0.5, sigma=sigma, thresh=least, method=2)
            for box, value in zip(chosen[keep], values[values > least], strict=True):
                parts.append((box, kind, value))
        return table(*(np.array(column) for column in zip(*parts)))

    def weighted(models):
        # Boxes of one list each, dealt out to the models; only their number enters the result.
        dealt = [range(model, len(boxes), models) for model in range(models)]
        found, values, labels = weighted_boxes_fusion(
            [boxes[list(own)] for own in dealt],
            [scores[list(own)] for own in dealt],
            [kinds[list(own)] for own in dealt],
            iou_thr=0.55,
        )
        return table(found, labels, values)

    return {
        "detections": rows.tolist(),
        "nms": plain(),
        "soft": soft(0.5, 0.05),
        "weighted": weighted(1),
        "weighted_of_three": weighted(3),
    }


def models():
    """What three models find in one image, suppressed as each does alone, and fused: the second misses every second
    object, the third finds things that are not there."""
    from ensemble_boxes import nms, weighted_boxes_fusion

    extent, iou, least, random = 512.0, 0.55, 0.05, np.random.default_rng(9)
    places = [(*random.uniform(0, extent * 0.85, 2), *random.uniform(20, 60, 2)) for _ in range(30)]
    kinds = random.integers(1, 4, len(places))
    lists = []
    for model in range(3):
        rows = []
        for at, ((x, y, width, height), kind) in enumerate(zip(places, kinds, strict=True)):
            if model == 1 and at % 2:
                continue
            off = random.normal(0, 0.05, 4) * [width, height, width, height]
            box = np.clip(np.array([x, y, x + width, y + height]) + off, 0, extent).round(2)
            rows.append([*box, int(kind), float(np.float32(random.uniform(0.1, 1)))])
        if model == 2:
            for _ in range(8):
                x, y = random.uniform(0, extent * 0.9, 2).round(2)
                rows.append([x, y, x + 30, y + 20, int(random.integers(1, 4)), float(np.float32(random.uniform(0.1, 0.5)))])
        rows = np.array(rows)
        found, values, labels = nms([rows[:, :4] / extent], [rows[:, 5]], [rows[:, 4].astype(int)], iou_thr=0.5)
        lists.append([[*(box * extent).round(2), int(kind), float(value)] for box, value, kind in zip(found, values, labels)])
    parts = [np.array(rows) for rows in lists]
    found, values, labels = weighted_boxes_fusion(
        [rows[:, :4] / extent for rows in parts],
        [rows[:, 5] for rows in parts],
        [rows[:, 4].astype(int) for rows in parts],
        iou_thr=iou,
    )
    order = [i for i in np.argsort(-values, kind="stable") if values[i] >= least]
    fused = [[*(found[i] * extent), int(labels[i]), float(values[i])] for i in order]
    tidy = lambda rows: [[round(float(value), 8) for value in row] for row in rows]
    return {"iou": iou, "min_score": least, "models": [tidy(rows) for rows in lists], "fused": tidy(fused)}


def random_images(random, images, classes):
    """Truth with crowds and masks' areas, and detections near and off it, some scores equal."""
    truth, found = [], []
    for image in range(1, images + 1):
        for _ in range(int(random.integers(0, 9))):
            kind = int(random.integers(1, classes + 1))
            side = float(np.exp(random.uniform(np.log(8), np.log(200))))
            box = [*random.uniform(0, 400, 2), side, side * random.uniform(0.5, 2)]
            crowd = bool(random.random() < 0.1)
            area = box[2] * box[3] * (random.uniform(0.3, 1) if random.random() < 0.3 else 1)
            truth.append((image, kind, box, crowd, area))
            for _ in range(int(random.integers(0, 4))):
                off = random.normal(0, random.uniform(0.01, 0.2), 4) * [box[2], box[3], box[2], box[3]]
                near = np.array(box) + off
                if near[2] > 1 and near[3] > 1:
                    other = kind if random.random() < 0.9 else int(random.integers(1, classes + 1))
                    found.append((image, other, near.tolist(), int(random.integers(1, 65)) / 64))
        for _ in range(int(random.integers(0, 4))):
            box = [*random.uniform(0, 400, 2), *random.uniform(5, 150, 2)]
            found.append((image, int(random.integers(1, classes + 1)), box, int(random.integers(1, 65)) / 64))
    return truth, found


def scored(truth, found, images, classes):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        labels = COCO()
        labels.dataset = {
            "images": [{"id": image} for image in range(1, images + 1)],
            "categories": [{"id": kind, "name": str(kind)} for kind in range(1, classes + 1)],
            # Ids from 1: pycocotools takes a match with annotation 0 for none.
            "annotations": [
                {"id": at + 1, "image_id": image, "category_id": kind, "bbox": box, "iscrowd": int(crowd), "area": area}
                for at, (image, kind, box, crowd, area) in enumerate(truth)
            ],
        }
        labels.createIndex()
        results = labels.loadRes([
            {"image_id": image, "category_id": kind, "bbox": list(box), "score": score}
            for image, kind, box, score in found
        ])
        evaluation = COCOeval(labels, results, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    precision = evaluation.eval["precision"]
    per_class = []
    for kind in range(classes):
        part = precision[:, :, kind, 0, 2]
        per_class.append(float(part[part > -1].mean()) if (part > -1).any() else -1.0)
    return {
        "stats": evaluation.stats.tolist(),
        "per_class": per_class,
        # Class 1, IoU 0.5 and 0.75, all areas, 100 detections.
        "curve_50": precision[0, :, 0, 0, 2].tolist(),
        "curve_75": precision[5, :, 0, 0, 2].tolist(),
    }


def coco():
    cases = []
    # A crowded case has more than 100 detections of a class in an image.
    for seed, (images, classes) in enumerate([(30, 3), (1, 1), (12, 5), (3, 2)]):
        random = np.random.default_rng(seed)
        truth, found = random_images(random, images, classes)
        if seed == 3:
            for _ in range(260):
                box = [*random.uniform(0, 400, 2), *random.uniform(5, 60, 2)]
                found.append((1, 1, box, int(random.integers(1, 65)) / 64))
        if seed == 2:
            # A class that is found but never labeled, and one that is labeled but never found.
            truth = [one for one in truth if one[1] != 4]
            found = [one for one in found if one[1] != 5]
        # Edges as our crate keeps them, so that both sides see the same numbers.
        corners = lambda box: [box[0], box[1], box[0] + box[2], box[1] + box[3]]
        back = lambda box: [box[0], box[1], box[2] - box[0], box[3] - box[1]]
        rounded = lambda box: [round(value, 3) for value in corners(box)]
        truth = [(image, kind, rounded(box), crowd, round(area, 3)) for image, kind, box, crowd, area in truth]
        found = [(image, kind, rounded(box), score) for image, kind, box, score in found]
        cases.append({
            "images": images,
            "classes": classes,
            "truth": [[image, kind, *box, int(crowd), area] for image, kind, box, crowd, area in truth],
            "found": [[image, kind, *box, score] for image, kind, box, score in found],
            **scored(
                [(image, kind, back(box), crowd, area) for image, kind, box, crowd, area in truth],
                [(image, kind, back(box), score) for image, kind, box, score in found],
                images,
                classes,
            ),
        })
    return cases


def ignored():
    """Objects and found boxes of which too little is visible, as pycocotools ignores those of another size: areas beyond
    the only range that is asked for."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    cases = []
    for seed, (images, classes) in enumerate([(30, 3), (8, 2)], start=11):
        random = np.random.default_rng(seed)
        truth, found = random_images(random, images, classes)
        hidden = [bool(random.random() < 0.35) and not one[3] for one in truth]
        cut = [bool(random.random() < 0.35) for _ in found]
        # Those that count first, as our lists have them.
        order = sorted(range(len(truth)), key=lambda at: hidden[at])
        truth, hidden = [truth[at] for at in order], [hidden[at] for at in order]
        order = sorted(range(len(found)), key=lambda at: cut[at])
        found, cut = [found[at] for at in order], [cut[at] for at in order]
        tidy = lambda box: [round(value, 3) for value in [box[0], box[1], box[0] + box[2], box[1] + box[3]]]
        back = lambda box: [box[0], box[1], box[2] - box[0], box[3] - box[1]]
        truth = [(image, kind, tidy(box), crowd) for image, kind, box, crowd, _ in truth]
        found = [(image, kind, tidy(box), score) for image, kind, box, score in found]
        with contextlib.redirect_stdout(io.StringIO()):
            labels = COCO()
            labels.dataset = {
                "images": [{"id": image} for image in range(1, images + 1)],
                "categories": [{"id": kind, "name": str(kind)} for kind in range(1, classes + 1)],
                "annotations": [
                    {"id": at + 1, "image_id": image, "category_id": kind, "bbox": back(box), "iscrowd": int(crowd),
                     "area": 1e8 if hidden[at] else 100.0}
                    for at, (image, kind, box, crowd) in enumerate(truth)
                ],
            }
            labels.createIndex()
            results = labels.loadRes([
                {"image_id": image, "category_id": kind, "bbox": back(box), "score": score}
                for image, kind, box, score in found
            ])
            for at, one in enumerate(results.dataset["annotations"]):
                one["area"] = 1e8 if cut[at] else 100.0
            evaluation = COCOeval(labels, results, "bbox")
            evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e6]], ["all"]
            evaluation.params.maxDets = [1, 10, 10000]
            evaluation.evaluate()
            evaluation.accumulate()
        precision = evaluation.eval["precision"][:, :, :, 0, 2]
        mean = lambda part: float(part[part > -1].mean()) if (part > -1).any() else -1.0
        counts = np.zeros((classes, 3), int)
        for one in filter(None, evaluation.evalImgs):
            # At an IoU of 0.5.
            counted, right = ~one["dtIgnore"][0].astype(bool), one["dtMatches"][0] > 0
            objects = int((~np.array(one["gtIgnore"], bool)).sum())
            hits = int((counted & right).sum())
            counts[one["category_id"] - 1] += [hits, int((counted & ~right).sum()), objects - hits]
        cases.append({
            "images": images,
            "classes": classes,
            # image, class, corners, crowd, ignored
            "truth": [[*one[:2], *one[2], int(one[3]), int(hidden[at])] for at, one in enumerate(truth)],
            # image, class, corners, score, cut
            "found": [[*one[:2], *one[2], one[3], int(cut[at])] for at, one in enumerate(found)],
            "ap": mean(precision),
            "ap50": mean(precision[0]),
            "per_class": [mean(precision[:, :, kind]) for kind in range(classes)],
            # Right, wrong, missed.
            "counts": counts.tolist(),
        })
    return cases


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in [("merging", merging()), ("models", models()), ("coco", coco()), ("ignored", ignored())]:
        path = FOLDER / f"{name}.json"
        path.write_text(json.dumps(content, separators=(",", ":")) + "\n")
        print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()

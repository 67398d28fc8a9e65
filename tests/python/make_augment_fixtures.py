"""Makes tests/fixtures/augment: what SciPy, OpenCV (through albumentations), colorsys and NumPy say about random images.

Needs numpy, scipy and albumentations 2.0.8 with opencv-python-headless:
    python tests/python/make_augment_fixtures.py

The formulas of torchvision that have no other home are written out here from its documentation, with elementary matrices
instead of its closed form, so that nothing of the two is shared.
"""

import colorsys
import json
import pathlib

import numpy as np
from scipy import ndimage

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "augment"
HEIGHT, WIDTH = 19, 23


def matrix(rows):
    return np.array([*rows, [0.0, 0.0, 1.0]])


def about_the_middle(angle, scale, translate, shear, width, height):
    """torchvision: M = T * C * R(a) * S(s) * SHy(sy) * SHx(sx) * C^-1, angles in degrees, y down, shears by -tan."""
    x, y = width / 2, height / 2
    sin, cos = np.sin(np.radians(angle)), np.cos(np.radians(angle))
    tan_x, tan_y = np.tan(np.radians(shear))
    to_middle = matrix([[1, 0, -x], [0, 1, -y]])
    shear_x, shear_y = matrix([[1, -tan_x, 0], [0, 1, 0]]), matrix([[1, 0, 0], [-tan_y, 1, 0]])
    turn = matrix([[scale * cos, -scale * sin, 0], [scale * sin, scale * cos, 0]])
    back = matrix([[1, 0, x + translate[0]], [0, 1, y + translate[1]]])
    return back @ turn @ shear_y @ shear_x @ to_middle


def warped(image, forward, order, outside):
    """SciPy counts from centers of pixels, rows first; ours from corners, columns first."""
    inverse = np.linalg.inv(forward)
    # Pixel center (col + 0.5, row + 0.5) of the target, to the source's, less half a pixel again.
    flip = np.array([[0, 1], [1, 0]])
    linear = flip @ inverse[:2, :2] @ flip
    offset = flip @ (inverse[:2, :2] @ [0.5, 0.5] + inverse[:2, 2] - 0.5)
    return ndimage.affine_transform(image, linear, offset, output_shape=image.shape, order=order, mode="grid-constant", cval=outside)


def maps(random):
    """Matrices with what they do to values, labels and boxes."""
    image = random.uniform(10, 200, (HEIGHT, WIDTH)).astype(np.float32)
    labels = random.integers(0, 5, (HEIGHT, WIDTH)).astype(np.uint8)
    cases = []
    for angle, scale, translate, shear in [
        (30.0, 1.1, (2.5, -1.0), (0.0, 0.0)),
        (-77.0, 1.6, (0.3, 4.2), (12.0, -7.0)),
        (160.0, 0.9, (-3.0, 0.0), (0.0, 20.0)),
        (0.0, 1.0, (5.0, 3.0), (0.0, 0.0)),
        (0.0, 1.0, (0.0, 0.0), (25.0, 0.0)),
        (5.0, 0.8, (0.0, 0.0), (3.0, 3.0)),
    ]:
        forward = about_the_middle(angle, scale, translate, shear, WIDTH, HEIGHT)
        boxes = []
        for _ in range(6):
            x, y = random.uniform(0, WIDTH - 4), random.uniform(0, HEIGHT - 4)
            box = [x, y, x + random.uniform(1, WIDTH - x), y + random.uniform(1, HEIGHT - y)]
            corners = forward @ [[box[0], box[2], box[2], box[0]], [box[1], box[1], box[3], box[3]], [1, 1, 1, 1]]
            around = [corners[0].min(), corners[1].min(), corners[0].max(), corners[1].max()]
            cut = np.clip(around, 0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
            share = max(cut[2] - cut[0], 0) * max(cut[3] - cut[1], 0) / ((around[2] - around[0]) * (around[3] - around[1]))
            boxes.append({"box": box, "moved": cut.tolist(), "share": share})
        # Beyond the centers of the outermost pixels SciPy mixes in what is outside, ours does not: not compared there.
        mask = warped(np.ones((HEIGHT, WIDTH)), forward, 1, 0.0)
        values = warped(image.astype(np.float64), forward, 1, 0.0)
        cases.append({
            "angle": angle, "scale": scale, "translate": translate, "shear": shear,
            "matrix": forward[:2].reshape(-1).tolist(),
            # Those that lie between four pixels of the source.
            "values": [float(value) if whole > 1 - 1e-9 else None for value, whole in zip(values.ravel(), mask.ravel())],
            "labels": warped(labels, forward, 0, 255).ravel().tolist(),
            "boxes": boxes,
        })
    return {"height": HEIGHT, "width": WIDTH, "image": image.ravel().tolist(), "labels": labels.ravel().tolist(), "cases": cases}


def blurs(random):
    """Gaussian filters of an image with holes: values times mask over mask."""
    image = random.uniform(0, 100, (HEIGHT, WIDTH))
    valid = (random.uniform(0, 1, (HEIGHT, WIDTH)) > 0.25).astype(np.uint8)
    image[valid == 0] = 0
    cases = []
    for sigma in [0.3, 0.8, 1.5, 4.0]:
        smooth = {"sigma": sigma, "mode": "constant", "truncate": 4.0}
        weights = ndimage.gaussian_filter(valid.astype(float), **smooth)
        blurred = np.where(valid, ndimage.gaussian_filter(image, **smooth) / np.where(weights > 0, weights, 1), 0)
        cases.append({"sigma": sigma, "values": blurred.ravel().tolist()})
    return {"image": image.ravel().tolist(), "valid": valid.ravel().tolist(), "cases": cases}


def colors(random):
    """Hues turned by colorsys, saturation by torchvision's blend with BT.601's gray."""
    pixels = random.uniform(0, 1, (60, 3)).astype(np.float32)
    pixels[:8] = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1], [0.5, 0.5, 0.5], [0, 0, 0]]
    hues = []
    for share in [-0.5, -0.3, -0.05, 0.1, 0.25, 0.5]:
        turned = []
        for red, green, blue in pixels.astype(float):
            hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
            turned.append(colorsys.hsv_to_rgb((hue + share) % 1.0, saturation, value))
        hues.append({"share": share, "pixels": np.array(turned).ravel().tolist()})
    gray = pixels.astype(float) @ [0.2989, 0.587, 0.114]
    saturations = [
        {"factor": factor, "pixels": (factor * pixels + (1 - factor) * gray[:, None]).ravel().tolist()}
        for factor in [0.0, 0.6, 1.0, 1.4]
    ]
    return {"pixels": pixels.ravel().tolist(), "hues": hues, "saturations": saturations}


def holes(random):
    """How much of a box lies under holes, by the overlap of intervals."""
    size, cases = 64, []
    for _ in range(40):
        hidden = np.zeros((size, size))
        rows, columns = [], []
        for _ in range(int(random.integers(1, 4))):
            height, width = random.integers(5, 30, 2)
            top, left = random.integers(0, size - height), random.integers(0, size - width)
            hidden[top:top + height, left:left + width] = 1
            rows.append([int(top), int(top + height)])
            columns.append([int(left), int(left + width)])
        x, y = random.uniform(0, size - 12, 2)
        box = [x, y, x + random.uniform(2, 12), y + random.uniform(2, 12)]
        along = [np.clip(np.minimum(np.arange(size) + 1, high) - np.maximum(np.arange(size), low), 0, None)
                 for low, high in [(box[1], box[3]), (box[0], box[2])]]
        share = (np.outer(*along) * hidden).sum() / ((box[2] - box[0]) * (box[3] - box[1]))
        cases.append({"rows": rows, "columns": columns, "box": box, "hidden": share})
    return {"size": size, "cases": cases}


def gammas(random):
    """albumentations' RandomGamma on floats from 0 to 1, which are the percentiles here."""
    import albumentations

    values = random.uniform(0, 1, 50).astype(np.float32)
    cases = []
    for gamma in [0.5, 0.8, 1.0, 1.2, 2.5]:
        change = albumentations.RandomGamma(gamma_limit=(gamma * 100, gamma * 100), p=1.0)
        cases.append({"gamma": gamma, "values": change(image=values.reshape(5, 10))["image"].ravel().tolist()})
    return {"values": values.tolist(), "cases": cases}


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    return [rounded(part) for part in value] if isinstance(value, (list, tuple)) else value


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = {
        "maps": maps(np.random.default_rng(1)),
        "blurs": blurs(np.random.default_rng(2)),
        "colors": colors(np.random.default_rng(3)),
        "holes": holes(np.random.default_rng(4)),
        "gammas": gammas(np.random.default_rng(5)),
    }
    for name, content in made.items():
        (FOLDER / f"{name}.json").write_text(json.dumps(rounded(content)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

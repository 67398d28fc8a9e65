"""Makes tests/fixtures/training.json: what PyTorch computes for the optimizers, schedules, averages and losses that
`src/train` has of its own, and fastai for the learning-rate finder.

    python tests/python/make_training.py fastai-2.8.12-py3-none-any.whl

needs torch (2.15.0 made the file); the wheel (`pip download --no-deps fastai==2.8.12`) is only read for three functions.
"""

import json
import math
import re
import sys
import zipfile
from pathlib import Path

import torch
from torch import nn
from torch.optim import lr_scheduler as S

torch.set_default_dtype(torch.float32)


def wave(count, phase):
    """Numbers that a reader can make again: no generator of another language needed."""
    return [math.sin(1.7 * i + phase) for i in range(count)]


def optimizers():
    """Six clipped steps on a matrix (decayed) and a vector (not decayed), with a rate of its own each step."""
    rates = [0.01, 0.02, 0.05, 0.03, 0.02, 0.01]
    cases = []
    settings = [
        ("adamw", {}, 0.1),
        ("sgd", {"momentum": 0.0}, 0.1),
        ("sgd", {"momentum": 0.9}, 0.0),
        ("sgd", {"momentum": 0.9}, 0.1),
        ("sgd", {"momentum": 0.9, "nesterov": True}, 0.1),
    ]
    for name, options, decay in settings:
        weight = nn.Parameter(torch.tensor(wave(6, 0.0)).reshape(2, 3))
        bias = nn.Parameter(torch.tensor(wave(3, 1.0)))
        groups = [{"params": [weight], "weight_decay": decay}, {"params": [bias], "weight_decay": 0.0}]
        maker = torch.optim.AdamW if name == "adamw" else torch.optim.SGD
        optimizer = maker(groups, lr=0.01, **options)
        steps = []
        for step, rate in enumerate(rates):
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.zero_grad()
            # Two batches a step, as in gradient accumulation; the second depends on the weights.
            first = (weight * torch.tensor(wave(6, step)).reshape(2, 3)).sum() + (bias**2).sum()
            (first / 2).backward()
            second = ((weight**2) * (step + 1.0)).sum() + (bias * torch.tensor(wave(3, step))).sum()
            (second / 2).backward()
            nn.utils.clip_grad_norm_([weight, bias], 2.0)
            optimizer.step()
            steps.append([*weight.detach().flatten().tolist(), *bias.detach().tolist()])
        cases.append({"name": name, **options, "decay": decay, "rates": rates, "clip": 2.0, "steps": steps})
    return cases


def rates(make, steps):
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.02)
    scheduler = make(optimizer)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def warmed(after, warm_up):
    """LinearLR over `warm_up` steps from 1/(warm_up + 1) of the rate, then `after`."""

    def make(optimizer):
        first = S.LinearLR(optimizer, start_factor=1 / (warm_up + 1), total_iters=warm_up)
        return S.SequentialLR(optimizer, [first, after(optimizer)], milestones=[warm_up])

    return make


def schedules():
    """Twenty steps at a highest rate of 0.02; `warm_up` is the share of the steps."""
    n = 20
    return [
        {"name": "one-cycle", "warm_up": 0.3, "rates": one_cycle(0.02, n)},
        {"name": "cosine", "warm_up": 0.0, "rates": rates(lambda o: S.CosineAnnealingLR(o, T_max=n), n)},
        {"name": "cosine", "warm_up": 0.25,
         "rates": rates(warmed(lambda o: S.CosineAnnealingLR(o, T_max=n - 5), 5), n)},
        {"name": "poly", "power": 0.9, "warm_up": 0.0,
         "rates": rates(lambda o: S.PolynomialLR(o, total_iters=n, power=0.9), n)},
        {"name": "poly", "power": 2.0, "warm_up": 0.25,
         "rates": rates(warmed(lambda o: S.PolynomialLR(o, total_iters=n - 5, power=2.0), 5), n)},
        {"name": "constant", "warm_up": 0.0, "rates": rates(lambda o: S.ConstantLR(o, factor=1.0, total_iters=1), n)},
        {"name": "constant", "warm_up": 0.25,
         "rates": rates(warmed(lambda o: S.ConstantLR(o, factor=1.0, total_iters=1), 5), n)},
    ]


def one_cycle(highest, steps):
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.1, momentum=0.9)
    scheduler = S.OneCycleLR(optimizer, highest, total_steps=steps)
    found = [optimizer.param_groups[0]["lr"]]
    for _ in range(steps - 1):
        optimizer.step()
        scheduler.step()
        found.append(optimizer.param_groups[0]["lr"])
    return found


def plateau():
    """The rate after each validation loss."""
    losses = [1.0, 0.9, 0.9, 0.89995, 0.95, 0.8, 0.81, 0.82, 0.83, 0.84, 0.7, 0.70001, 0.71, 0.72, 0.73, 0.74, 0.75]
    cases = []
    for factor, patience in [(0.1, 2), (0.5, 0), (0.5, 3)]:
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.02)
        scheduler = S.ReduceLROnPlateau(optimizer, factor=factor, patience=patience)
        found = []
        for loss in losses:
            scheduler.step(loss)
            found.append(optimizer.param_groups[0]["lr"])
        cases.append({"factor": factor, "patience": patience, "losses": losses, "rates": found})
    return cases


def averages():
    """Averaged weights after each of eight updates; the decay is min(decay, (1 + n) / (10 + n)) at update n = 0, 1, …"""
    cases = []
    for decay in [0.999, 0.5]:
        module = nn.Linear(3, 2)
        averaged = torch.optim.swa_utils.AveragedModel(
            module, avg_fn=lambda old, new, n: torch.lerp(new, old, min(decay, (1.0 + int(n)) / (10.0 + int(n)))))
        found = []
        for step in range(8):
            with torch.no_grad():
                module.weight.copy_(torch.tensor(wave(6, step)).reshape(2, 3))
                module.bias.copy_(torch.tensor(wave(2, step + 0.5)))
            averaged.update_parameters(module)
            found.append([*averaged.module.weight.detach().flatten().tolist(),
                          *averaged.module.bias.detach().tolist()])
        cases.append({"decay": decay, "steps": found})
    return cases


def lovasz_grad(sorted_truth):
    """Berman et al., The Lovász-Softmax loss (2018): their Algorithm 1."""
    total = sorted_truth.sum()
    intersection = total - sorted_truth.cumsum(0)
    union = total + (1 - sorted_truth).cumsum(0)
    jaccard = 1.0 - intersection / union
    jaccard[1:] = jaccard[1:] - jaccard[:-1]
    return jaccard


def lovasz(logits, truth, weights=None):
    """Over all pixels of the batch together, classes of the batch only, as the authors' `classes='present'`."""
    classes = logits.shape[1]
    probabilities = logits.softmax(1).movedim(1, -1).reshape(-1, classes)
    truth = truth.flatten()
    kept = truth != 255
    probabilities, truth = probabilities[kept], truth[kept]
    total, weight = 0.0, 0.0
    for c in range(classes):
        mine = (truth == c).double()
        if mine.sum() == 0:
            continue
        errors, order = (mine - probabilities[:, c]).abs().sort(descending=True)
        w = 1.0 if weights is None else weights[c]
        total = total + w * torch.dot(errors, lovasz_grad(mine[order]))
        weight = weight + w
    return total / weight


def focal(logits, truth, gamma, weights=None):
    """-(1 - p)^gamma log p of the true class, weighted and averaged as torch's cross-entropy is."""
    kept = truth != 255
    logs = logits.log_softmax(1)
    picked = logs.gather(1, truth.where(kept, 0)[:, None])[:, 0]
    w = kept.double() if weights is None else kept * weights[truth.where(kept, 0)]
    return -(w * (1 - picked.exp()) ** gamma * picked).sum() / w.sum()


def losses():
    """Two images of 4 x 4 pixels, four classes of which one is absent, some pixels ignored; values and gradients."""
    # No two pixels alike: the order of equal errors is anybody's choice.
    x = torch.tensor(wave(2 * 4 * 16, 0.2), dtype=torch.float64).reshape(2, 4, 4, 4) * 2
    truth = torch.tensor([[0, 1, 2, 255, 1][i * 7 % 5] for i in range(32)]).reshape(2, 4, 4)
    weights = torch.tensor([0.5, 2.0, 1.0, 3.0], dtype=torch.float64)
    cases = []
    for name, make in [
        ("focal 2", lambda x, w: focal(x, truth, 2.0, w)),
        ("focal 0.5", lambda x, w: focal(x, truth, 0.5, w)),
        ("lovasz", lambda x, w: lovasz(x, truth, w)),
    ]:
        for w in [None, weights]:
            leaf = x.clone().requires_grad_()
            loss = make(leaf, w)
            loss.backward()
            cases.append({"name": name, "weighted": w is not None, "value": loss.item(),
                          "gradient": leaf.grad.flatten().tolist()})
    return {"truth": truth.flatten().tolist(), "weights": weights.tolist(), "cases": cases}


def finder(wheel):
    """fastai's own suggestions for a smoothed loss that falls, wavers, and rises."""
    source = zipfile.ZipFile(wheel).read("fastai/callback/schedule.py").decode()
    scope = {"torch": torch}
    for name in ["valley", "minimum", "steep"]:
        body = re.search(rf"^def {name}\(.*?(?=^# %%)", source, re.M | re.S).group(0)
        exec(body.replace(":list", "").replace(":int", "").replace(":float", "").replace(" -> (float, tuple)", ""), scope)
    cases = []
    for wobble in [0.0, 0.05, 0.3]:
        n = 85
        lrs = [1e-7 * (10 / 1e-7) ** ((10 + i) / 100) for i in range(n)]
        curve = [2.0 - 1.2 / (1 + math.exp(-(i - 40.3) / 5)) + max(0, i - 70) ** 2 / 60 + wobble * math.sin(i * 1.3) for i in range(n)]
        rates, values = torch.tensor(lrs), torch.tensor(curve)
        cases.append({"rates": lrs, "losses": curve,
                      **{name: float(scope[name](rates, values, 100)[0]) for name in ["valley", "minimum", "steep"]}})
    return cases


target = Path(__file__).parents[1] / "fixtures" / "training.json"
found = {"torch": torch.__version__, "optimizers": optimizers(), "schedules": schedules(), "plateau": plateau(),
         "averages": averages(), "losses": losses(), "finder": finder(sys.argv[1])}


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


target.write_text(json.dumps(rounded(found)).replace('], "', '],\n"') + "\n")
print(target, target.stat().st_size, "bytes")

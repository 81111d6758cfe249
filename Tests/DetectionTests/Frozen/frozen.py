"""Writes aum.json and cleanlab.json: what the packages of these names make of a few small cases.

The tests compare with these files, so that they need no Python. To make them again, with other versions:
python3 -m venv venv && venv/bin/pip install numpy torch aum==1.0.2 cleanlab==2.9.0 && venv/bin/python frozen.py
"""
import csv
import json
import pathlib
import platform
import tempfile
import warnings
from importlib.metadata import version

import numpy
import torch
from aum import AUMCalculator
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__).parent
# The default sort orders equal numbers differently from processor to processor.
argsort = numpy.argsort
numpy.argsort = lambda *values, **options: argsort(*values, **({"kind": "stable"} | options))


def write(name, packages, cases):
    """One case a line, for reviews."""
    made_by = {package: version(package) for package in packages} | {"python": platform.python_version()}
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / name).write_text(f'{{"made_by": {json.dumps(made_by)},\n"cases": [\n{lines}\n]}}\n')


def margins(name, seed, samples, classes, steps, batch):
    """Logits in eighths, exact in float32 and with many equal ones; samples in no order, some never seen."""
    random = numpy.random.default_rng(seed)
    labels = random.integers(classes, size=samples)
    seen = []
    with tempfile.TemporaryDirectory() as folder:
        calculator = AUMCalculator(folder, compressed=True)
        for _ in range(steps):
            ids = random.permutation(samples - 1)[:batch]
            eighths = random.integers(-40, 41, size=(batch, classes))
            calculator.update(torch.tensor(eighths / 8, dtype=torch.float32), torch.tensor(labels[ids]), ids.tolist())
            seen.append({"ids": ids.tolist(), "logits_times_8": eighths.flatten().tolist()})
        calculator.finalize()
        with open(folder + "/aum_values.csv") as file:
            areas = {int(row["sample_id"]): float(row["aum"]) for row in csv.DictReader(file)}
    return {
        "name": name, "classes": classes, "labels": labels.tolist(), "steps": seen,
        "aum": [areas.get(id) for id in range(samples)],
    }


def learning(name, seed, samples, classes, wrong, sharpness, missing=None):
    """Probabilities in 4096ths, exact in binary; `wrong` of the labels drawn anew."""
    random = numpy.random.default_rng(seed)
    truth = random.integers(classes, size=samples)
    labels = numpy.where(random.random(samples) < wrong, random.integers(classes, size=samples), truth)
    if missing is not None:
        labels[labels == missing] = (missing + 1) % classes
    scores = random.normal(size=(samples, classes))
    scores[numpy.arange(samples), truth] += sharpness
    odds = numpy.exp(scores)
    parts = numpy.floor(odds / odds.sum(1, keepdims=True) * 4096).astype(int)
    parts[numpy.arange(samples), parts.argmax(1)] += 4096 - parts.sum(1)
    probabilities = parts / 4096
    return {
        "name": name, "classes": classes, "labels": labels.tolist(),
        "probabilities_times_4096": parts.flatten().tolist(),
        "thresholds": get_confident_thresholds(labels, probabilities).tolist(),
        "confident_counts": compute_confident_joint(labels, probabilities, calibrate=False).flatten().tolist(),
        "joint": compute_confident_joint(labels, probabilities).flatten().tolist(),
        "issues": {
            method: numpy.flatnonzero(find_label_issues(labels, probabilities, filter_by=method, n_jobs=1)).tolist()
            for method in [
                "prune_by_noise_rate", "prune_by_class", "both", "confident_learning", "predicted_neq_given",
                "low_normalized_margin", "low_self_confidence",
            ]
        },
        "quality": {
            method: get_label_quality_scores(labels, probabilities, method=method).tolist()
            for method in ["self_confidence", "normalized_margin", "confidence_weighted_entropy"]
        },
    }


write(
    "aum.json", ["aum", "torch", "numpy"],
    [
        margins("ten steps of three classes", 1, samples=12, classes=3, steps=10, batch=7),
        margins("two classes", 2, samples=6, classes=2, steps=5, batch=3),
        margins("more classes than samples", 3, samples=7, classes=11, steps=4, batch=5),
    ])
write(
    "cleanlab.json", ["cleanlab", "numpy"],
    [
        learning("four classes", 4, samples=60, classes=4, wrong=0.4, sharpness=2.5),
        learning("two classes", 5, samples=31, classes=2, wrong=0.5, sharpness=1.5),
        learning("a class that nothing carries", 6, samples=45, classes=5, wrong=0.3, sharpness=3, missing=2),
        learning("a network that knows nothing", 7, samples=40, classes=3, wrong=0.9, sharpness=0),
        learning("right labels", 8, samples=30, classes=3, wrong=0, sharpness=5),
    ])

"""The networks and scores of Tools/compare-detection, which sets up what this needs and says how to call it."""
import argparse
import concurrent.futures
import csv
import importlib.metadata
import json
import multiprocessing
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
import torch.nn.functional as F
from aum import AUMCalculator
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from pytorch_training import BORDER, SIDE, resnet

CLASSES, FOLDS, RATE, PERCENTILE = 10, 4, 0.1, 99
MEASURES = ("precision", "recall", "f1", "auroc", "average_precision")
# Rows of the table, each with its peer below.
METHODS = (
    ("aum", "gpunoisy"), ("aum", "PyTorch + aum"), ("cl", "gpunoisy"), ("cl", "PyTorch + cleanlab"),
    ("aum+cl", "gpunoisy"), ("aum+cl", "PyTorch, same rule"))


class TimeIsUp(Exception):
    """No further part is begun; what is complete is told."""


def pictures(folder, count):
    """The first images of CIFAR-10's binary files, bytes [N, 3, 32, 32], and their true labels [N]."""
    names = [os.path.join(folder, f"data_batch_{number}.bin") for number in range(1, 6)]
    records = np.concatenate([np.fromfile(name, np.uint8).reshape(-1, 3073) for name in names])[:count]
    return records[:, 1:].reshape(-1, 3, SIDE, SIDE), records[:, 0].astype(np.int64)


class Network:
    """A network in PyTorch on the same work as gpunoisy's: SGD with Nesterov momentum, crops, flips, batches of 64."""

    def __init__(self, options, outputs, seed):
        torch.manual_seed(seed)
        images = torch.from_numpy(pictures(options.data, options.images)[0])
        # Crops come from a border of black pixels; mean and deviation are those of the images.
        self.images = F.pad(images, (BORDER,) * 4)
        self.mean = images.double().mean((0, 2, 3)).float()[:, None, None]
        self.deviation = images.double().std((0, 2, 3), correction=0).float()[:, None, None]
        model = resnet(options.layers)
        model[-1] = torch.nn.Linear(64, outputs)
        self.model = model.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=RATE, momentum=0.9, nesterov=True, weight_decay=1e-4)

    def normalised(self, images):
        return ((images.float() - self.mean) / self.deviation).contiguous(memory_format=torch.channels_last)

    def batch(self, ids):
        """These images, each with a crop and a flip of its own."""
        result = torch.empty(len(ids), 3, SIDE, SIDE, dtype=torch.uint8)
        places = torch.randint(0, 2 * BORDER + 1, (len(ids), 2)).tolist()
        for row, (index, (top, left)) in enumerate(zip(ids.tolist(), places)):
            result[row] = self.images[index, :, top:top + SIDE, left:left + SIDE]
        flips = torch.rand(len(ids)) < 0.5
        result[flips] = result[flips].flip(3)
        return self.normalised(result)

    def epoch(self, ids, targets, rate, seen=None):
        """An epoch over these samples; `seen` gets each step's logits, targets and ids before the update."""
        self.optimizer.param_groups[0]["lr"] = rate
        self.model.train()
        for part in ids[torch.randperm(len(ids))].split(64):
            logits = self.model(self.batch(part))
            loss = F.cross_entropy(logits, targets[part])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            if seen:
                seen(logits.detach(), targets[part], part.tolist())

    @torch.no_grad()
    def probabilities(self, ids):
        self.model.eval()
        whole = self.images[:, :, BORDER:-BORDER, BORDER:-BORDER]
        return torch.cat([F.softmax(self.model(self.normalised(whole[part])), 1) for part in ids.split(256)]).numpy()


def margins(options, labels, seed, number):
    """A pass: areas under the margin [N] by the aum package, the threshold samples' as the extra class."""
    network = Network(options, CLASSES + 1, seed * 100 + number)
    targets = torch.from_numpy(labels).clone()
    targets[torch.from_numpy(threshold_samples(options, seed)[number])] = CLASSES
    with tempfile.TemporaryDirectory() as folder:
        calculator = AUMCalculator(folder, compressed=True)
        for epoch in range(options.epochs):
            network.epoch(torch.arange(len(labels)), targets, RATE, calculator.update if epoch > 0 else None)
        calculator.finalize()
        areas = np.full(len(labels), np.nan)
        with open(os.path.join(folder, "aum_values.csv")) as file:
            for row in csv.DictReader(file):
                areas[int(row["sample_id"])] = float(row["aum"])
    return areas


def threshold_samples(options, seed):
    """The threshold samples of both passes: N / K each, none in common."""
    count = options.images // CLASSES
    order = np.random.default_rng(seed).permutation(options.images)
    return order[:count], order[count:2 * count]


def folds(labels, seed):
    return list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(np.zeros(len(labels)), labels))


def held_out(options, labels, seed, number):
    """A fold: probabilities of the samples that the network has not seen."""
    network = Network(options, CLASSES, seed * 100 + 10 + number)
    seen, unseen = folds(labels, seed)[number]
    for epoch in range(options.epochs):
        falls = sum(epoch >= place for place in (options.epochs // 2, options.epochs * 3 // 4))
        network.epoch(torch.from_numpy(seen), torch.from_numpy(labels), RATE * 0.1**falls)
    return network.probabilities(torch.from_numpy(unseen))


def train(options, labels, seed, work, number, path):
    """One network in a process of its own, with one thread: several at a time waste less than several threads."""
    torch.set_num_threads(1)
    began = time.monotonic()
    np.save(path + ".part.npy", work(options, labels, seed, number))
    os.replace(path + ".part.npy", path)
    return time.monotonic() - began


def verdicts_of_both(first, second):
    """As detect --detector aum+cl: the mean of a sample's ranks, and as many flags as the two have on average."""
    suspicion = rankdata(first[1]) + rankdata(second[1])
    count = (int(first[0].sum()) + int(second[0].sum())) // 2
    flags = np.zeros(len(suspicion), bool)
    flags[np.argsort(-suspicion, kind="stable")[:count]] = True
    return flags, suspicion


def score(verdict, wrong):
    flags, suspicion = verdict
    hits = int((flags & wrong).sum())
    return {
        "flagged": int(flags.sum()), "hits": hits, "precision": hits / max(int(flags.sum()), 1),
        "recall": hits / int(wrong.sum()), "f1": 2 * hits / int(flags.sum() + wrong.sum()),
        "auroc": float(roc_auc_score(wrong, suspicion)),
        "average_precision": float(average_precision_score(wrong, suspicion)),
    }


class Comparison:
    """All parts for one set of labels and one seed; finished ones stay in its folder and are not made again."""

    def __init__(self, options, name, labels_file, seed, check_time):
        self.options, self.seed, self.labels_file, self.check_time = options, seed, labels_file, check_time
        self.labels = np.load(labels_file)[:options.images].astype(np.int64)
        self.wrong = self.labels != pictures(options.data, options.images)[1]
        self.folder = os.path.join(options.work, f"{name.replace(':', '-')}-seed{seed}")
        os.makedirs(self.folder, exist_ok=True)
        self.seconds = {}

    def path(self, name):
        return os.path.join(self.folder, name)

    def timed(self, name, seconds):
        self.seconds[name] = seconds
        with open(self.path(f"{name}.seconds"), "w") as file:
            print(f"{seconds:.1f}", file=file)
        print(f"{self.folder}: {name} after {seconds:.0f} s", file=sys.stderr, flush=True)

    def ours(self, detector):
        """`gpunoisy detect`: its run folder."""
        run, options = self.path(f"gpunoisy-{detector}"), self.options
        if not os.path.exists(os.path.join(run, "label_issues.csv")):
            self.check_time()
            began = time.monotonic()
            subprocess.run(
                [options.program, "detect", options.data, "--labels", self.labels_file, "--limit-train",
                 str(options.images), "--limit-test", "1000", "--detector", detector, "--model",
                 f"resnet{options.layers}", "--epochs", str(options.epochs), "--seed", str(self.seed), "--device",
                 options.device, "--out", run, "--force", "--quiet"], check=True, stdout=subprocess.DEVNULL)
            self.timed(f"gpunoisy-{detector}", time.monotonic() - began)
        return run

    def table(self, run, suspicion):
        """Flags and suspicions of a run's label_issues.csv, by id."""
        with open(os.path.join(run, "label_issues.csv")) as file:
            rows = sorted(csv.DictReader(file), key=lambda row: int(row["sample_id"]))
        assert [int(row["sample_id"]) for row in rows] == list(range(len(self.labels)))
        assert [int(row["given_label"]) for row in rows] == self.labels.tolist()
        return np.array([row["is_label_issue"] == "True" for row in rows]), np.array([suspicion(row) for row in rows])

    def peers(self, kind, work, count):
        """What `count` networks of PyTorch measured."""
        paths = [self.path(f"pytorch-{kind}{number + 1}.npy") for number in range(count)]
        missing = [number for number, path in enumerate(paths) if not os.path.exists(path)]
        if missing:
            self.check_time()
            context = multiprocessing.get_context("spawn")
            with concurrent.futures.ProcessPoolExecutor(self.options.workers, mp_context=context) as pool:
                running = {
                    pool.submit(train, self.options, self.labels, self.seed, work, number, paths[number]): number
                    for number in missing}
                for done in concurrent.futures.as_completed(running):
                    self.timed(f"pytorch-{kind}{running[done] + 1}", done.result())
        return [np.load(path) for path in paths]

    def verdicts(self):
        """Flags [N] and suspicions [N] of each method whose parts are complete."""
        found = {}
        for work in (self.margins_of_ours, self.margins_of_peer, self.folds_of_ours, self.folds_of_peer):
            try:
                work(found)
            except TimeIsUp:
                print(f"the time is up: {self.folder} lacks {work.__name__}", file=sys.stderr)
        for side, peers in (("gpunoisy", ("gpunoisy",) * 2), ("PyTorch, same rule", (METHODS[1][1], METHODS[3][1]))):
            if ("aum", peers[0]) in found and ("cl", peers[1]) in found:
                found["aum+cl", side] = verdicts_of_both(found["aum", peers[0]], found["cl", peers[1]])
        return found

    def margins_of_ours(self, found):
        found["aum", "gpunoisy"] = self.table(self.ours("aum"), lambda row: -float(row["aum"]))

    def margins_of_peer(self, found):
        areas = np.array(self.peers("pass", margins, 2))
        flags = np.ones(len(self.labels), bool)
        for own, samples in zip(areas, threshold_samples(self.options, self.seed)):
            suspected = own < np.percentile(own[samples], PERCENTILE)
            own[samples], suspected[samples] = np.nan, True
            flags &= suspected
        found["aum", "PyTorch + aum"] = flags, -np.nanmean(areas, axis=0)

    def folds_of_ours(self, found):
        run = self.ours("cl")
        found["cl", "gpunoisy"] = self.table(run, lambda row: -float(row["label_quality"]))
        found["cl", "cleanlab on gpunoisy's probabilities"] = self.confident(
            np.load(os.path.join(run, "pred_probs.npy")))

    def folds_of_peer(self, found):
        probabilities = np.empty((len(self.labels), CLASSES))
        for part, (_, unseen) in zip(self.peers("fold", held_out, FOLDS), folds(self.labels, self.seed)):
            probabilities[unseen] = part
        found["cl", "PyTorch + cleanlab"] = self.confident(probabilities)

    def confident(self, probabilities):
        flags = find_label_issues(self.labels, probabilities, n_jobs=1)
        return flags, -get_label_quality_scores(self.labels, probabilities)

    def result(self):
        found = self.verdicts()
        for name in os.listdir(self.folder):
            if name.endswith(".seconds"):
                with open(self.path(name)) as file:
                    self.seconds[name.removesuffix(".seconds")] = float(file.read())
        document = {
            "seed": self.seed, "samples": len(self.labels), "wrong": int(self.wrong.sum()),
            "seconds": dict(sorted(self.seconds.items())),
            "methods": [
                {"detector": detector, "side": side, **score(found[detector, side], self.wrong)}
                for detector, side in METHODS if (detector, side) in found],
        }
        if ("cl", "gpunoisy") in found:
            flags, again = (found["cl", side][0] for side in ("gpunoisy", "cleanlab on gpunoisy's probabilities"))
            document["cleanlab_differs"] = int((flags != again).sum())
        return document


def markdown(tables):
    """A table in which every measure is the mean over the seeds, and half of how far they lie apart."""
    lines = ["| labels | detector | by | precision | recall | F1 | AUROC | average precision |",
             "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for table in tables:
        first = table["seeds"][0]
        name = f"{table['labels']}: {first['wrong'] / first['samples']:.1%} wrong".replace("%", " %")
        for index, (detector, side) in enumerate(METHODS):
            results = [
                method for seed in table["seeds"] for method in seed["methods"]
                if (method["detector"], method["side"]) == (detector, side)]
            cells = [name if index == 0 else "", f"`{detector}`", side]
            for measure in MEASURES:
                values = [100 * method[measure] for method in results]
                spread = f" ± {(max(values) - min(values)) / 2:.1f}" if len(values) > 1 else ""
                cells.append(f"{statistics.mean(values):.1f}{spread}" if values else "")
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return {
        "system": platform.platform(), "processors": len(os.sched_getaffinity(0)),
        "processor": models[0] if models else "?"}


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("data")
    parser.add_argument("--program", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--noise", action="append", default=[])
    parser.add_argument("--labels", action="append", default=[])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--layers", type=int, default=20)
    parser.add_argument("--seeds", type=lambda text: [int(part) for part in text.split(",")], default=[1, 2])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--limit", type=float, default=float("inf"))
    parser.add_argument("--json")
    options = parser.parse_args()
    deadline = time.monotonic() + options.limit
    del options.limit

    os.makedirs(options.work, exist_ok=True)
    sets = {}
    for noise in options.noise:
        path = os.path.join(options.work, f"{noise.replace(':', '-')}.npy")
        if not os.path.exists(path):
            subprocess.run([options.program, "data", "noise", options.data, "--noise", noise, "--seed", "1", "--out",
                            path], check=True, stdout=subprocess.DEVNULL)
        sets[noise] = path
    sets.update((os.path.splitext(os.path.basename(path))[0], path) for path in options.labels)

    with open(os.path.join(options.work, "settings.json"), "a+") as file:
        settings = {"images": options.images, "epochs": options.epochs, "layers": options.layers}
        file.seek(0)
        earlier = file.read()
        if earlier and json.loads(earlier) != settings:
            sys.exit(f"error: '{options.work}' belongs to another comparison.\n  why: it was made with {earlier}.\n"
                     "  fix: repeat those settings, or name another folder with --work.")
        if not earlier:
            json.dump(settings, file)

    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))

    def check_time():
        if stopped or time.monotonic() > deadline:
            raise TimeIsUp

    tables = [{"labels": name, "seeds": []} for name in sets]
    for seed in options.seeds:
        for table, (name, path) in zip(tables, sets.items()):
            result = Comparison(options, name, path, seed, check_time).result()
            table["seeds"] += [result] if result["methods"] else []
    tables = [table for table in tables if table["seeds"]]
    if not tables:
        sys.exit("error: there is nothing to compare.\n  why: the time was up before the first labels were done.\n"
                 "  fix: go on with the same --work and a longer --limit.")
    print(markdown(tables))
    if options.json:
        document = {
            "schema": "gpunoisy.detection-comparison/1", "what": "wrong labels found in the first training images of "
            "CIFAR-10, by gpunoisy and by PyTorch with the aum and cleanlab packages",
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine(),
            "versions": {name: importlib.metadata.version(name) for name in ("torch", "aum", "cleanlab")}
            | {"gpunoisy": subprocess.check_output([options.program, "--version"], text=True).strip()},
            "method": f"ResNet-{options.layers}, {options.images} images, {options.epochs} epochs for each network, "
            f"batch 64, learning rate {RATE}; two passes with N / K threshold samples, the first epoch not counted, "
            f"percentile {PERCENTILE}, intersection; {FOLDS} folds, the rate falling at half and 3/4, "
            "prune_by_noise_rate, ranked by self-confidence",
            "labels": tables,
        }
        with open(options.json, "w") as file:
            json.dump(document, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()

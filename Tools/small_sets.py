#!/usr/bin/env python3
"""How well `gpunoisy detect --detector features` finds wrong labels in small sets: the table of Documentation/detect.md.

    Tools/small_sets.py DATA [--only PREFIX] [--program PATH] [--human FOLDER] [--work FOLDER]

DATA holds photos/cats-dogs, cifar10-jpeg/train, cifar-10-batches-bin and mnist. Labels are moved to a random other class
by NumPy's generator, as in `move` below; --human is a folder with CIFAR-10N's aggre.npy and random1.npy (labels of the
first images). --kinds names features (lite0, patches), and networks that are trained from nothing: aum, cl,
dividemix, co-teaching.
Needs Python 3 with NumPy. Prints one row of Markdown for each set and kind; seconds are of the processor.
"""
import argparse, json, os, resource, subprocess, sys
import numpy as np

CASES = [(base, rate, seed) for base, rates in (("catdog", (0, 0.05, 0.1, 0.2)), ("c2", (0, 0.15)), ("c2h", (0, 0.15)),
                                                 ("c4", (0, 0.05, 0.15, 0.3)))
         for rate in rates for seed in range(3 if rate else 1)]
CASES += [(base, rate, 0) for base in ("cifar2000", "cifar10000") for rate in (0, "aggre", "random1")]
CASES += [("mnist12000", 0, 0), ("mnist12000", 0.05, 0)]
CLASSES = {"c2": ["cat", "ship"], "c2h": ["cat", "dog"], "c4": ["cat", "dog", "horse", "ship"]}


def move(truth, rate, seed):
    """`rate` of all samples get a random other class."""
    random = np.random.default_rng(1000 + seed)
    classes, given = truth.max() + 1, truth.copy()
    wrong = random.choice(len(truth), int(round(rate * len(truth))), replace=False)
    given[wrong] = (truth[wrong] + random.integers(1, classes, len(wrong))) % classes
    return given


def folder_set(path):
    names = sorted(d for d in os.listdir(path) if os.path.isdir(os.path.join(path, d)))
    files = [(f"{n}/{f}", k) for k, n in enumerate(names) for f in sorted(os.listdir(os.path.join(path, n)))]
    return [f for f, _ in files], np.array([k for _, k in files]), names


class Base:
    """A set as gpunoisy opens it, with its true labels."""

    def __init__(self, name, data, work):
        self.options = []
        if name == "catdog":
            self.path = f"{data}/photos/cats-dogs"
        elif name in CLASSES:
            self.path = f"{work}/{name}"
            for label in CLASSES[name]:
                os.makedirs(f"{self.path}/{label}", exist_ok=True)
                source = f"{data}/cifar10-jpeg/train/{label}"
                for file in sorted(os.listdir(source))[:300]:
                    if not os.path.exists(f"{self.path}/{label}/{file}"):
                        os.symlink(f"{source}/{file}", f"{self.path}/{label}/{file}")
        elif name.startswith("cifar"):
            self.count, self.path = int(name[5:]), f"{data}/cifar-10-batches-bin"
            raw = np.concatenate([np.fromfile(f"{self.path}/data_batch_{b}.bin", np.uint8) for b in range(1, 6)])
            self.whole = raw.reshape(-1, 3073)[:, 0].astype(np.int64)
        else:
            self.count, self.path = int(name[5:]), f"{data}/mnist"
            self.whole = np.fromfile(f"{self.path}/train-labels-idx1-ubyte", np.uint8)[8:].astype(np.int64)
        if hasattr(self, "whole"):
            self.truth, self.files = self.whole[: self.count], None
            self.options = ["--limit-train", str(self.count)]
        else:
            self.files, self.truth, self.names = folder_set(self.path)

    def write(self, path, labels):
        """A file of labels that gpunoisy reads."""
        if self.files is None:
            whole = self.whole.copy()
            whole[: self.count] = labels
            np.save(path + ".npy", whole)
            return path + ".npy"
        with open(path + ".csv", "w") as f:
            f.write("path,label\n" + "".join(f"{p},{self.names[k]}\n" for p, k in zip(self.files, labels)))
        return path + ".csv"


def settings(kind, name):
    """How `detect` is asked for one kind: confident learning has the networks that the area under the margin has."""
    if kind in ("aum", "dividemix", "co-teaching"):
        return ["--detector", kind]
    if kind == "cl":
        epochs = {"c4": 30, "cifar2000": 18, "cifar10000": 6, "mnist12000": 6}.get(name, 60)
        return ["--detector", "cl", "--model", "resnet20", "--epochs", str(epochs), "--batch-size", "32", "--lr",
                "0.05" if name in ("cifar2000", "cifar10000", "mnist12000") else "0.02"]
    return ["--detector", "features", "--features", kind]


def seconds_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--only", default="")
    parser.add_argument("--program", default=".build/release/gpunoisy")
    parser.add_argument("--human")
    parser.add_argument("--kinds", default="lite0,patches")
    parser.add_argument("--work", default="/tmp/gpunoisy-small-sets")
    options = parser.parse_args()
    data = os.path.abspath(options.data)
    os.makedirs(options.work, exist_ok=True)
    print("| set | wrong | features | AUROC | average precision | verdict | number told | listed | precision | recall | "
          "seconds |\n" + "| --- " * 11 + "|")
    for name, rate, seed in CASES:
        case = f"{name}:{rate}:{seed}"
        if not case.startswith(options.only) or isinstance(rate, str) and not options.human:
            continue
        base = Base(name, data, options.work)
        human = isinstance(rate, str)
        given = (np.load(f"{options.human}/{rate}.npy")[: len(base.truth)].astype(np.int64) if human
                 else move(base.truth, rate, seed))
        wrong = int((given != base.truth).sum())
        labels = base.write(f"{options.work}/given", given)
        truth = base.write(f"{options.work}/truth", base.truth)
        for kind in options.kinds.split(","):
            run = f"{options.work}/run"
            start = seconds_of_children()
            subprocess.run(
                [options.program, "detect", base.path, *base.options, "--labels", labels, "--clean-labels", truth,
                 *settings(kind, name), "--no-report", "--out", run, "--force", "--quiet"],
                check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            seconds = seconds_of_children() - start
            document = json.load(open(f"{run}/detect.json"))
            score = document["score"] or dict.fromkeys(("auroc", "average_precision", "precision", "recall"))
            found = document["features"] or {
                "verdict": document.get("verdict") or "–", "wrong_estimate": None, "listed": document["issues"]}

            def number(value, places=3):
                return "–" if value is None else f"{value:.{places}f}"
            told = found["wrong_estimate"]
            ratio = f" ({told / wrong:.2f} ×)" if wrong and told is not None else ""
            print(f"| {case} | {wrong} of {len(given)} | {kind} | {number(score['auroc'])} | "
                  f"{number(score['average_precision'])} | {found['verdict']} | {'–' if told is None else told}{ratio} | "
                  f"{found['listed']} | {number(score['precision'], 2)} | {number(score['recall'], 2)} | "
                  f"{seconds:.1f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())

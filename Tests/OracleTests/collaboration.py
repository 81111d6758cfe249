"""Methods of several networks in PyTorch and NumPy; CollaborationAgainstTorchTests.swift runs it.

  collaboration.py train REQUEST.safetensors INITIAL.safetensors RESULT.safetensors
      trains the request's networks on its images in their order, from different first weights: in float32 and in float64
      by the request's method, and in float64 each on its own
      its networks are told by `networks`, and those that teach them, which `INITIAL` gets with random weights, by
      `teachers`, with vertical bars between
  collaboration.py entropy REQUEST.safetensors RESULT.safetensors
      the entropy of each of the request's tensors

A request holds its tensors, and its settings as metadata. The second network's tensors begin with `member1.`, and so on.
"""
import sys

import numpy
import torch
import torch.nn.functional as F
from networks import network
from oracle import read, training_images, weights
from safetensors.torch import save_file


def entropy(values):
    """As fxmeng/filter-grafting computes it: each of ten bins ends before its upper edge."""
    values = numpy.asarray(values, numpy.float64).ravel()
    counts, edges = numpy.histogram(values, bins=10)
    counts[-1] -= (values == values.max()).sum()
    share = counts[counts > 0] / len(values)
    return float(-(share * numpy.log(share)).sum())


def grafted(states, amplitude, steepness):
    result = []
    for index, own in enumerate(states):
        other, mixed, share = states[index - 1], {}, 0.5
        for name, value in own.items():
            if value.ndim == 4:
                difference = entropy(value) - entropy(other[name])
                share = round(amplitude / numpy.pi * numpy.arctan(steepness * difference) + 0.5, 2)
            mixed[name] = share * value + (1 - share) * other[name]
        result.append(mixed)
    return result


def train(request, initial, result):
    tensors, settings = read(request)
    labels = tensors["labels"].long()
    images = training_images(tensors, settings)
    images = (images - images.mean((0, 2, 3), keepdim=True)) / images.std((0, 2, 3), keepdim=True, correction=0)
    count, classes, batch = len(labels), int(settings["classes"]), int(settings["batch-size"])
    name, _, rest = settings["method"].partition(":")
    pairs = (pair.split("=", 1) for pair in rest.split(",") if "=" in pair)
    given = {key: float(value) for key, value in pairs if key != "with"}
    # One network each, with vertical bars between, since their options have commas.
    kinds, taught = settings["networks"].split("|"), [kind for kind in settings["teachers"].split("|") if kind]
    members = len(kinds)

    def make(kind):
        return network(kind, images.shape[1], classes)

    torch.manual_seed(7)
    first = [weights(make(kind)) for kind in kinds]
    teaching = [make(kind) for kind in taught]
    with torch.no_grad():
        for teacher in teaching:
            # Running statistics that are not those of every network at its start.
            teacher.train()(images[:batch].float())
            # Predictions that say something.
            for parameter in list(teacher.parameters())[-2:]:
                parameter.mul_(3)
            teacher.eval()

    def prefixed(states, title=""):
        return {f"{title}{f'member{number}.' if number else ''}{key}": value
                for number, state in enumerate(states) for key, value in state.items()}

    taught = [weights(teacher) for teacher in teaching]
    save_file(
        prefixed(first) | {f"teacher{number}.{key}": value.contiguous() for number, state in enumerate(taught)
                           for key, value in state.items()}, initial)

    def trained(kind, method):
        models = [make(name).to(kind) for name in kinds]
        teachers = [teacher.to(kind) for teacher in teaching]
        for model, state in zip(models, first):
            model.load_state_dict(state, strict=False)
        optimizers = [torch.optim.SGD(model.parameters(), lr=float(settings["lr"]), momentum=0.9, nesterov=True,
                                      weight_decay=1e-4) for model in models]
        for epoch in range(int(settings["epochs"])):
            if method in ("grafting", "dgd") and given.get("graft", 1) == 1 and epoch > 0:
                states = grafted([weights(model) for model in models], given["amplitude"], given["steepness"])
                for model, state in zip(models, states):
                    model.load_state_dict(state, strict=False)
            for begin in range(0, count, batch):
                ids = slice(begin, begin + batch)
                x, y = images[ids].to(kind), labels[ids]
                logits = [model(x) for model in models]
                losses = [F.cross_entropy(z, y) for z in logits]
                if method == "mutual":
                    for i in range(members):
                        for j in range(members):
                            if i != j:
                                losses[i] = losses[i] + F.kl_div(
                                    logits[i].log_softmax(1), logits[j].detach().softmax(1),
                                    reduction="batchmean") / (members - 1)
                if method == "dgd":
                    heat = given["temperature"]
                    with torch.no_grad():
                        mean = torch.stack([(teacher(x) / heat).softmax(1) for teacher in teachers]).mean(0)
                    for i in range(members):
                        soft = -(mean * (logits[i] / heat).log_softmax(1)).sum(1).mean()
                        losses[i] = losses[i] + given["weight"] * heat**2 * soft
                for optimizer, loss in zip(optimizers, losses):
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
        left = []
        for model, optimizer in zip(models, optimizers):
            state = {key: value.double().contiguous() for key, value in weights(model).items()}
            for key, parameter in model.named_parameters():
                momentum = optimizer.state[parameter]["momentum_buffer"]
                state[f"optimizer.momentum.{key}"] = momentum.double().contiguous()
            left.append(state)
        return left

    save_file(
        prefixed(trained(torch.float32, name), "float32/") | prefixed(trained(torch.float64, name), "float64/")
        | prefixed(trained(torch.float64, "plain"), "plain/"), result)


def entropies(request, result):
    tensors, _ = read(request)
    save_file({name: torch.tensor([entropy(value)], dtype=torch.float64) for name, value in tensors.items()}, result)


if sys.argv[1] == "train":
    train(*sys.argv[2:])
else:
    entropies(*sys.argv[2:])

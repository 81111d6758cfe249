"""Losses whose parameters are learned, with exact derivatives of second order; AdaptiveLossAgainstTorchTests.swift runs it.

  adaptive.py REQUEST.safetensors INITIAL.safetensors RESULT.safetensors
      trains on the request's images but for the last ones, which are trusted, in their order and in double precision; the
      result has, for each step in which they move, the slopes of the learned parameters, exactly and by differences of
      first derivatives, and their values

A request holds its tensors, and its settings as metadata.
"""
import sys

import torch
import torch.nn.functional as F
from networks import network
from oracle import read, training_images, weights
from safetensors.torch import save_file
from torch.func import functional_call

request, initial, result = sys.argv[1:]
tensors, settings = read(request)
labels, images = tensors["labels"].long(), training_images(tensors, settings)
trusted, batch, every = (int(settings[key]) for key in ("trusted", "batch-size", "every"))
count = len(labels) - trusted
mean = images[:count].mean((0, 2, 3), keepdim=True)
images = (images - mean) / images[:count].std((0, 2, 3), keepdim=True, correction=0)
lr, rate = float(settings["lr"]), float(settings["rate"])
name, _, rest = settings["loss"].partition(":")
start = {key: float(value) for key, value in (pair.split("=") for pair in rest.split(","))}
learned = settings["learn"].split("+")


def tempered_softmax(z, t, steps=400):  # google/bi-tempered-loss, until it no longer changes
    def exp_t(x):
        return torch.relu(1 + (1 - t) * x) ** (1 / (1 - t))

    mu = z.max(1, keepdim=True).values.detach()
    a = z - mu
    for _ in range(steps):
        a = (z - mu) * exp_t(a).sum(1, keepdim=True) ** (1 - t)
    total = exp_t(a).sum(1, keepdim=True)
    return exp_t(z + ((1 / total) ** (1 - t) - 1) / (1 - t) - mu)


def loss(z, y, given):
    cross = F.cross_entropy(z, y, reduction="none")
    own = z.softmax(1).gather(1, y[:, None])[:, 0]
    if name == "gce":
        rows = (1 - own ** given["q"]) / given["q"]
    elif name == "sce":
        rows = given["alpha"] * cross - given["beta"] * given["A"] * (1 - own)
    elif name == "polysoft":
        limit, d = given["lambda"], given["d"]
        inside = (d - 1) * limit / d * (1 - torch.relu(1 - cross / limit) ** (d / (d - 1)))
        rows = torch.where(cross < limit, inside, (d - 1) * limit / d)
    elif name == "bitempered":
        p = tempered_softmax(z, given["t2"])
        t1, own = given["t1"], p.gather(1, y[:, None])[:, 0]
        rows = -(own ** (1 - t1) - 1) / (1 - t1) - (1 - (p ** (2 - t1)).sum(1)) / (2 - t1)
    elif name == "nce+agce":
        log_p = z.log_softmax(1)
        first = log_p.gather(1, y[:, None])[:, 0] / log_p.sum(1)
        a, q = given["a"], given["q"]
        rows = given["alpha"] * first + given["beta"] * ((a + 1) ** q - (a + own) ** q) / q
    return rows.mean()


torch.manual_seed(11)
model = network(settings["model"], images.shape[1], int(settings["classes"]))
save_file(weights(model), initial)
model = model.double()
optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, nesterov=True, weight_decay=1e-4)
values = torch.tensor([start[key] for key in learned], dtype=torch.float64)
slopes, differences, path = [], [], []


def difference(x, y, parameters, gradient, given, distance=0.01):
    """The slopes by first derivatives alone, at both sides of the network in the direction of a gradient."""
    norm = sum((part ** 2).sum() for part in gradient) ** 0.5
    total = 0
    for sign in (1, -1):
        beside = {key: (value + sign * distance / norm * part).detach()
                  for (key, value), part in zip(parameters.items(), gradient)}
        there = loss(functional_call(model, beside, (x,)), y, start | dict(zip(learned, given)))
        total = total + sign * torch.autograd.grad(there, given)[0]
    return -lr * norm.detach() * total / (2 * distance)


for step in range(count // batch):
    x, y = images[step * batch:(step + 1) * batch], labels[step * batch:(step + 1) * batch]
    if step % every == 0:
        values = values.detach().requires_grad_()
        given = start | dict(zip(learned, values))
        parameters = dict(model.named_parameters())
        gradients = torch.autograd.grad(loss(model(x), y, given), list(parameters.values()), create_graph=True)
        moved = {key: value - lr * gradient for (key, value), gradient in zip(parameters.items(), gradients)}
        after = F.cross_entropy(functional_call(model, moved, (images[count:],)), labels[count:])
        slopes.append(torch.autograd.grad(after, values, retain_graph=True)[0])
        gradient = torch.autograd.grad(after, list(moved.values()))
        differences.append(difference(x, y, parameters, gradient, values))
        values = values.detach() - rate * slopes[-1]
        path.append(values)
    optimizer.zero_grad()
    loss(model(x), y, start | dict(zip(learned, values))).backward()
    optimizer.step()
left = {f"left/{key}": value.contiguous() for key, value in weights(model).items()}
found = {"slopes": slopes, "differences": differences, "values": path}
save_file(left | {key: torch.stack(rows).detach() for key, rows in found.items()}, result)

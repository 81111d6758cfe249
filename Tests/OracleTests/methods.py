"""The objectives of training methods in PyTorch, which differentiates them; MethodsAgainstTorchTests.swift runs it.

  methods.py REQUEST.safetensors INITIAL.safetensors RESULT.safetensors
      trains on the request's images in their order, from the same first weights: in float32 and in float64 by the
      request's method, and in float64 plainly

A request holds its tensors, and its settings as metadata.
"""
import copy
import math
import sys

import torch
import torch.nn.functional as F
from networks import network
from oracle import read, training_images, weights
from safetensors.torch import save_file

request, initial, result = sys.argv[1:]
tensors, settings = read(request)
labels = tensors["labels"].long()
images = training_images(tensors, settings)
images = (images - images.mean((0, 2, 3), keepdim=True)) / images.std((0, 2, 3), keepdim=True, correction=0)
count, classes, batch = len(labels), int(settings["classes"]), int(settings["batch-size"])
rate = float(settings["lr"])
name, _, rest = settings["method"].partition(":")
given = {key: float(value) for key, value in (pair.split("=") for pair in rest.split(",") if pair)}

torch.manual_seed(7)


class TwoHeads(torch.nn.Module):
    """A network with a second head, from what its last linear layer reads to a number for each image."""

    def __init__(self):
        super().__init__()
        self.classifier = network(settings["model"], images.shape[1], classes)
        last = [layer for layer in self.classifier.modules() if isinstance(layer, torch.nn.Linear)][-1]
        self.indicator = torch.nn.Linear(last.in_features, 1)
        last.register_forward_pre_hook(lambda layer, inputs: setattr(self, "features", inputs[0]))

    def forward(self, x):
        z = self.classifier(x)
        return z, self.indicator(self.features)[:, 0]


def named(model):
    return {name.removeprefix("classifier."): value for name, value in weights(model).items()}


def make(method):
    return TwoHeads() if method == "car" else network(settings["model"], images.shape[1], classes)


start_of = {method: make(method) for method in {name, "plain"}}
start_of["plain"].load_state_dict(named(start_of[name]), strict=False)
first = {method: weights(model) for method, model in start_of.items()}
save_file(named(start_of[name]), initial)


def train(kind, method):
    model = make(method)
    model.load_state_dict(first[method], strict=False)
    model = model.to(kind)
    start = [parameter.detach().clone() for parameter in model.parameters()]
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, nesterov=True, weight_decay=1e-4)
    column = torch.zeros(count, classes, dtype=kind)
    if method == "car":
        column = F.one_hot(labels, classes).to(kind).clamp(1e-4, 1)
    teacher, kept, updates = copy.deepcopy(model), torch.ones(count, dtype=kind), 0
    for epoch in range(int(settings["epochs"])):
        if method == "self" and epoch > 0 and epoch % given["every"] == 0:
            kept = (column.argmax(1) == labels).to(kind)
        for begin in range(0, count, batch):
            ids = torch.arange(begin, min(begin + batch, count))
            x, y = images[ids].to(kind), labels[ids]
            if method == "mixup":
                other, share = tensors["partners"][epoch, ids].long(), tensors["factors"][epoch, begin].to(kind)
                z = model(share * x + (1 - share) * images[other].to(kind))
                loss = share * F.cross_entropy(z, y) + (1 - share) * F.cross_entropy(z, labels[other])
            elif method == "elr":
                z = model(x)
                p = z.softmax(1).clamp(1e-4, 1 - 1e-4)
                seen = p.detach()
                moved = given["momentum"] * column[ids] + (1 - given["momentum"]) * seen / seen.sum(1, keepdim=True)
                column[ids] = moved
                loss = F.cross_entropy(z, y) + given["lambda"] * (1 - (moved * p).sum(1)).log().mean()
            elif method == "aux":
                offset = column[ids].requires_grad_()
                loss = F.cross_entropy(model(x) + given["lambda"] * offset, y)
            elif method == "car":
                z, indicator = model(x)
                p, tau = z.softmax(1), indicator.sigmoid()[:, None]
                late = epoch + 1 >= given["start"]
                if late and (epoch + 1) % given["every"] == 0:
                    moved = given["momentum"] * column[ids] + (1 - given["momentum"]) * p.detach()
                    column[ids] = moved.clamp(min=1e-4)
                s = (column[ids] if late else F.one_hot(y, classes).to(kind)).clamp(1e-4, 1)
                q = (tau * p + (1 - tau) * s).clamp(1e-7, 1)
                loss = -(s * q.log()).sum(1).mean() - given["lambda"] * tau.log().mean()
                loss = loss - given["beta"] * (q * s.log()).sum(1).mean()
            elif method == "self":
                with torch.no_grad():
                    guess = teacher(x).softmax(1)
                column[ids] = guess if epoch == 0 else given["momentum"] * column[ids] + (1 - given["momentum"]) * guess
                z = model(x)
                risen = math.exp(-5 * (1 - min(epoch / given["ramp"], 1)) ** 2)
                loss = (kept[ids] * F.cross_entropy(z, y, reduction="none")).mean()
                loss = loss + risen * given["consistency"] * F.mse_loss(z.softmax(1), guess)
            else:
                loss = F.cross_entropy(model(x), y)
            if method == "rdi":
                away = sum(((p - p0) ** 2).sum() for p, p0 in zip(model.parameters(), start))
                loss = loss + given["lambda"] ** 2 / (2 * count) * away
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if method == "self":
                updates += 1
                decay = min(1 - 1 / (updates + 1), given["decay"])
                for mean, parameter in zip(teacher.parameters(), model.parameters()):
                    mean.data.mul_(decay).add_(parameter.data, alpha=1 - decay)
            if method == "aux":
                column[ids] = (offset - rate * offset.grad).detach()
    left = {name: value.double().contiguous() for name, value in named(model).items()}
    for name, parameter in model.named_parameters():
        name = name.removeprefix("classifier.")
        left[f"optimizer.momentum.{name}"] = optimizer.state[parameter]["momentum_buffer"].double().contiguous()
    return left | {"column": column.double()}


results = {}
for title, kind, method in (("float32", torch.float32, name), ("float64", torch.float64, name),
                            ("plain", torch.float64, "plain")):
    results |= {f"{title}/{key}": value for key, value in train(kind, method).items()}
save_file(results, result)

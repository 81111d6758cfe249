"""DivideMix's steps in PyTorch, after LiJunnan1992/DivideMix; DivideMixAgainstTorchTests.swift runs it.

  dividemix.py INITIAL-REQUEST.safetensors INITIAL.safetensors
      first weights of two networks
  dividemix.py REQUEST.safetensors INITIAL.safetensors RESULT.safetensors
      trains both networks, in float32 and in float64, one after the other by the rows that the request gives: `order0` and
      `order1` are [steps, rows] of sample ids, the unlabelled ones first, each kind twice; `partners0` [steps, rows] are
      places within a step; `factors0` [steps]; `clean0` the chance of each sample's label that network 0 goes by
"""
import sys

import torch
import torch.nn.functional as F
from networks import network
from oracle import read, training_images, weights
from safetensors.torch import save_file

tensors, settings = read(sys.argv[1])
images = training_images(tensors, settings)
images = (images - images.mean((0, 2, 3), keepdim=True)) / images.std((0, 2, 3), keepdim=True, correction=0)
labels, classes = tensors["labels"].long(), int(settings["classes"])


def make():
    return network(settings["model"], images.shape[1], classes)


def prefixed(states, title=""):
    return {f"{title}{f'member{number}.' if number else ''}{key}": value
            for number, state in enumerate(states) for key, value in state.items()}


if len(sys.argv) == 3:
    torch.manual_seed(7)
    save_file(prefixed([weights(make()) for _ in range(2)]), sys.argv[2])
    sys.exit()
initial, _ = read(sys.argv[2])
first = [{key: initial[f"member{number}." * (number > 0) + key] for key in weights(make())} for number in range(2)]
T, unlabelled, warm, ramp, epoch, prior = (
    float(settings[name]) for name in ("temperature", "unlabelled", "warm", "ramp", "epoch", "prior"))


def sharpened(p):
    p = p ** (1 / T)
    return p / p.sum(1, keepdim=True)


def trained(kind):
    models = [make().to(kind) for _ in first]
    for model, state in zip(models, first):
        model.load_state_dict(state, strict=False)
    optimizers = [torch.optim.SGD(model.parameters(), lr=float(settings["lr"]), momentum=0.9, nesterov=True,
                                  weight_decay=1e-4) for model in models]
    for number in range(2):
        own, other = models[number], models[1 - number]
        own.train()
        other.eval()
        order, partners = tensors[f"order{number}"].long(), tensors[f"partners{number}"].long()
        clean, factors = tensors[f"clean{number}"].to(kind), tensors[f"factors{number}"].to(kind)
        for step, rows in enumerate(order):
            views = rows.reshape(4, -1)
            x = [images[ids].to(kind) for ids in views]
            with torch.no_grad():
                u1, u2 = own(x[0]).softmax(1), own(x[1]).softmax(1)
                u3, u4 = other(x[0]).softmax(1), other(x[1]).softmax(1)
                x1, x2 = own(x[2]).softmax(1), own(x[3]).softmax(1)
                q = sharpened((u1 + u2 + u3 + u4) / 4)
                w = clean[views[2]].reshape(-1, 1)
                p = sharpened(w * F.one_hot(labels[views[2]], classes).to(kind) + (1 - w) * (x1 + x2) / 2)
            inputs, targets = torch.cat(x), torch.cat([q, q, p, p])
            f, mates = factors[step], partners[step]
            inputs = f * inputs + (1 - f) * inputs[mates]
            targets = f * targets + (1 - f) * targets[mates]
            logits, half = own(inputs), len(rows) // 2
            labelled = -(logits[half:].log_softmax(1) * targets[half:]).sum(1).mean()
            guessed = ((logits[:half].softmax(1) - targets[:half]) ** 2).mean()
            mean = logits.softmax(1).mean(0)
            penalty = ((1 / classes) * torch.log((1 / classes) / mean)).sum()
            share = min(max((epoch + step / len(order) - warm) / ramp, 0), 1)
            loss = labelled + unlabelled * share * guessed + prior * penalty
            optimizers[number].zero_grad()
            loss.backward()
            optimizers[number].step()
    left = []
    for model, optimizer in zip(models, optimizers):
        state = {key: value.double().contiguous() for key, value in weights(model).items()}
        for key, parameter in model.named_parameters():
            state[f"optimizer.momentum.{key}"] = optimizer.state[parameter]["momentum_buffer"].double().contiguous()
        left.append(state)
    return left


save_file(prefixed(trained(torch.float32), "float32/") | prefixed(trained(torch.float64), "float64/"), sys.argv[3])

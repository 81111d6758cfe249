"""PyTorch and the `aum` package as judges of training; the Swift tests beside this file run it.

  oracle.py steps REQUEST.safetensors INITIAL.safetensors RESULT.safetensors
      trains on the request's images in their order, in float32 and in float64 from the same first weights
  oracle.py logits REQUEST.safetensors CHECKPOINT.safetensors RESULT.safetensors
      loads a checkpoint as users do and evaluates the request's images
  oracle.py features REQUEST.safetensors WEIGHTS.safetensors RESULT.safetensors
      the features that EfficientNet-Lite0 with these weights gives for the request's images
  oracle.py margins REQUEST.safetensors FOLDER
      feeds recorded logits to `aum`, which leaves FOLDER/aum_values.csv

A request holds its tensors, and its settings as metadata.
"""
import sys

import numpy
import torch
import torch.nn.functional as F
from networks import network
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn


def loss_of(text, logits, labels):
    name, _, rest = text.partition(":")
    given = {key: float(value) for key, value in (pair.split("=") for pair in rest.split(",") if pair)}
    cross = F.cross_entropy(logits, labels)
    right = logits.softmax(1).gather(1, labels[:, None])[:, 0]
    if name == "ce":
        return cross
    if name == "sce":
        return given["alpha"] * cross + given["beta"] * (-given["A"] * (1 - right)).mean()
    if name == "gce":
        return ((1 - right ** given["q"]) / given["q"]).mean()
    raise SystemExit(f"oracle.py knows no loss '{name}'")


def read(path):
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()


def weights(model):
    return {name: value for name, value in model.state_dict().items() if "num_batches_tracked" not in name}


def training_images(tensors, settings):
    """[N, C, H, W] in 0...1, in double precision; against the official files too where the request names them."""
    pixels = tensors["pixels"].permute(0, 3, 1, 2)
    if "cifar10" in settings:
        records = numpy.fromfile(settings["cifar10"] + "/data_batch_1.bin", numpy.uint8).reshape(-1, 3073)[:len(pixels)]
        assert numpy.array_equal(records[:, 1:], pixels.reshape(len(pixels), -1).numpy()), "other images"
        assert numpy.array_equal(records[:, 0], tensors["labels"].numpy()), "other labels"
    return pixels.double() / 255


def steps(request, initial, result):
    tensors, settings = read(request)
    labels = tensors["labels"].long()
    images = training_images(tensors, settings)
    if settings["model"] == "efficientnet-lite0":
        images = (255 * images - 127) / 128
    else:
        mean = images.mean((0, 2, 3), keepdim=True)
        deviation = images.std((0, 2, 3), keepdim=True, correction=0)
        images = (images - mean) / deviation
    classes, batch = int(settings["classes"]), int(settings["batch-size"])
    torch.manual_seed(int(settings["seed"]))
    first = weights(network(settings["model"], images.shape[1], classes))
    save_file(first, initial)
    results = {}
    for kind in (torch.float32, torch.float64):
        model = network(settings["model"], images.shape[1], classes)
        model.load_state_dict(first, strict=False)
        model = model.to(kind)
        optimizer = torch.optim.SGD(
            model.parameters(), lr=float(settings["lr"]), momentum=float(settings["momentum"]),
            nesterov=settings["nesterov"] == "on", weight_decay=float(settings["weight-decay"]))
        clip = float(settings["clip-norm"])
        begins = range(0, len(labels), batch)
        for step in range(int(settings["steps"])):
            begin = begins[step % len(begins)]
            x, y = images[begin:begin + batch].to(kind), labels[begin:begin + batch]
            loss = loss_of(settings["loss"], model(x), y)
            optimizer.zero_grad()
            loss.backward()
            if clip > 0:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            for parameter in model.parameters():
                parameter.grad += float(settings["l1"]) * parameter.detach().sign()
            before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
            optimizer.step()
        prefix = str(kind).removeprefix("torch.") + "/"
        results |= {prefix + name: value.double().contiguous() for name, value in weights(model).items()}
        for name, parameter in model.named_parameters():
            # Without momentum PyTorch keeps none; ours is then the last step's gradient with its weight decay.
            momentum = optimizer.state[parameter].get("momentum_buffer")
            if momentum is None:
                momentum = parameter.grad + float(settings["weight-decay"]) * before[name]
            results[f"{prefix}optimizer.momentum.{name}"] = momentum.double().contiguous()
    save_file(results, result)


def logits(request, checkpoint, result):
    tensors, settings = read(request)
    found = load_file(checkpoint)
    model = network(settings["model"], tensors["pixels"].shape[3], int(settings["classes"]))
    missing, unexpected = model.load_state_dict(found, strict=False)
    assert all("num_batches_tracked" in name for name in missing), missing
    assert all(name.startswith(("optimizer.", "state.")) for name in unexpected), unexpected
    model.eval()
    column = (1, -1, 1, 1)
    images = tensors["pixels"].permute(0, 3, 1, 2).float() / 255
    images = (images - found["state.input_mean"].reshape(column)) / found["state.input_std"].reshape(column)
    with torch.no_grad():
        save_file({"logits": model(images)}, result)


def features(request, weights, result):
    tensors, _ = read(request)
    found = load_file(weights)
    model = network("efficientnet-lite0", 3, len(found["_fc.bias"])).double()
    model.load_state_dict(found, strict=False)
    model.eval()
    images = (tensors["pixels"].permute(0, 3, 1, 2).double() - 127) / 128
    with torch.no_grad():
        save_file({"features": model.features(images).contiguous()}, result)


def margins(request, folder):
    from aum import AUMCalculator

    tensors, _ = read(request)
    calculator = AUMCalculator(folder, compressed=True)
    for rows, labels, ids in zip(tensors["logits"], tensors["labels"].long(), tensors["ids"]):
        calculator.update(rows, labels, ids.tolist())
    calculator.finalize()


if __name__ == "__main__":
    {"steps": steps, "logits": logits, "features": features, "margins": margins}[sys.argv[1]](*sys.argv[2:])

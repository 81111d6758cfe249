#!/usr/bin/env python3
"""PyTorch on the work of `gpunoisy bench`: whole training steps of ResNet-32, or --model, on 32x32 RGB images.

A step gathers its images from bytes on the device in shuffled order, crops them from a black border of four pixels,
flips and normalises them, runs forward and backward in channels-last, and updates by SGD with Nesterov momentum 0.9
and weight decay 1e-4. Prints one line of JSON: images per second, the median, least and most of the blocks.

    pytorch_training.py --batch-size 128 --seconds 6
    pytorch_training.py --model cnn4 --threads 1 --processor-time
    pytorch_training.py --device cuda --tf32 --compile reduce-overhead --precision mixed

With --serve it stays: every line on standard input is a number of seconds to measure, answered by one line.
"""
import argparse
import json
import os
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

IMAGES, SIDE, BORDER, CLASSES = 50_000, 32, 4, 10
NETWORKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "Tests", "OracleTests")


def convolution(inputs, outputs, stride=1):
    layer = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return layer


class Block(nn.Module):
    """Two convolutions beside a shortcut without weights: where it halves the image, 2x2 means and zero channels."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.halves = inputs != outputs
        self.conv1, self.bn1 = convolution(inputs, outputs, 2 if self.halves else 1), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = convolution(outputs, outputs), nn.BatchNorm2d(outputs)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.halves:
            x = F.pad(F.avg_pool2d(x, 2), (0, 0, 0, 0, 0, x.shape[1]))
        return F.relu(y + x)


def resnet(layers=32):
    """The ResNet of 6n + 2 layers for small images, as gpunoisy's."""
    parts, inputs = [convolution(3, 16), nn.BatchNorm2d(16), nn.ReLU()], 16
    for outputs in (16, 32, 64):
        for _ in range((layers - 2) // 6):
            parts.append(Block(inputs, outputs))
            inputs = outputs
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, CLASSES))


def network(name):
    """The network that --model NAME means; all but the ResNets for small images are those of the tests."""
    layers = name.removeprefix("resnet")
    if layers.isdigit() and int(layers) % 6 == 2 and name != "resnet50":
        return resnet(int(layers))
    sys.path.insert(0, NETWORKS)
    import networks
    return networks.network(name, 3, CLASSES, SIDE)


class Training:
    """A network, its data on the device, and the step."""

    def __init__(self, options):
        self.options, self.device = options, torch.device(options.device)
        self.cuda = self.device.type == "cuda"
        torch.manual_seed(1)
        if options.threads:
            torch.set_num_threads(options.threads)
        if self.cuda:
            torch.backends.cudnn.benchmark = True
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = options.tf32
        layout = torch.contiguous_format if options.contiguous else torch.channels_last
        self.network = network(options.model).to(self.device, memory_format=layout).train()
        self.layout = layout
        self.optimizer = torch.optim.SGD(
            self.network.parameters(), lr=1e-3, momentum=0.9, nesterov=True, weight_decay=1e-4, fused=True)
        # The border is there from the start, so that gathering, cropping and flipping are one indexing.
        pixels = torch.zeros(IMAGES, SIDE + 2 * BORDER, SIDE + 2 * BORDER, 3, dtype=torch.uint8)
        pixels[:, BORDER:-BORDER, BORDER:-BORDER] = torch.randint(0, 256, (IMAGES, SIDE, SIDE, 3), dtype=torch.uint8)
        self.pixels = pixels.to(self.device)
        self.labels = torch.randint(0, CLASSES, (IMAGES,), device=self.device)
        self.mean = torch.tensor([125.3, 123.0, 113.9], device=self.device)
        self.scale = 1 / torch.tensor([63.0, 62.1, 66.7], device=self.device)
        self.places = torch.arange(SIDE, device=self.device)
        self.loss = self.forward
        if options.compile:
            self.loss = torch.compile(self.forward, mode=None if options.compile == "default" else options.compile)
        self.order, self.position = None, IMAGES

    def forward(self, ids):
        """The mean loss of a batch, from the ids of its samples on."""
        count = ids.shape[0]
        top, left = torch.randint(0, 2 * BORDER + 1, (2, count, 1), device=self.device)
        flips = torch.rand(count, 1, device=self.device) < 0.5
        columns = left + torch.where(flips, SIDE - 1 - self.places, self.places)
        images = self.pixels[ids[:, None, None], (top + self.places)[:, :, None], columns[:, None, :]]
        images = ((images.float() - self.mean) * self.scale).permute(0, 3, 1, 2).contiguous(memory_format=self.layout)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.options.precision == "mixed"):
            logits = self.network(images)
        return F.cross_entropy(logits.float(), self.labels[ids])

    def step(self):
        batch = self.options.batch_size
        if self.position + batch > IMAGES:
            self.order, self.position = torch.randperm(IMAGES, device=self.device), 0
        ids = self.order[self.position:self.position + batch]
        self.position += batch
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(ids).backward()
        self.optimizer.step()

    def seconds(self, steps):
        clock = time.process_time if self.options.processor_time else time.perf_counter
        start = clock()
        for _ in range(steps):
            self.step()
        if self.cuda:
            torch.cuda.synchronize()
        return clock() - start

    def measure(self, seconds):
        """Blocks of about a sixth of `seconds`; images per second of each."""
        self.seconds(2)
        steps = max(1, round(seconds / 6 / max(self.seconds(2) / 2, 1e-6)))
        began, rates = time.perf_counter(), []
        while not rates or time.perf_counter() - began < seconds:
            rates.append(self.options.batch_size * steps / self.seconds(steps))
        return {
            "images_per_second": {"median": statistics.median(rates), "min": min(rates), "max": max(rates)},
            "blocks": len(rates), "steps_per_block": steps,
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--model", default="resnet32")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--precision", choices=["fp32", "mixed"], default="fp32", help="mixed: autocast to bfloat16")
    parser.add_argument("--threads", type=int, help="default: one per processor that this process may use")
    parser.add_argument("--tf32", action="store_true", help="float32 convolutions on NVIDIA's matrix units")
    parser.add_argument("--contiguous", action="store_true", help="not channels-last")
    parser.add_argument("--compile", metavar="MODE", help="torch.compile: default, reduce-overhead, max-autotune")
    parser.add_argument("--processor-time", action="store_true", help="images per second of processor time")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--serve", action="store_true")
    options = parser.parse_args()
    options.threads = options.threads or len(os.sched_getaffinity(0))
    # Compilers chatter on standard output; that is for the answers alone.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    training = Training(options)
    device = torch.cuda.get_device_name(training.device) if training.cuda else torch.backends.cpu.get_cpu_capability()
    about = {"peer": f"PyTorch {torch.__version__}", "device": device, "threads": options.threads}
    for _ in range(3):
        training.step()
    for line in sys.stdin if options.serve else [str(options.seconds)]:
        print(json.dumps({**about, **training.measure(float(line))}), file=answers, flush=True)


if __name__ == "__main__":
    main()

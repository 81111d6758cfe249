"""Writes zip.pth and old.pth: one training checkpoint in PyTorch's two formats. Run it with torch; the files are kept."""

import collections
import os

import torch

folder = os.path.dirname(os.path.abspath(__file__))
weights = collections.OrderedDict()
# Channels-last: strides that are not those of the shape.
weights["module.conv1.weight"] = (torch.arange(24.0).view(2, 3, 2, 2) / 8).to(memory_format=torch.channels_last)
weights["module.bn1.weight"] = torch.tensor([1.5, -2.0], dtype=torch.float16)
weights["module.bn1.running_mean"] = torch.tensor([0.25, -3.0], dtype=torch.bfloat16)
weights["module.bn1.num_batches_tracked"] = torch.tensor(7)
weights["module.fc.weight"] = torch.nn.Parameter(torch.arange(6.0, dtype=torch.float64).view(3, 2).t())
weights["module.fc.bias"] = weights["module.fc.weight"].detach()[:, 1]
checkpoint = {"epoch": 3, "best_acc1": torch.tensor(71.25), "state_dict": weights, "arguments": {"lr": 0.1, "size": torch.Size([2])}}
for name, is_zip in ("zip.pth", True), ("old.pth", False):
    torch.save(checkpoint, os.path.join(folder, name), _use_new_zipfile_serialization=is_zip)

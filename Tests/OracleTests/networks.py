"""PyTorch's side of the networks of the catalogue, for oracle.py: written from the papers and the names of their code."""
import torch.nn.functional as F
from torch import nn


class Halving(nn.Module):
    """The shortcut between stages: half the image, twice the channels, no weights."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def forward(self, x):
        x = F.avg_pool2d(x, 2) if self.kind == "average" else x[:, :, ::2, ::2]
        return F.pad(x, (0, 0, 0, 0, 0, x.shape[1]))


class Block(nn.Module):
    def __init__(self, inputs, outputs, shortcut):
        super().__init__()
        halves = inputs != outputs
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=2 if halves else 1, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = Halving(shortcut) if halves else nn.Identity()

    def forward(self, x):
        y = self.conv2(F.relu(self.bn1(self.conv1(x))))
        return F.relu(self.bn2(y) + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self, name, channels, classes):
        super().__init__()
        name, _, option = name.partition(":")
        shortcut = option.partition("=")[2] or "average"
        depth = (int(name.removeprefix("resnet")) - 2) // 6
        self.conv1 = nn.Conv2d(channels, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        inputs = 16
        for stage, outputs in ((1, 16), (2, 32), (3, 64)):
            blocks = [Block(inputs if index == 0 else outputs, outputs, shortcut) for index in range(depth)]
            self.add_module(f"layer{stage}", nn.Sequential(*blocks))
            inputs = outputs
        self.fc = nn.Linear(64, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for stage in (self.layer1, self.layer2, self.layer3):
            x = stage(x)
        return self.fc(x.mean((2, 3)))


class ProjectionBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class PreActBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.shortcut = None
        if stride != 1:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False))

    def forward(self, x):
        active = F.relu(self.bn1(x))
        skip = x if self.shortcut is None else self.shortcut(active)
        return self.conv2(F.relu(self.bn2(self.conv1(active)))) + skip


class WideResNet(nn.Module):
    """Four stages of 64 to 512 channels behind a 3x3 convolution."""

    def __init__(self, block, counts, channels, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for stage, count in enumerate(counts):
            outputs = 64 << stage
            blocks = [
                block(inputs if index == 0 else outputs, outputs, 2 if stage > 0 and index == 0 else 1)
                for index in range(count)]
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
            inputs = outputs
        self.linear = nn.Linear(512, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return self.linear(x.mean((2, 3)))


def network(name, channels, classes):
    """The network that --model NAME means, for square images of 32 pixels, with first weights of its own."""
    if name == "resnet18":
        return WideResNet(ProjectionBlock, (2, 2, 2, 2), channels, classes)
    if name == "resnet34":
        return WideResNet(ProjectionBlock, (3, 4, 6, 3), channels, classes)
    if name == "preact-resnet18":
        return WideResNet(PreActBlock, (2, 2, 2, 2), channels, classes)
    return ResNet(name, channels, classes)

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


class Convolution(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.out_conv = nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU())

    def forward(self, x):
        return self.out_conv(x)


class SCENetwork(nn.Module):
    """Blocks of convolutions for images of `size` pixels, each halving them."""

    def __init__(self, blocks, hidden, size, channels, classes):
        super().__init__()
        self.count = len(blocks)
        for block, widths in enumerate(blocks):
            layers = []
            for width in widths:
                layers.append(Convolution(channels, width))
                channels = width
            self.add_module(f"block{block + 1}", nn.Sequential(*layers, nn.MaxPool2d(2)))
            size //= 2
        self.fc1 = nn.Sequential(nn.Linear(size * size * channels, hidden), nn.BatchNorm1d(hidden), nn.ReLU())
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x):
        for block in range(self.count):
            x = getattr(self, f"block{block + 1}")(x)
        return self.fc2(self.fc1(x.flatten(1)))


class CoTeachingCNN(nn.Module):
    def __init__(self, channels, classes, rate=0.25):
        super().__init__()
        widths = (128, 128, 128, 256, 256, 256, 512, 256, 128)
        for index, width in enumerate(widths):
            self.add_module(f"c{index + 1}", nn.Conv2d(channels, width, 3, padding=1 if index < 6 else 0))
            self.add_module(f"bn{index + 1}", nn.BatchNorm2d(width))
            channels = width
        self.rate = rate
        self.l_c1 = nn.Linear(channels, classes)

    def forward(self, x):
        for index in range(1, 10):
            x = F.leaky_relu(getattr(self, f"bn{index}")(getattr(self, f"c{index}")(x)), 0.01)
            if index in (3, 6):
                x = F.dropout2d(F.max_pool2d(x, 2), self.rate, self.training)
        return self.l_c1(x.mean((2, 3)))


class Perceptron(nn.Module):
    def __init__(self, inputs, classes, width=128, dropout=0.2):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(inputs, width), nn.Linear(width, width), nn.Linear(width, classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        x = self.dropout(F.relu(self.fc1(x.flatten(1))))
        return self.fc3(self.dropout(F.relu(self.fc2(x))))


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = nn.Identity()
        if inputs != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, 4 * width, 1, stride=stride, bias=False), nn.BatchNorm2d(4 * width))

    def forward(self, x):
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(self.bn3(self.conv3(y)) + self.downsample(x))


class ResNet50(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for stage, count in enumerate((3, 4, 6, 3)):
            width = 64 << stage
            blocks = [
                Bottleneck(inputs if index == 0 else 4 * width, width, 2 if stage > 0 and index == 0 else 1)
                for index in range(count)]
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
            inputs = 4 * width
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, stride=2, padding=1)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return self.fc(x.mean((2, 3)))


class Same(nn.Conv2d):
    """TensorFlow's padding SAME: where it is odd, one more below and on the right."""

    def forward(self, x):
        kernel, stride = self.kernel_size[0], self.stride[0]
        height, width = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[2:])
        x = F.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))
        return F.conv2d(x, self.weight, None, stride, 0, 1, self.groups)


class LiteBlock(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride, expansion):
        super().__init__()
        width = inputs * expansion
        self.expands, self.adds = expansion > 1, stride == 1 and inputs == outputs
        if self.expands:
            self._expand_conv, self._bn0 = Same(inputs, width, 1, bias=False), nn.BatchNorm2d(width, eps=1e-3)
        self._depthwise_conv = Same(width, width, kernel, stride, groups=width, bias=False)
        self._bn1 = nn.BatchNorm2d(width, eps=1e-3)
        self._project_conv, self._bn2 = Same(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x):
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = self._bn2(self._project_conv(F.relu6(self._bn1(self._depthwise_conv(y)))))
        return x + y if self.adds else y


class EfficientNetLite0(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self._conv_stem, self._bn0 = Same(channels, 32, 3, 2, bias=False), nn.BatchNorm2d(32, eps=1e-3)
        blocks, inputs = [], 32
        for count, kernel, stride, expansion, outputs in (
                (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
                (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)):
            for index in range(count):
                blocks.append(LiteBlock(inputs, outputs, kernel, stride if index == 0 else 1, expansion))
                inputs = outputs
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = Same(inputs, 1280, 1, bias=False), nn.BatchNorm2d(1280, eps=1e-3)
        self._fc = nn.Linear(1280, classes)

    def features(self, x):
        x = F.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        return F.relu6(self._bn1(self._conv_head(x))).mean((2, 3))

    def forward(self, x):
        return self._fc(self.features(x))


def network(name, channels, classes, size=32):
    """The network that --model NAME means, for square images of `size` pixels, with first weights of its own."""
    if name == "resnet18":
        return WideResNet(ProjectionBlock, (2, 2, 2, 2), channels, classes)
    if name == "resnet34":
        return WideResNet(ProjectionBlock, (3, 4, 6, 3), channels, classes)
    if name == "preact-resnet18":
        return WideResNet(PreActBlock, (2, 2, 2, 2), channels, classes)
    if name == "cnn8":
        return SCENetwork(((64, 64), (128, 128), (196, 196)), 256, size, channels, classes)
    if name == "cnn4":
        return SCENetwork(((32,), (64,)), 128, size, channels, classes)
    if name == "cnn9":
        return CoTeachingCNN(channels, classes)
    if name.partition(":")[0] == "mlp":
        options = dict(pair.split("=") for pair in name.partition(":")[2].split(",") if pair)
        return Perceptron(
            size * size * channels, classes, int(options.get("width", 128)), float(options.get("dropout", 0.2)))
    if name == "resnet50":
        return ResNet50(channels, classes)
    if name == "efficientnet-lite0":
        return EfficientNetLite0(channels, classes)
    return ResNet(name, channels, classes)

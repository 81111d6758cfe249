#!/usr/bin/env python3
"""Draws the most suspicious digits of a `gpunoisy detect` on MNIST: given label, suggested one, index.

    gpunoisy detect FOLDER --model resnet20 --epochs 3 --out RUN
    Tools/mnist_suspects.py FOLDER RUN/label_issues.csv Documentation/mnist-suspects.png

FOLDER holds MNIST's IDX files. Needs NumPy and Pillow.
"""
import csv
import gzip
import os
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIDE, SCALE, COLUMNS, COUNT = 28, 5, 5, 10
TILE, GAP, CAPTION = SIDE * SCALE, 16, 50
# A paper of its own, so that the captions can be read on light and dark pages.
PAPER, INK, FAINT = "#f6f8fa", "#1f2328", "#59636e"


def digits(folder):
    """The training images [N, 28, 28], black on white as on paper."""
    name = os.path.join(folder, "train-images-idx3-ubyte")
    data = open(name, "rb").read() if os.path.exists(name) else gzip.open(name + ".gz").read()
    return 255 - np.frombuffer(data, np.uint8, offset=16).reshape(-1, SIDE, SIDE)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    folder, table, output = sys.argv[1:]
    images = digits(folder)
    with open(table) as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["rank"]))[:COUNT]
    lines = -(-len(rows) // COLUMNS)
    image = Image.new(
        "RGB", (COLUMNS * (TILE + GAP) + GAP, lines * (TILE + CAPTION + GAP) + GAP), PAPER)
    draw = ImageDraw.Draw(image)
    large, small = ImageFont.load_default(20), ImageFont.load_default(14)
    for position, row in enumerate(rows):
        x = GAP + position % COLUMNS * (TILE + GAP)
        y = GAP + position // COLUMNS * (TILE + CAPTION + GAP)
        index = int(row["sample_id"])
        image.paste(Image.fromarray(images[index]).resize((TILE, TILE), Image.Resampling.BICUBIC), (x, y))
        draw.rectangle((x, y, x + TILE - 1, y + TILE - 1), outline="#d1d9e0")
        middle = x + TILE // 2
        given, suggested = row["given_name"], row["suggested_name"]
        # The arrow is drawn, as not every font has one.
        draw.text((middle - 16, y + TILE + 4), given, INK, large, anchor="ra")
        draw.line((middle - 10, y + TILE + 16, middle + 6, y + TILE + 16), INK, 2)
        draw.polygon([(middle + 4, y + TILE + 11), (middle + 10, y + TILE + 16), (middle + 4, y + TILE + 21)], INK)
        draw.text((middle + 16, y + TILE + 4), suggested, INK, large, anchor="la")
        draw.text((middle, y + TILE + 30), f"no. {index}", FAINT, small, anchor="ma")
    image.quantize(64).save(output, optimize=True)


if __name__ == "__main__":
    main()

"""Writes odd image files, and beside each what Pillow reads of it: upright, over white, in grey or colour."""

import os
import sys
import zlib
from struct import pack

import numpy as np
from PIL import Image, ImageCms, ImageFile, ImageOps, PngImagePlugin, features

folder = sys.argv[1]
height, width = 37, 53
random = np.random.default_rng(1)
y, x = np.mgrid[0:height, 0:width]
smooth = np.stack([x * 4, y * 6, 128 + 90 * np.sin(x / 6) * np.cos(y / 5)], 2)
source = Image.fromarray(np.clip(smooth + random.normal(0, 12, smooth.shape), 0, 255).astype("u1"))
grey = source.convert("L")
alpha = source.copy()
alpha.putalpha(Image.fromarray((x * 255 // (width - 1)).astype("u1")))
profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(orientation, big=False):
    tags = Image.Exif()
    tags[0x010F] = "maker"
    tags[0x0112] = orientation
    tags.endian = ">" if big else "<"
    return tags


def put(name, data):
    with open(f"{folder}/{name}", "wb") as file:
        file.write(data)


def save(name, image=source, **options):
    image.save(f"{folder}/{name}", **options)


def get(name):
    with open(f"{folder}/{name}", "rb") as file:
        return file.read()


def over_white(image):
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")


def read(name):
    image = Image.open(f"{folder}/{name}")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        return Image.fromarray((np.array(image) >> 8).astype("u1"))
    if image.mode == "LA" or image.mode in "1L" and "transparency" in image.info:
        return over_white(image).convert("L")
    if image.mode in ("RGBA", "PA") or "transparency" in image.info:
        return over_white(image)
    return image.convert("L" if image.mode in "1L" else "RGB")


# PNG kinds that Pillow does not write.
def png(values, depth, kind, interlaced=False, chunks=b""):
    """values: [H, W, C] of integers below 2 ** depth."""

    def chunk(name, data):
        return pack(">I", len(data)) + name + data + pack(">I", zlib.crc32(name + data))

    def rows(part):
        out = b""
        for row in part:
            bits = "".join(f"{int(v):0{depth}b}" for v in row.reshape(-1))
            bits += "0" * (-len(bits) % 8)
            out += b"\0" + bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
        return out

    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    parts = [values[top::down, left::right] for top, left, down, right in passes]
    data = b"".join(rows(part) for part in parts if part.size)
    size = pack(">IIBBBBB", values.shape[1], values.shape[0], depth, kind, 0, 0, int(interlaced))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunks + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    )


def palette(count):
    colours = random.integers(0, 256, (count, 3)).astype("u1").tobytes()
    body = b"PLTE" + colours
    return pack(">I", len(colours)) + body + pack(">I", zlib.crc32(body))


colour, level = np.array(source).astype(int), np.array(grey).astype(int)[:, :, None]
opacity = np.array(alpha).astype(int)[:, :, 3:]
expected = {}  # what cannot be asked of Pillow

# JPEG: 28
for orientation in range(1, 9):
    save(f"orientation{orientation}.jpg", exif=exif(orientation, big=orientation % 2 == 0), quality=90)
save("grey.jpg", grey)
save("grey-progressive.jpg", grey, progressive=True)
save("progressive.jpg", progressive=True, quality=85)
for name, subsampling in [("444", 0), ("422", 1), ("420", 2)]:
    save(f"subsampled-{name}.jpg", subsampling=subsampling)
save("quality1.jpg", quality=1)
save("quality100.jpg", quality=100, subsampling=0)
save("rgb.jpg", keep_rgb=True)
c, m, k = source.split()
save("cmyk.jpg", Image.merge("CMYK", (c, m, k, grey.point(lambda v: v // 2))), quality=95)
save("cmyk-progressive.jpg", Image.merge("CMYK", (c, m, k, grey.point(lambda v: v // 3))), progressive=True)
save("icc.jpg", icc_profile=profile)
save("restart.jpg", restart_marker_blocks=2)
save("optimized.jpg", optimize=True, comment="x" * 3000, dpi=(300, 300))
save("one.jpg", source.crop((0, 0, 1, 1)))
save("line.jpg", source.crop((0, 0, 53, 1)))
save("two-frames.mpo", save_all=True, append_images=[grey.convert("RGB")])
data = get("progressive.jpg")
put("trailing.jpg", data + b"rubbish" * 9)
put("cut-progressive.jpg", data[: len(data) // 2])
data = get("quality100.jpg")
put("cut.jpg", data[: len(data) * 3 // 4])
# PNG: 27
save("palette8.png", source.convert("P", palette=Image.ADAPTIVE))
save("palette-transparent.png", source.quantize(32), transparency=3)
save("grey1.png", grey.convert("1"))
save("grey8.png", grey)
save("grey16.png", Image.fromarray((level[:, :, 0] * 256 + 255 - level[:, :, 0]).astype("u2")))
save("grey-alpha.png", Image.merge("LA", (grey, alpha.getchannel(3))))
save("rgba.png", alpha)
save("rgb.png")
save("icc.png", icc_profile=profile)
save("rgb-key.png", transparency=tuple(int(v) for v in colour[5, 7]))
save("grey-key.png", grey, transparency=int(level[5, 7, 0]))
for orientation in (3, 6):
    save(f"orientation{orientation}.png", exif=exif(orientation))
save("moving.png", save_all=True, append_images=[grey.convert("RGB")])
info = PngImagePlugin.PngInfo()
info.add(b"gAMA", pack(">I", 100000))
info.add_text("comment", "x" * 3000, zip=True)
save("gamma.png", pnginfo=info)
save("one.png", source.crop((0, 0, 1, 1)))
put("palette2.png", png(level // 64, 2, 3, chunks=palette(4)))
put("palette4.png", png(level // 16, 4, 3, chunks=palette(16)))
put("grey4.png", png(level // 16, 4, 0))
for name, values, kind in [("rgb", colour, 2), ("grey", level, 0), ("palette", level, 3)]:
    put(f"{name}-interlaced.png", png(values, 8, kind, True, palette(256) if kind == 3 else b""))
put("grey1-interlaced.png", png(level // 128, 1, 0, True))
put("rgb16.png", png(colour * 256 + 99, 16, 2))
expected["rgb16.png"] = source
put("rgba16.png", png(np.concatenate([colour, opacity], 2) * 257, 16, 6))
expected["rgba16.png"] = over_white(alpha)
put("rgb16-interlaced.png", png(colour * 256 + 5, 16, 2, True))
expected["rgb16-interlaced.png"] = source
data = get("rgb.png")
put("cut.png", data[: len(data) // 2])
# WebP: 9
save("lossy.webp", quality=80)
save("quality1.webp", quality=1)
save("lossless.webp", lossless=True)
save("alpha-lossy.webp", alpha, quality=90)
save("alpha-lossless.webp", alpha, lossless=True, exact=True)
save("orientation6.webp", exif=exif(6), lossless=True)
save("icc.webp", icc_profile=profile, lossless=True)
save("one.webp", source.crop((0, 0, 1, 1)), lossless=True)
data = get("lossy.webp")
put("cut.webp", data[: len(data) // 2])
# AVIF: 4
if features.check("avif"):
    even = source.resize((106, 74))
    save("444.avif", even, quality=90, subsampling="4:4:4")
    save("420.avif", even, quality=90, subsampling="4:2:0")
    save("alpha.avif", alpha.resize((106, 74)), quality=90, subsampling="4:4:4")
    save("orientation6.avif", even, quality=90, subsampling="4:4:4", exif=exif(6))

for name in sorted(os.listdir(folder)):
    # Of a damaged file Pillow reads what there is, and the rest is grey.
    ImageFile.LOAD_TRUNCATED_IMAGES = name.startswith("cut.jpg")
    try:
        image = expected[name] if name in expected else read(name)
    except (OSError, SyntaxError) as error:
        print(name, error)
        continue
    image.save(f"{folder}/{name}.pillow.png")

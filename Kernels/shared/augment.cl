// What the graph's first operation draws for an image, and what it makes of a byte. Each family has its own loops.

// A window of the image padded by black pixels: where it begins, and whether it is mirrored.
typedef struct {
  int down, right, mirrored;
} AugmentDraw;

// crop > 0: a window at a random place of the image padded by `crop`. flip: left-right, with probability 1/2. Both are
// drawn by (seed, epoch, sample id, view); for the peer pass of the peer loss, where an image may occur twice in an
// epoch, by (seed, epoch, position, view).
FUNCTION AugmentDraw augment_draw(
    __global const int *counters, int position, int sample, int crop, int flip, int peer) {
  AugmentDraw draw;
  draw.down = draw.right = draw.mirrored = 0;
  if (crop > 0 || flip) {
    const uint4 words = random_words(
        (uint)counters[COUNTER_SEED_LOW], (uint)counters[COUNTER_SEED_HIGH],
        peer ? PURPOSE_PEER_AUGMENT : PURPOSE_AUGMENT, (uint)counters[COUNTER_EPOCH], (uint)(peer ? position : sample),
        (uint)counters[COUNTER_VIEW]);
    draw.down = random_below(words.x, 2 * crop + 1) - crop;
    draw.right = random_below(words.y, 2 * crop + 1) - crop;
    draw.mirrored = flip && (words.z >> 31);
  }
  return draw;
}

// Where an image of the data set begins. Its bytes lie in up to four buffers, COUNTER_PART_IMAGES images in each but the
// last, because a driver's largest buffer may be a quarter of its memory. size: bytes of an image.
FUNCTION __global const uchar *augment_image(
    __global const uchar *pixels, __global const uchar *pixels_2, __global const uchar *pixels_3,
    __global const uchar *pixels_4, __global const int *counters, int sample, ulong size) {
  const int images = counters[COUNTER_PART_IMAGES], part = sample / images;
  __global const uchar *from = part == 0 ? pixels : part == 1 ? pixels_2 : part == 2 ? pixels_3 : pixels_4;
  return from + (ulong)(sample - part * images) * size;
}

// A byte of channel c (of C) as the network sees it. statistics: mean [C] then standard deviation [C] of byte / 255.
FUNCTION float augment_normalized(uchar byte, __global const float *statistics, int c, int C) {
  return ((float)byte / 255.0f - statistics[c]) / statistics[C + c];
}

// Channel c of the pixel at (h, w) of a drawn window of an image [H, W, C].
FUNCTION float augment_pixel(
    __global const uchar *pixels, const AugmentDraw draw, __global const float *statistics, int h, int w, int c, int H,
    int W, int C) {
  const int from_h = h + draw.down, from_w = (draw.mirrored ? W - 1 - w : w) + draw.right;
  const int inside = from_h >= 0 && from_h < H && from_w >= 0 && from_w < W;
  return augment_normalized(inside ? pixels[((ulong)from_h * W + from_w) * C + c] : (uchar)0, statistics, c, C);
}

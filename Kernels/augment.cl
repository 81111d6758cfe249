// The graph's first operation: gathers images from the data set's bytes by sample id, crops, flips and normalises.

// One work-item: one row of one image of the batch. Launch: (H, B).
// pixels [N, H, W, C] bytes; order: the epoch's sample ids; input_statistics: mean [C] then standard deviation [C] of
// pixel / 255; output [B, H, W, C].
// crop > 0: a window of H x W at a random place of the image padded by `crop` black pixels. flip: left-right, with
// probability 1/2. Both are drawn by (seed, epoch, sample id); for the peer pass of the peer loss, where an image may
// occur twice in an epoch, by (seed, epoch, position).
__kernel void augment_crop_flip(
    __global const uchar *restrict pixels, __global const int *restrict order, __global const int *restrict counters,
    __global const float *restrict input_statistics, __global activation *restrict output, int H, int W, int C,
    int crop, int flip, int peer) {
  const int h = get_global_id(0), row = get_global_id(1);
  const int position = counters[COUNTER_OFFSET] + row, sample = order[position];
  int down = 0, right = 0, mirrored = 0;
  if (crop > 0 || flip) {
    const uint4 words = random_words(
        (uint)counters[COUNTER_SEED_LOW], (uint)counters[COUNTER_SEED_HIGH],
        peer ? PURPOSE_PEER_AUGMENT : PURPOSE_AUGMENT, (uint)counters[COUNTER_EPOCH], (uint)(peer ? position : sample),
        0);
    down = random_below(words.x, 2 * crop + 1) - crop;
    right = random_below(words.y, 2 * crop + 1) - crop;
    mirrored = flip && (words.z >> 31);
  }
  const int from_h = h + down;
  pixels += ((ulong)sample * H + (ulong)(from_h >= 0 && from_h < H ? from_h : 0)) * W * C;
  output += (row * H + h) * W * C;
  for (int w = 0; w < W; w++) {
    const int from_w = (mirrored ? W - 1 - w : w) + right;
    const int inside = from_h >= 0 && from_h < H && from_w >= 0 && from_w < W;
    for (int c = 0; c < C; c++) {
      const float value = inside ? (float)pixels[from_w * C + c] / 255.0f : 0.0f;
      store_activation((value - input_statistics[c]) / input_statistics[C + c], output + w * C + c);
    }
  }
}

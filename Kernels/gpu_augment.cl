// augment_crop_flip for GPU-type devices: see augment.cl for what it computes. One work-item: one pixel.
// Launch: (B * H * W, rounded up).
__kernel void augment_crop_flip_gpu(
    __global const uchar *restrict pixels, __global const int *restrict order, __global const int *restrict counters,
    __global const float *restrict input_statistics, __global activation *restrict output, int B, int H, int W, int C,
    int crop, int flip, int peer) {
  const int index = get_global_id(0);
  if (index >= B * H * W) return;
  const int w = index % W, h = index / W % H, row = index / W / H;
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
  const int from_h = h + down, from_w = (mirrored ? W - 1 - w : w) + right;
  const int inside = from_h >= 0 && from_h < H && from_w >= 0 && from_w < W;
  if (inside) pixels += (((ulong)sample * H + from_h) * W + from_w) * C;
  for (int c = 0; c < C; c++) {
    const float value = inside ? (float)pixels[c] / 255.0f : 0.0f;
    store_activation((value - input_statistics[c]) / input_statistics[C + c], output + index * C + c);
  }
}

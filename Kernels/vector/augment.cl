// The graph's first operation: gathers images from the data set's bytes by sample id, crops, flips and normalises. And
// the same for rows of floats, such as features, in place of images.

// One work-item: one row of one image of the batch. Launch: (H, B).
// pixels [N, H, W, C] bytes; order: the epoch's sample ids; output [B, H, W, C]; crop, flip and input_statistics as
// shared/augment.cl has them.
__kernel void augment_crop_flip(
    __global const uchar *restrict pixels, __global const int *restrict order, __global const int *restrict counters,
    __global const float *restrict input_statistics, __global activation *restrict output, int H, int W, int C,
    int crop, int flip, int peer) {
  const int h = get_global_id(0), row = get_global_id(1);
  const int position = counters[COUNTER_OFFSET] + row, sample = order[position];
  const AugmentDraw draw = augment_draw(counters, position, sample, crop, flip, peer);
  const int from_h = h + draw.down;
  pixels += ((ulong)sample * H + (ulong)(from_h >= 0 && from_h < H ? from_h : 0)) * W * C;
  output += (row * H + h) * W * C;
  for (int w = 0; w < W; w++) {
    const int from_w = (draw.mirrored ? W - 1 - w : w) + draw.right;
    const int inside = from_h >= 0 && from_h < H && from_w >= 0 && from_w < W;
    for (int c = 0; c < C; c++) {
      const uchar byte = inside ? pixels[from_w * C + c] : (uchar)0;
      store_activation(augment_normalized(byte, input_statistics, c, C), output + w * C + c);
    }
  }
}

// One work-item: one row of the batch. Launch: (B).
// pixels [N, C] floats; output [B, C]: (value - mean) / deviation of each column.
__kernel void gather_floats(
    __global const float *restrict pixels, __global const int *restrict order, __global const int *restrict counters,
    __global const float *restrict input_statistics, __global activation *restrict output, int C) {
  const int row = get_global_id(0);
  pixels += (ulong)order[counters[COUNTER_OFFSET] + row] * C;
  for (int c = 0; c < C; c++)
    store_activation((pixels[c] - input_statistics[c]) / input_statistics[C + c], output + row * C + c);
}

// The graph's first operation: gathers images from the data set's bytes by sample id, crops, flips and normalises. And
// the same for rows of floats, such as features, in place of images.

// One work-item: one row of one image of the batch. Launch: (H, B).
// pixels and those after it [N, H, W, C] bytes; order: the epoch's sample ids; output [B, H, W, C]; crop, flip and
// input_statistics as shared/augment.cl has them.
__kernel void augment_crop_flip(
    __global const uchar *restrict pixels, __global const uchar *restrict pixels_2,
    __global const uchar *restrict pixels_3, __global const uchar *restrict pixels_4,
    __global const int *restrict order, __global const int *restrict counters,
    __global const float *restrict input_statistics, __global activation *restrict output, int H, int W, int C,
    int crop, int flip, int peer) {
  const int h = get_global_id(0), row = get_global_id(1);
  const int position = counters[COUNTER_OFFSET] + row, sample = order[position];
  const AugmentDraw draw = augment_draw(counters, position, sample, crop, flip, peer);
  const int from_h = h + draw.down;
  __global const uchar *from =
      augment_image(pixels, pixels_2, pixels_3, pixels_4, counters, sample, (ulong)H * W * C) +
      (ulong)(from_h >= 0 && from_h < H ? from_h : 0) * W * C;
  output += (row * H + h) * W * C;
  for (int w = 0; w < W; w++) {
    const int from_w = (draw.mirrored ? W - 1 - w : w) + draw.right;
    const int inside = from_h >= 0 && from_h < H && from_w >= 0 && from_w < W;
    for (int c = 0; c < C; c++) {
      const uchar byte = inside ? from[from_w * C + c] : (uchar)0;
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

// Each image mixed with its partner's: f * own + (1 - f) * partner, each cropped and mirrored as it is by itself in this
// epoch; mixed before it is stored. partners and factors: by position; a partner is a sample's id, or among peers, where a
// sample may occur twice, a position. One work-item: one row of one image.
// Launch: (H, B).
__kernel void augment_mix(
    __global const uchar *restrict pixels, __global const uchar *restrict pixels_2,
    __global const uchar *restrict pixels_3, __global const uchar *restrict pixels_4,
    __global const int *restrict order, __global const int *restrict partners, __global const float *restrict factors,
    __global const int *restrict counters,
    __global const float *restrict input_statistics, __global activation *restrict output, int H, int W, int C,
    int crop, int flip, int peer) {
  const int h = get_global_id(0), row = get_global_id(1);
  const int position = counters[COUNTER_OFFSET] + row, sample = order[position];
  const int place = partners[position], partner = peer ? order[place] : place;
  const AugmentDraw draw = augment_draw(counters, position, sample, crop, flip, peer);
  const AugmentDraw other = augment_draw(counters, place, partner, crop, flip, peer);
  const ulong size = (ulong)H * W * C;
  __global const uchar *own = augment_image(pixels, pixels_2, pixels_3, pixels_4, counters, sample, size);
  __global const uchar *others = augment_image(pixels, pixels_2, pixels_3, pixels_4, counters, partner, size);
  const float factor = factors[position];
  output += (row * H + h) * W * C;
  for (int w = 0; w < W; w++)
    for (int c = 0; c < C; c++) {
      const float first = augment_pixel(own, draw, input_statistics, h, w, c, H, W, C);
      const float second = augment_pixel(others, other, input_statistics, h, w, c, H, W, C);
      store_activation(fma(factor, first, (1.0f - factor) * second), output + w * C + c);
    }
}

// Each row of floats mixed with its partner's, as images are by augment_mix. One work-item: one row. Launch: (B).
__kernel void gather_mix(
    __global const float *restrict pixels, __global const int *restrict order, __global const int *restrict partners,
    __global const float *restrict factors, __global const int *restrict counters,
    __global const float *restrict input_statistics, __global activation *restrict output, int C, int peer) {
  const int row = get_global_id(0), position = counters[COUNTER_OFFSET] + row, place = partners[position];
  __global const float *own = pixels + (ulong)order[position] * C;
  __global const float *other = pixels + (ulong)(peer ? order[place] : place) * C;
  const float factor = factors[position];
  for (int c = 0; c < C; c++) {
    const float first = (own[c] - input_statistics[c]) / input_statistics[C + c];
    const float second = (other[c] - input_statistics[c]) / input_statistics[C + c];
    store_activation(fma(factor, first, (1.0f - factor) * second), output + row * C + c);
  }
}

// The graph's first operation for GPU-type devices; see vector/augment.cl. One work-item: one pixel.
// Launch: (B * H * W, rounded up).
__kernel void augment_crop_flip(
    __global const uchar *restrict pixels, __global const uchar *restrict pixels_2,
    __global const uchar *restrict pixels_3, __global const uchar *restrict pixels_4,
    __global const int *restrict order, __global const int *restrict counters,
    __global const float *restrict input_statistics, __global activation *restrict output, int B, int H, int W, int C,
    int crop, int flip, int peer) {
  const int index = get_global_id(0);
  if (index >= B * H * W) return;
  const int w = index % W, h = index / W % H, row = index / W / H;
  const int position = counters[COUNTER_OFFSET] + row, sample = order[position];
  const AugmentDraw draw = augment_draw(counters, position, sample, crop, flip, peer);
  const int from_h = h + draw.down, from_w = (draw.mirrored ? W - 1 - w : w) + draw.right;
  const int inside = from_h >= 0 && from_h < H && from_w >= 0 && from_w < W;
  __global const uchar *from =
      augment_image(pixels, pixels_2, pixels_3, pixels_4, counters, sample, (ulong)H * W * C);
  if (inside) from += ((ulong)from_h * W + from_w) * C;
  for (int c = 0; c < C; c++) {
    const uchar byte = inside ? from[c] : (uchar)0;
    store_activation(augment_normalized(byte, input_statistics, c, C), output + index * C + c);
  }
}

// Rows of floats in place of images. One work-item: one number. Launch: (B * C, rounded up).
__kernel void gather_floats(
    __global const float *restrict pixels, __global const int *restrict order, __global const int *restrict counters,
    __global const float *restrict input_statistics, __global activation *restrict output, int B, int C) {
  const int index = get_global_id(0);
  if (index >= B * C) return;
  const int c = index % C, sample = order[counters[COUNTER_OFFSET] + index / C];
  store_activation(
      (pixels[(ulong)sample * C + c] - input_statistics[c]) / input_statistics[C + c], output + index);
}

// Each image mixed with its partner's; see vector/augment.cl. One work-item: one pixel. Launch: (B * H * W, rounded up).
__kernel void augment_mix(
    __global const uchar *restrict pixels, __global const uchar *restrict pixels_2,
    __global const uchar *restrict pixels_3, __global const uchar *restrict pixels_4,
    __global const int *restrict order, __global const int *restrict partners, __global const float *restrict factors,
    __global const int *restrict counters,
    __global const float *restrict input_statistics, __global activation *restrict output, int B, int H, int W, int C,
    int crop, int flip, int peer) {
  const int index = get_global_id(0);
  if (index >= B * H * W) return;
  const int w = index % W, h = index / W % H, row = index / W / H;
  const int position = counters[COUNTER_OFFSET] + row, sample = order[position];
  const int place = partners[position], partner = peer ? order[place] : place;
  const AugmentDraw draw = augment_draw(counters, position, sample, crop, flip, peer);
  const AugmentDraw other = augment_draw(counters, place, partner, crop, flip, peer);
  const ulong size = (ulong)H * W * C;
  __global const uchar *own = augment_image(pixels, pixels_2, pixels_3, pixels_4, counters, sample, size);
  __global const uchar *others = augment_image(pixels, pixels_2, pixels_3, pixels_4, counters, partner, size);
  const float factor = factors[position];
  for (int c = 0; c < C; c++) {
    const float first = augment_pixel(own, draw, input_statistics, h, w, c, H, W, C);
    const float second = augment_pixel(others, other, input_statistics, h, w, c, H, W, C);
    store_activation(fma(factor, first, (1.0f - factor) * second), output + index * C + c);
  }
}

// Each row of floats mixed with its partner's. One work-item: one number. Launch: (B * C, rounded up).
__kernel void gather_mix(
    __global const float *restrict pixels, __global const int *restrict order, __global const int *restrict partners,
    __global const float *restrict factors, __global const int *restrict counters,
    __global const float *restrict input_statistics, __global activation *restrict output, int B, int C, int peer) {
  const int index = get_global_id(0);
  if (index >= B * C) return;
  const int c = index % C, position = counters[COUNTER_OFFSET] + index / C, place = partners[position];
  const float mean = input_statistics[c], deviation = input_statistics[C + c], factor = factors[position];
  const float first = (pixels[(ulong)order[position] * C + c] - mean) / deviation;
  const float second = (pixels[(ulong)(peer ? order[place] : place) * C + c] - mean) / deviation;
  store_activation(fma(factor, first, (1.0f - factor) * second), output + index);
}

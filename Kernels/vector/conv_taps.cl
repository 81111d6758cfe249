// Convolutions of few channels, for CPU-type devices: results, weights and places as in gather.cl, but what is read is
// multiplied where it is, because gathering it would take as long as multiplying it.

// One tap of a register tile: adds the products of C channels of CONV_PIXELS pixels, of which some may be outside of the
// image.
FUNCTION void conv_taps_add(
    __global const activation *input, const int *pixels, __global const float *weights, float16 *sums, int C, int next,
    int blocks, int all_inside) {
#pragma unroll 1
  for (int c = 0; c < C; c++) {
    float16 weight[CONV_BLOCKS];
#pragma unroll
    for (int j = 0; j < CONV_BLOCKS; j++)
      if (j < blocks) weight[j] = vload16(c, weights + j * next);
#pragma unroll
    for (int t = 0; t < CONV_PIXELS; t++) {
      const float16 number =
          (float16)(all_inside || pixels[t] >= 0 ? load_activation(input + pixels[t] + c) : 0.0f);
#pragma unroll
      for (int j = 0; j < CONV_BLOCKS; j++)
        if (j < blocks) sums[j * CONV_PIXELS + t] = fma(number, weight[j], sums[j * CONV_PIXELS + t]);
    }
  }
}

// The products of CONV_PIXELS results from `first` on, the last of which is `last`, and `blocks` blocks of outputs.
FUNCTION void conv_taps_tile(
    const gather_taps *taps, __global const activation *input, __global const float *weights, float *products, int KH,
    int down, int across, int first, int last, int apart, int blocks) {
  const int C = taps->C, KW = taps->KW, next = KH * KW * C * LANES;
  int row[CONV_PIXELS], column[CONV_PIXELS], image[CONV_PIXELS];
#pragma unroll
  for (int t = 0; t < CONV_PIXELS; t++) {
    const int n = min(first + t, last), line = n / across;
    row[t] = line % down * taps->every + taps->top;
    column[t] = n % across * taps->every + taps->left;
    image[t] = line / down * taps->H;
  }
  float16 sums[CONV_PIXELS * CONV_BLOCKS];
#pragma unroll
  for (int i = 0; i < CONV_PIXELS * CONV_BLOCKS; i++) sums[i] = (float16)(0.0f);
  for (int i = 0; i < KH; i++)
    for (int k = 0; k < KW; k++, weights += C * LANES) {
      int pixels[CONV_PIXELS], least = 0;
#pragma unroll
      for (int t = 0; t < CONV_PIXELS; t++) {
        const int h = row[t] + i, w = column[t] + k, inside = h >= 0 && h < taps->H && w >= 0 && w < taps->W;
        pixels[t] = inside ? ((image[t] + h) * taps->W + w) * C : -1;
        least = min(least, pixels[t]);
      }
      if (least >= 0)
        conv_taps_add(input, pixels, weights, sums, C, next, blocks, 1);
      else
        conv_taps_add(input, pixels, weights, sums, C, next, blocks, 0);
    }
#pragma unroll
  for (int j = 0; j < CONV_BLOCKS; j++)
#pragma unroll
    for (int t = 0; t < CONV_PIXELS; t++)
      if (j < blocks) vstore16(sums[j * CONV_PIXELS + t], t, products + j * apart);
}

// The first `count` results, with weights [O/16][KH][KW][C][16] (+ addend). reads_...: where taps lie in what is read.
// With has_partials, mean and sum of squared deviations of each group, [group][2][O]. One work-item: a group of T results,
// 32 outputs. Launch: (ceil(O / 32), ceil(count / T)).
__kernel void conv_taps(
    __global const activation *restrict input, __global const float *restrict weights,
    __global const activation *addend, __global activation *output, __global float *partials, int weights_at,
    int input_H, int input_W, int C, int KH, int KW, int reads_every, int reads_top, int reads_left, int H, int W,
    int O, int down, int across, int every, int top, int left, int count, int T, int has_addend, int has_partials) {
  float16 products[2 * (WIDE_GROUP + 1)];
  const gather_taps taps = {input_H, input_W, C, KW, reads_every, reads_top, reads_left};
  const gather_output_shape shape = {H, W, O, down, across, every, top, left};
  const int o = get_global_id(0) * 2 * LANES, blocks = O - o > LANES ? 2 : 1, begin = get_global_id(1) * T;
  const int own = min(count - begin, T), apart = (T + 1) * LANES, K = KH * KW * C;
  weights += weights_at + o * K;
  for (int n = 0; n < own; n += CONV_PIXELS) {
    float *to = (float *)products + n * LANES;
    int j = 0;
    for (; blocks - j >= CONV_BLOCKS; j += CONV_BLOCKS)
      conv_taps_tile(
          &taps, input, weights + j * K * LANES, to + j * apart, KH, down, across, begin + n, count - 1, apart,
          CONV_BLOCKS);
    for (; j < blocks; j++)
      conv_taps_tile(
          &taps, input, weights + j * K * LANES, to + j * apart, KH, down, across, begin + n, count - 1, apart, 1);
  }
  gather_finish(
      (float *)products, &shape, has_addend ? addend : 0, output,
      has_partials ? partials + begin / T * 2 * PADDED(O) : 0, begin, own, o, blocks, apart);
}

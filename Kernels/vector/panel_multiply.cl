// The products of panels by vectors: 32 outputs for 8 rows are a register tile on AVX-512. For processors that multiply
// matrices, native/panel_multiply_amx.h has panel_multiply and panel_accumulate_block, too.

// MARK: Rows times weights

// One register tile: CONV_PIXELS tiles from `first` on, of `blocks` blocks of outputs that are `next` floats apart in
// weights and `apart` in products; K words of each.
FUNCTION void panel_multiply_tile(
    __global const float *panel, __global const float *weights, float *products, int K, int T, int next, int apart,
    int first, int blocks) {
  float16 sums[CONV_PIXELS * CONV_BLOCKS];
#pragma unroll
  for (int i = 0; i < CONV_PIXELS * CONV_BLOCKS; i++) sums[i] = (float16)(0.0f);
  __global const float *w = weights;
  for (int k = 0; k < K; k += LANES) {
    __global const float *tile = panel + k * T + first * LANES;
#pragma unroll 2
    for (int i = 0; i < LANES; i++) {
      float16 weight[CONV_BLOCKS];
#pragma unroll
      for (int j = 0; j < CONV_BLOCKS; j++)
        if (j < blocks) weight[j] = vload16(0, w + j * next);
      w += LANES;
#pragma unroll
      for (int t = 0; t < CONV_PIXELS; t++) {
        const float16 number = (float16)(tile[t * LANES + i]);
#pragma unroll
        for (int j = 0; j < CONV_BLOCKS; j++)
          if (j < blocks)
            sums[j * CONV_PIXELS + t] = factor_multiply_add(number, weight[j], sums[j * CONV_PIXELS + t]);
      }
    }
  }
#pragma unroll
  for (int j = 0; j < CONV_BLOCKS; j++)
#pragma unroll
    for (int t = 0; t < CONV_PIXELS; t++)
      if (j < blocks) vstore16(sums[j * CONV_PIXELS + t], first + t, products + j * apart);
}

// One point: products [blocks][T + 1][16], `apart` floats from block to block, of `count` of the panel's T rows and K
// words, a multiple of 16, of each; one block of weights or two, `next` floats apart. The last register tile may repeat
// some rows of the one before: each is a sum of its own, and the same again.
FUNCTION void panel_multiply(
    __global const float *panel, __global const float *weights, float *products, int K, int T, int count, int next,
    int apart, int blocks) {
  for (int n = 0; n < count; n += CONV_PIXELS) {
    const int first = min(n, T - CONV_PIXELS);
    int j = 0;
    for (; blocks - j >= CONV_BLOCKS; j += CONV_BLOCKS)
      panel_multiply_tile(panel, weights + j * next, products + j * apart, K, T, next, apart, first, CONV_BLOCKS);
    for (; j < blocks; j++)
      panel_multiply_tile(panel, weights + j * next, products + j * apart, K, T, next, apart, first, 1);
  }
}

// MARK: Gradients of weights

// One register tile: sums [channel][16] of `blocks` blocks of outputs, `next` floats apart, (+)= `count` words (of one
// tile or two) of `inputs` channels times gradients, whose blocks are T words apart. A tile over the last channel
// repeats it.
FUNCTION void panel_accumulate_tile(
    __global const float *panel, __global const float *gradients, __global float *sums, int T, int count, int next,
    int inputs, int accumulate, int blocks) {
  __global const float *channel[CONV_PIXELS];
#pragma unroll
  for (int i = 0; i < CONV_PIXELS; i++) channel[i] = panel + min(i, inputs - 1);
  float16 sum[CONV_PIXELS * CONV_BLOCKS];
#pragma unroll
  for (int j = 0; j < CONV_BLOCKS; j++)
#pragma unroll
    for (int i = 0; i < CONV_PIXELS; i++)
      if (j < blocks)
        sum[j * CONV_PIXELS + i] = accumulate && i < inputs ? vload16(i, sums + j * next) : (float16)(0.0f);
// Other compilers do not unroll it, and PoCL says so.
#ifdef GPUNOISY_NATIVE
#pragma unroll 2
#endif
  for (int n = 0; n < count; n++) {
    float16 gradient[CONV_BLOCKS];
#pragma unroll
    for (int j = 0; j < CONV_BLOCKS; j++)
      if (j < blocks) gradient[j] = vload16(j * T + n, gradients);
#pragma unroll
    for (int i = 0; i < CONV_PIXELS; i++) {
      const float16 number = (float16)(channel[i][n * LANES]);
#pragma unroll
      for (int j = 0; j < CONV_BLOCKS; j++)
        if (j < blocks)
          sum[j * CONV_PIXELS + i] = factor_multiply_add(number, gradient[j], sum[j * CONV_PIXELS + i]);
    }
  }
#pragma unroll
  for (int j = 0; j < CONV_BLOCKS; j++)
#pragma unroll
    for (int i = 0; i < CONV_PIXELS; i++)
      if (j < blocks && i < inputs) vstore16(sum[j * CONV_PIXELS + i], i, sums + j * next);
}

// The sums [channel][16] of `channels` channels, up to sixteen, and one block of outputs, or two, `next` floats apart:
// begins them, or adds to them, `count` of the T words of each channel times those of the outputs.
FUNCTION void panel_accumulate_block(
    __global const float *panel, __global const float *gradients, __global float *sums, int T, int count, int next,
    int channels, int accumulate, int blocks) {
  for (int i = 0; i < channels; i += CONV_PIXELS) {
    const int inputs = min(CONV_PIXELS, channels - i);
    int j = 0;
    for (; blocks - j >= CONV_BLOCKS; j += CONV_BLOCKS)
      panel_accumulate_tile(
          panel + i, gradients + j * LANES * T, sums + j * next + i * LANES, T, count, next, inputs, accumulate,
          CONV_BLOCKS);
    for (; j < blocks; j++)
      panel_accumulate_tile(
          panel + i, gradients + j * LANES * T, sums + j * next + i * LANES, T, count, next, inputs, accumulate, 1);
  }
}

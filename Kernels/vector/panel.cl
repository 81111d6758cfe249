// Products of panels for CPU-type devices: [C/16][T][16] floats for T rows, which are tiles of winograd_wide.cl or
// results of gather.cl, and of which 32 outputs for 8 rows are a register tile on AVX-512.
// Words and pairs: see factor.cl.

// Where sixteen channels of a row, from channel c on, lie in a panel for T rows.
FUNCTION __global float *panel_place(__global float *panel, int c, int row, int T, int by_rows) {
#ifdef PANEL_BFLOAT16
  if (!by_rows) return panel + (c / (2 * LANES) * T + row) * LANES + c % (2 * LANES) / 2;
  return panel + (c * T / 2 + row / 2 * LANES);
#else
  return panel + c * T + row * LANES;
#endif
}

// Stores sixteen channels of a row at their place. Panels by rows are for all threads: see factor_stream.
FUNCTION void panel_store(float16 value, __global float *to, int row, int by_rows, float16 *held) {
  if (by_rows) {
    factor_stream(value, to, row, held);
    return;
  }
#ifdef PANEL_BFLOAT16
  vstore16_ushort(to_bfloat16(value), (__global ushort *)to);
#else
  vstore16(value, 0, to);
#endif
}

// Sixteen rows of sixteen floats become columns. Oclgrind takes numbers for uninitialised that were shuffled by the
// compiler's own function.
FUNCTION void transpose16(float16 *rows) {
#ifdef GPUNOISY_NATIVE
  // Four times over, row i and row i + 8 are interleaved: of the place (row, column), as one number of eight bits, each
  // turn moves the first to the end.
  for (int turn = 0; turn < 4; turn++) {
    float16 turned[LANES];
#pragma unroll
    for (int i = 0; i < LANES / 2; i++) {
      const float16 a = rows[i], b = rows[i + LANES / 2];
      turned[2 * i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      turned[2 * i + 1] = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
#pragma unroll
    for (int i = 0; i < LANES; i++) rows[i] = turned[i];
  }
#else
  float numbers[LANES * LANES], column[LANES];
  for (int i = 0; i < LANES; i++) vstore16(rows[i], i, numbers);
  for (int i = 0; i < LANES; i++) {
    for (int j = 0; j < LANES; j++) column[j] = numbers[j * LANES + i];
    rows[i] = vload16(0, column);
  }
#endif
}

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

// One point: products [blocks][T + 1][16], `apart` floats from block to block, of `count` tiles. The last register tile
// may repeat some tiles of the one before: each is a sum of its own, and the same again.
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

// Adds `count` tiles, in panels for T of them, to the sums [O/16][point][PADDED(C)][16], or begins them. The panels of
// two points are panel_step and gradient_step floats apart. One work-item: 16 channels, 32 outputs, one point. Launch:
// (ceil(C / 16), ceil(O / 32), points), or with by_outputs (ceil(C / 16), points, ceil(O / 32)): a thread that has
// neighbouring work-items reads panels that no other thread reads, or writes sums that it will itself make weights of.
__kernel void panel_accumulate(
    __global const float *panels, __global float *sums, int panels_at, int gradients_at, int sums_at, int panel_step,
    int gradient_step, int C, int O, int T, int count, int points, int by_outputs, int accumulate) {
  const int c = get_global_id(0) * LANES, o = get_global_id(1 + by_outputs) * 2 * LANES;
  const int point = get_global_id(2 - by_outputs), channels = PADDED(C);
  const int blocks = O - o > LANES ? 2 : 1, next = points * channels * LANES;
  T /= FACTOR_PAIR;
  count = (count + FACTOR_PAIR - 1) / FACTOR_PAIR;
  __global const float *panel = panels + panels_at + point * panel_step + c * T;
  __global const float *gradients = panels + gradients_at + point * gradient_step + o * T;
  sums += sums_at + (o * points + point * LANES) * channels + c * LANES;
  for (int i = 0; i < LANES; i += CONV_PIXELS) {
    const int inputs = min(CONV_PIXELS, LANES - i);
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

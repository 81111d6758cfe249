// The weight gradient of the convolutions of conv.cl: per tap of the filter a product of the input, transposed,
// and the gradient of the output, summed over pixels.
//
// A group takes a chunk of tiles, 16 input channels, and 1, 2 or 4 blocks of 16 output channels. It stages the input's
// tile, with a border of one pixel, in local memory; the gradient goes from global memory to registers, because a warp
// needs every number of it once. A warp has 4 rows of 16 pixels, as in the forward kernels, and all nine taps of 16 x 16
// channels: each of 6 rows of input serves up to three rows of the filter.

// Fours of words of local memory: the tile, later the sums of the warps that have the same channels.
#define CONV_MMA_WEIGHTS_TILE(rows, columns) (((rows) + 2) * ((columns) + 2) * COLUMN_PITCH(16) / 4)
#define CONV_MMA_WEIGHTS_SUMS(rows, columns) \
  (CONV_MMA_PLACES(rows, columns) > 1 ? CONV_MMA_BLOCKS(rows, columns) * 18 * WARP : 0)
#define CONV_MMA_WEIGHTS_MEMORY(rows, columns)                                                                        \
  (CONV_MMA_WEIGHTS_TILE(rows, columns) > CONV_MMA_WEIGHTS_SUMS(rows, columns) ? CONV_MMA_WEIGHTS_TILE(rows, columns) \
                                                                               : CONV_MMA_WEIGHTS_SUMS(rows, columns))

#define CONV_MMA_WEIGHTS_BATCH 2

// Two neighbouring channels of the gradient's pixel `x` of the eight of row `r` and half `side` of a warp; zero outside
// of the image.
FUNCTION ALWAYS_INLINE float2
conv_mma_gradient(__global const activation *doutput, ConvPlace at, int r, int side, int x, int H, int W, int O) {
  const int h = at.first_h + at.y + side * at.half_h + r, w = at.first_w + at.x + side * at.half_w + x;
  const int inside = h < H && w < W;
  const float2 pair = ACTIVATION_PAIR(doutput + (inside ? ((at.image * H + h) * W + w) * O : 0));
  return inside ? pair : (float2)(0.0f);
}

// The gradient's row `r`, 8 or 16 pixels from `side`, as B.
FUNCTION ALWAYS_INLINE uint4
conv_mma_gradient_words(__global const activation *doutput, ConvPlace at, int r, int side, int H, int W, int O) {
#ifdef MATRIX_BFLOAT16
  const int x = 2 * FRAGMENT_COLUMN;
  const float2 a = conv_mma_gradient(doutput, at, r, 0, x, H, W, O);
  const float2 b = conv_mma_gradient(doutput, at, r, 0, x + 1, H, W, O);
  const float2 c = conv_mma_gradient(doutput, at, r, 1, x, H, W, O);
  const float2 d = conv_mma_gradient(doutput, at, r, 1, x + 1, H, W, O);
  return (uint4)(bfloat16_word(a.s0, b.s0), bfloat16_word(a.s1, b.s1), bfloat16_word(c.s0, d.s0),
                 bfloat16_word(c.s1, d.s1));
#else
  const float2 a = conv_mma_gradient(doutput, at, r, side, FRAGMENT_COLUMN, H, W, O);
  const float2 b = conv_mma_gradient(doutput, at, r, side, FRAGMENT_COLUMN + 4, H, W, O);
  return (uint4)(tf32_word(a.s0), tf32_word(a.s1), tf32_word(b.s0), tf32_word(b.s1));
#endif
}

#define CONV_MMA_WEIGHTS_ARGUMENTS                                                                               \
  __global const activation *restrict input, __global const float *restrict mean,                                \
      __global const float *restrict inverse, __global const float *restrict parameters,                         \
      __global const activation *restrict doutput, __global float *restrict partials, int gamma_at, int beta_at, \
      int H, int W, int C, int O, int normalized, int rectify, int tiles, int chunk_tiles
#define CONV_MMA_WEIGHTS_NAMES                                                                                    \
  input, mean, inverse, parameters, doutput, partials, gamma_at, beta_at, H, W, C, O, normalized, rectify, tiles, \
      chunk_tiles

FUNCTION ALWAYS_INLINE void conv_mma_weights(
    int rows, int columns, __local float4 *memory, __local uint4 *exchange, CONV_MMA_WEIGHTS_ARGUMENTS) {
  const int item = get_local_id(0), lane = item % WARP, stride = MATRIX_ITEMS / 4, pitch = COLUMN_PITCH(16);
  const int blocks = CONV_MMA_BLOCKS(rows, columns), staged = (rows + 2) * (columns + 2);
  const int c0 = get_group_id(0) % (C / LANES) * LANES, c = c0 + item % 4 * 4;
  const int first_tile = get_group_id(1) * chunk_tiles, last_tile = min(first_tile + chunk_tiles, tiles);
  ConvPlace at = conv_place(first_tile, rows, columns, H, W);
  const int block = get_group_id(0) / (C / LANES) * blocks + at.block;
  __local uint *tile = (__local uint *)memory;
  doutput += block * LANES + 2 * FRAGMENT_ROW;

  float4 sums[18];
#pragma unroll
  for (int i = 0; i < 18; i++) sums[i] = (float4)(0.0f);
  Normalization layer;
  if (normalized) layer = load_normalization(mean, inverse, parameters, gamma_at, beta_at, c);
  for (int t = first_tile; t < last_tile; t++) {
    at = conv_place(t, rows, columns, H, W);
    LOCAL_BARRIER;
    for (int first = item / 4; first < staged; first += CONV_MMA_WEIGHTS_BATCH * stride) {
      float4 values[CONV_MMA_WEIGHTS_BATCH];
#pragma unroll
      for (int n = 0; n < CONV_MMA_WEIGHTS_BATCH; n++) {
        CONV_MMA_STAGED_PIXEL(n)
        values[n] = ACTIVATION_QUAD(input + max(pixel, 0) * C + c);
      }
#pragma unroll
      for (int n = 0; n < CONV_MMA_WEIGHTS_BATCH; n++) {
        CONV_MMA_STAGED_PIXEL(n)
        float4 value = values[n];
        if (normalized) value = fma(value, layer.scale, layer.shift);
        if (rectify) value = rectified(value);
        if (!inside) value = (float4)(0.0f);
        if (i < staged) store_words(value, tile + i * pitch + item % 4 * 4 / WORD_NUMBERS);
      }
    }
    LOCAL_BARRIER;
    for (int side = 0; side < 2; side += STEP_RUNS) {
      uint4 gradients[4];
#pragma unroll
      for (int r = 0; r < 4; r++) gradients[r] = conv_mma_gradient_words(doutput, at, r, side, H, W, O);
      // Where the warp's pixels begin in the tile; the second run is looked at by steps of two.
      const int from = ((at.y + side * at.half_h) * (columns + 2) + at.x + side * at.half_w) * pitch;
      const int second = (at.half_h * (columns + 2) + at.half_w) * pitch;
      FRAGMENT_UNROLL
      for (int r = 0; r < 6; r++) {
        FRAGMENT_UNROLL
        for (int kw = 0; kw < 3; kw++) {
          const int place = from + (r * (columns + 2) + kw) * pitch;
          const uint4 pixels = load_columns(tile, place, place + second, pitch, exchange);
          FRAGMENT_UNROLL
          for (int kh = 0; kh < 3; kh++)
            if (r >= kh && r - kh < 4)
              multiply_fragments(sums + 2 * (kh * 3 + kw), pixels, gradients[r - kh], exchange);
        }
      }
    }
  }

  // Warp after warp, so that the order of the sums is always the same.
  for (int place = 1; place < CONV_MMA_PLACES(rows, columns); place++) {
    __local float4 *shared = memory + at.block * 18 * WARP + lane;
    LOCAL_BARRIER;
    if (at.place == place)
#pragma unroll
      for (int i = 0; i < 18; i++) shared[i * WARP] = sums[i];
    LOCAL_BARRIER;
    if (at.place == 0)
#pragma unroll
      for (int i = 0; i < 18; i++) sums[i] += shared[i * WARP];
  }
  if (at.place > 0) return;
  partials += (get_group_id(1) * (O / LANES) + block) * 9 * C * LANES + 4 * FRAGMENT_COLUMN;
#pragma unroll
  for (int i = 0; i < 18; i++)
    *(__global float4 *)(partials + (i / 2 * C + c0 + COLUMN_OF_ROW(FRAGMENT_ROW, i % 2)) * LANES) = sums[i];
}

// partials [chunk][O/16][3][3][C][16] of the gradient's convolution with activation = gamma * (input - mean) * inverse +
// beta [max 0] if there is a batch norm (normalized), else input [max 0]. A chunk is `chunk_tiles` of all `tiles` of all
// images. Tiles are those of the forward kernels for multiples of 16, 32 and 64 channels.
// Launch: (C / 16 * O / 16 / blocks groups, chunks).
__kernel __attribute__((reqd_work_group_size(MATRIX_ITEMS, 1, 1))) void conv_mma_weights_16(
    CONV_MMA_WEIGHTS_ARGUMENTS) {
  __local float4 memory[CONV_MMA_WEIGHTS_MEMORY(MATRIX_ROWS, 32)];
  FRAGMENT_EXCHANGE(exchange, MATRIX_ITEMS);
  conv_mma_weights(MATRIX_ROWS, 32, memory, exchange, CONV_MMA_WEIGHTS_NAMES);
}

__kernel __attribute__((reqd_work_group_size(MATRIX_ITEMS, 1, 1))) void conv_mma_weights_32(
    CONV_MMA_WEIGHTS_ARGUMENTS) {
  __local float4 memory[CONV_MMA_WEIGHTS_MEMORY(MATRIX_ROWS, 16)];
  FRAGMENT_EXCHANGE(exchange, MATRIX_ITEMS);
  conv_mma_weights(MATRIX_ROWS, 16, memory, exchange, CONV_MMA_WEIGHTS_NAMES);
}

__kernel __attribute__((reqd_work_group_size(MATRIX_ITEMS, 1, 1))) void conv_mma_weights_64(
    CONV_MMA_WEIGHTS_ARGUMENTS) {
  __local float4 memory[CONV_MMA_WEIGHTS_MEMORY(MATRIX_ROWS, 8)];
  FRAGMENT_EXCHANGE(exchange, MATRIX_ITEMS);
  conv_mma_weights(MATRIX_ROWS, 8, memory, exchange, CONV_MMA_WEIGHTS_NAMES);
}

// Backward-data of the convolutions of conv.cl: the same on rotated and transposed filters, between the batch
// norm above, whose input the convolution wrote, and the one below, whose result it read.

#define CONV_MMA_BACKWARD_ARGUMENTS                                                                                \
  __global const activation *restrict doutput, __global const activation *restrict input,                          \
      __global const float *restrict mean, __global const float *restrict inverse,                                 \
      __global const float *restrict parameters, __global const float *restrict sums,                              \
      __global activation *restrict stored, __global const activation *addend, __global activation *dinput,        \
      __global const activation *restrict below, __global const activation *restrict below_output,                 \
      __global const float *restrict below_mean, __global const float *restrict below_inverse,                     \
      __global float *restrict partials, int gamma_at, int below_gamma_at, int below_beta_at, int H, int W, int C, \
      int O, int normalized, int has_addend, int has_below, int has_below_output, int rectify,                     \
      __global const uint4 *restrict fragments, int fragments_at
#define CONV_MMA_BACKWARD_NAMES                                                                             \
  doutput, input, mean, inverse, parameters, sums, stored, addend, dinput, below, below_output, below_mean, \
      below_inverse, partials, gamma_at, below_gamma_at, below_beta_at, H, W, C, O, normalized, has_addend, \
      has_below, has_below_output, rectify, fragments, fragments_at

FUNCTION ALWAYS_INLINE void conv_mma_backward(
    int channels, int rows, int columns, __local float4 *memory, __local uint4 *exchange, CONV_MMA_BACKWARD_ARGUMENTS) {
  const int item = get_local_id(0), quads = channels / 4, stride = MATRIX_ITEMS / quads, pitch = ROW_PITCH(channels);
  const int blocks = CONV_MMA_BLOCKS(rows, columns), staged = (rows + 2) * (columns + 2);
  const ConvPlace at = conv_place(get_group_id(0), rows, columns, H, W);
  const int first_block = get_group_id(1) * blocks, per_block = 9 * C / STEP_NUMBERS * WARP;
  __local uint *tile = (__local uint *)memory;
  __global const uint4 *filters = fragments + fragments_at + (first_block + at.block) * per_block + item % WARP;
  __global const uint4 *last = filters + per_block;
  float4 products[8];
#pragma unroll
  for (int i = 0; i < 8; i++) products[i] = (float4)(0.0f);
  uint4 next[3];
  for (int c0 = 0; c0 < C; c0 += channels) {
    const int c = c0 + item % quads * 4;
    NormalizationGradient layer;
    if (normalized) layer = load_normalization_gradient(mean, inverse, parameters, sums, gamma_at, c, C);
    if (c0 > 0) LOCAL_BARRIER;
    for (int first = item / quads; first < staged; first += CONV_MMA_BACKWARD_BATCH * stride) {
      float4 gradients[CONV_MMA_BACKWARD_BATCH], values[CONV_MMA_BACKWARD_BATCH];
#pragma unroll
      for (int n = 0; n < CONV_MMA_BACKWARD_BATCH; n++) {
        CONV_MMA_STAGED_PIXEL(n)
        gradients[n] = ACTIVATION_QUAD(doutput + max(pixel, 0) * C + c);
        values[n] = normalized ? ACTIVATION_QUAD(input + max(pixel, 0) * C + c) : (float4)(0.0f);
      }
#pragma unroll
      for (int n = 0; n < CONV_MMA_BACKWARD_BATCH; n++) {
        CONV_MMA_STAGED_PIXEL(n)
        float4 result = gradients[n];
        if (normalized) {
          result = normalization_gradient(layer, result, values[n]);
          if (own && get_group_id(1) == 0) STORE_ACTIVATION_QUAD(result, stored + pixel * C + c);
        }
        if (!inside) result = (float4)(0.0f);
        if (i < staged) store_words(result, tile + i * pitch + item % quads * 4 / WORD_NUMBERS);
      }
    }
    if (c0 == 0)
#pragma unroll
      for (int kh = 0; kh < 3; kh++) next[kh] = filters[kh * WARP];
    LOCAL_BARRIER;
    conv_mma_multiply(products, next, &filters, last, at, tile, channels, columns, exchange);
  }

  const int o = (first_block + at.block) * LANES + 4 * FRAGMENT_COLUMN, quad = at.block * 4 + FRAGMENT_COLUMN;
  NormalizationBelow layer;
  if (has_below)
    layer = load_normalization_below(below_mean, below_inverse, parameters, below_gamma_at, below_beta_at, o);
#pragma unroll
  for (int i = 0; i < 8; i++) {
    const int pixel = conv_mma_pixel(at, i, H, W);
    if (pixel < 0) continue;
    float4 result = products[i];
    if (has_addend) result += ACTIVATION_QUAD(addend + pixel * O + o);
    if (has_below)
      result = gradient_below(&layer, result, below, below_output, pixel * O + o, has_below_output, rectify);
    STORE_ACTIVATION_QUAD(result, dinput + pixel * O + o);
  }
  if (has_below)
    store_sums_below(
        &layer, memory, (at.place * 8 + FRAGMENT_ROW) * 4 * blocks + quad, 4 * blocks,
        partials + at.tile * 2 * O + first_block * LANES, O);
}

// dinput = gradient * rotated filters [+ addend], where gradient = gamma * inverse * (doutput - sums[0] - (input -
// mean) * sums[1]) if there is a batch norm above (normalized), which is also left in `stored`; else doutput. If there
// is a batch norm below, dinput is masked by its ReLU (rectify): where below_output, or what it was, computed again
// from its input `below`, is not positive. partials: per tile [2][O], the sums of g and g * (below - below_mean), g =
// dinput.
//
// C is the number of channels of doutput, O of dinput. Tiles and launch are those of the forward kernels.
__kernel __attribute__((reqd_work_group_size(MATRIX_ITEMS, 1, 1))) void conv_mma_backward_16(
    CONV_MMA_BACKWARD_ARGUMENTS) {
  __local float4 memory[CONV_MMA_MEMORY(16, MATRIX_ROWS, 32)];
  FRAGMENT_EXCHANGE(exchange, MATRIX_ITEMS);
  conv_mma_backward(16, MATRIX_ROWS, 32, memory, exchange, CONV_MMA_BACKWARD_NAMES);
}

__kernel __attribute__((reqd_work_group_size(MATRIX_ITEMS, 1, 1))) void conv_mma_backward_32(
    CONV_MMA_BACKWARD_ARGUMENTS) {
  __local float4 memory[CONV_MMA_MEMORY(32, MATRIX_ROWS, 16)];
  FRAGMENT_EXCHANGE(exchange, MATRIX_ITEMS);
  conv_mma_backward(32, MATRIX_ROWS, 16, memory, exchange, CONV_MMA_BACKWARD_NAMES);
}

__kernel __attribute__((reqd_work_group_size(MATRIX_ITEMS, 1, 1))) void conv_mma_backward_64(
    CONV_MMA_BACKWARD_ARGUMENTS) {
  __local float4 memory[CONV_MMA_MEMORY(64, MATRIX_ROWS, 8)];
  FRAGMENT_EXCHANGE(exchange, MATRIX_ITEMS);
  conv_mma_backward(64, MATRIX_ROWS, 8, memory, exchange, CONV_MMA_BACKWARD_NAMES);
}

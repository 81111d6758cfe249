// The 3x3 convolutions of conv.cl, stride 1 and padding 1, with the batch norms beside them (fusion.cl). C and O
// are multiples of 16. Tiles and launches are those of conv_forward_3x3.

// The pixel of the tensor that element `i` of row `r` of the staged tile is (two elements for each pixel), and whether it
// is inside of the image, and the group's own, not the border of its tile.
#define CONV_3X3_STAGED_PIXEL                                                                         \
  const int h = at.first_h + r - 1, w = at.first_w + i / 2 - 1;                                       \
  const int inside = h >= 0 && h < H && w >= 0 && w < W, from = ((at.image * H + h) * W + w) * C + c; \
  const int own = inside && r > 0 && r <= rows && i / 2 > 0 && i / 2 <= columns && get_group_id(1) == 0;

// output = x * filters, where x = gamma * (input - mean) * inverse + beta [+ residual] [max 0] is also left in `stored`
// where that is wanted (has_stored). partials: per tile [2][O], mean and sum of squared deviations of output, or null.
__kernel void conv_forward_normalized(
    __global const activation *restrict input, __global const activation *restrict residual,
    __global const float *restrict mean, __global const float *restrict inverse,
    __global const float *restrict parameters, __global activation *restrict stored,
    __global activation *restrict output, __global float *restrict partials, int gamma_at, int beta_at, int H, int W,
    int C, int O, int has_residual, int rectify, int has_stored, int has_partials, int weights_at, int columns,
    int rows, int blocks) {
  __local float4 memory[CONV_3X3_MEMORY];
  __local float4 origins[8];
  const Conv3x3 at = conv_3x3_place(columns, rows, blocks, H, W);
  __local float4 *filters = memory + 2 * at.plane;

  float4 sums[4];
#pragma unroll
  for (int t = 0; t < 4; t++) sums[t] = (float4)(0.0f);
  for (int c0 = 0; c0 < C; c0 += CONV_3X3_CHANNELS) {
    const int part = at.lane % 2, c = c0 + 4 * part;
    const Normalization layer = load_normalization(mean, inverse, parameters, gamma_at, beta_at, c);
    LOCAL_BARRIER;
    for (int r = at.band; r < rows + 2; r += get_local_size(0) / 32)
      for (int i = at.lane; i < 2 * at.pitch; i += 32) {
        CONV_3X3_STAGED_PIXEL
        float4 value = (float4)(0.0f);
        if (inside) {
          value = fma(ACTIVATION_QUAD(input + from), layer.scale, layer.shift);
          if (has_residual) value += ACTIVATION_QUAD(residual + from);
          if (rectify) value = rectified(value);
          if (has_stored && own) STORE_ACTIVATION_QUAD(value, stored + from);
        }
        memory[part * at.plane + r * at.pitch + i / 2] = value;
      }
    conv_3x3_stage_filters(at, filters, parameters + weights_at, c0, C, O, 0);
    LOCAL_BARRIER;
    conv_3x3_multiply(at, sums, memory, filters, 2);
  }

  const int o = at.first_o + 4 * at.quad, w = at.first_w + at.x;
#pragma unroll
  for (int t = 0; t < 4; t++) {
    const int h = at.first_h + at.y + t;
    if (h < H && w < W) STORE_ACTIVATION_QUAD(sums[t], output + ((at.image * H + h) * W + w) * O + o);
  }
  if (has_partials) conv_3x3_statistics(at, sums, memory, origins, partials, H, W, O, columns, rows);
}

// dinput = gradient * rotated filters [+ addend], where gradient = gamma * inverse * (doutput - sums[0] - (input -
// mean) * sums[1]) if there is a batch norm above (normalized), which is also left in `stored`; else doutput. If there
// is a batch norm below, dinput is masked by its ReLU (rectify): where below_output, or what it was, computed again
// from its input `below`, is not positive. partials: per tile [2][O], the sums of g and g * (below - below_mean), g =
// dinput.
//
// C is the number of channels of doutput, O of dinput.
__kernel void conv_backward_normalized(
    __global const activation *restrict doutput, __global const activation *restrict input,
    __global const float *restrict mean, __global const float *restrict inverse,
    __global const float *restrict parameters, __global const float *restrict sums,
    __global activation *restrict stored, __global const activation *addend, __global activation *dinput,
    __global const activation *restrict below, __global const activation *restrict below_output,
    __global const float *restrict below_mean, __global const float *restrict below_inverse,
    __global float *restrict partials, int gamma_at, int below_gamma_at, int below_beta_at, int H, int W, int C, int O,
    int normalized, int has_addend, int has_below, int has_below_output, int rectify, int weights_at, int columns,
    int rows, int blocks) {
  __local float4 memory[CONV_3X3_MEMORY];
  const Conv3x3 at = conv_3x3_place(columns, rows, blocks, H, W);
  __local float4 *filters = memory + 2 * at.plane;

  float4 products[4];
#pragma unroll
  for (int t = 0; t < 4; t++) products[t] = (float4)(0.0f);
  for (int c0 = 0; c0 < C; c0 += CONV_3X3_CHANNELS) {
    const int part = at.lane % 2, c = c0 + 4 * part;
    NormalizationGradient layer;
    if (normalized) layer = load_normalization_gradient(mean, inverse, parameters, sums, gamma_at, c, C);
    LOCAL_BARRIER;
    for (int r = at.band; r < rows + 2; r += get_local_size(0) / 32)
      for (int i = at.lane; i < 2 * at.pitch; i += 32) {
        CONV_3X3_STAGED_PIXEL
        float4 value = inside ? ACTIVATION_QUAD(doutput + from) : (float4)(0.0f);
        if (normalized && inside) {
          value = normalization_gradient(layer, value, ACTIVATION_QUAD(input + from));
          if (own) STORE_ACTIVATION_QUAD(value, stored + from);
        }
        memory[part * at.plane + r * at.pitch + i / 2] = value;
      }
    conv_3x3_stage_filters(at, filters, parameters + weights_at, c0, C, O, 1);
    LOCAL_BARRIER;
    conv_3x3_multiply(at, products, memory, filters, 2);
  }

  const int o = at.first_o + 4 * at.quad, w = at.first_w + at.x;
  NormalizationBelow layer;
  if (has_below)
    layer = load_normalization_below(below_mean, below_inverse, parameters, below_gamma_at, below_beta_at, o);
#pragma unroll
  for (int t = 0; t < 4; t++) {
    const int h = at.first_h + at.y + t, to = ((at.image * H + h) * W + w) * O + o;
    if (h >= H || w >= W) continue;
    float4 result = products[t];
    if (has_addend) result += ACTIVATION_QUAD(addend + to);
    if (has_below) result = gradient_below(&layer, result, below, below_output, to, has_below_output, rectify);
    STORE_ACTIVATION_QUAD(result, dinput + to);
  }
  if (has_below)
    store_sums_below(
        &layer, memory, (at.place * 8 + at.lane % 8) * at.quads + at.quad, at.quads,
        partials + at.tile * 2 * O + at.first_o, O);
}

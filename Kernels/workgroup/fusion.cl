// What convolutions for GPU-type devices do with the batch norms beside them: normalise what they read while they read
// it, and take what they write through the ReLU and the sums of the batch norm below. Formulas and layouts are those of
// batchnorm.cl. Numbers of channels are multiples of 16.

// Four channels of scale * value + shift = gamma * (value - mean) * inverse + beta.
typedef struct {
  float4 scale, shift;
} Normalization;

FUNCTION Normalization load_normalization(
    __global const float *mean, __global const float *inverse, __global const float *parameters, int gamma_at,
    int beta_at, int c) {
  Normalization layer;
  layer.scale = QUAD(parameters + gamma_at + c) * QUAD(inverse + c);
  layer.shift = QUAD(parameters + beta_at + c) - QUAD(mean + c) * layer.scale;
  return layer;
}

// Not fmax: a NaN must stay one, so that divergence is seen.
FUNCTION float4 rectified(float4 value) { return value < (float4)(0.0f) ? (float4)(0.0f) : value; }

// Four channels of the gradient of batch norm's input: scale * (g - mean of g - (value - center) * slope).
typedef struct {
  float4 scale, center, mean, slope;
} NormalizationGradient;

FUNCTION NormalizationGradient load_normalization_gradient(
    __global const float *mean, __global const float *inverse, __global const float *parameters,
    __global const float *means, int gamma_at, int c, int C) {
  NormalizationGradient layer;
  layer.scale = QUAD(parameters + gamma_at + c) * QUAD(inverse + c);
  layer.center = QUAD(mean + c);
  layer.mean = QUAD(means + c);
  layer.slope = QUAD(means + C + c);
  return layer;
}

FUNCTION float4 normalization_gradient(NormalizationGradient layer, float4 gradient, float4 value) {
  return layer.scale * (gradient - (layer.mean + (value - layer.center) * layer.slope));
}

// Four channels of the batch norm below, and the sums that it takes of its gradient: of g and g * (input - center).
typedef struct {
  Normalization layer;
  float4 center, sum, product;
} NormalizationBelow;

FUNCTION NormalizationBelow load_normalization_below(
    __global const float *mean, __global const float *inverse, __global const float *parameters, int gamma_at,
    int beta_at, int c) {
  NormalizationBelow below;
  below.layer = load_normalization(mean, inverse, parameters, gamma_at, beta_at, c);
  below.center = QUAD(mean + c);
  below.sum = below.product = (float4)(0.0f);
  return below;
}

// Masks the gradient of the four elements at `at` and adds it to the sums. The mask (rectify) is where the batch norm's
// result, which is in `output` or is computed again, is positive.
FUNCTION float4 gradient_below(
    NormalizationBelow *below, float4 gradient, __global const activation *input, __global const activation *output,
    int at, int has_output, int rectify) {
  const float4 value = ACTIVATION_QUAD(input + at), zero = (float4)(0.0f);
  if (rectify) {
    const float4 result =
        has_output ? ACTIVATION_QUAD(output + at) : fma(value, below->layer.scale, below->layer.shift);
    gradient = result > zero ? gradient : zero;
  }
  below->sum += gradient;
  below->product = fma(gradient, value - below->center, below->product);
  return gradient;
}

// Adds the sums of a group up: `index` is pixel index times quads + four of channels, partials points at channel 0 of
// the first of the group's `quads` fours.
FUNCTION void store_sums_below(
    NormalizationBelow *below, __local float4 *memory, int index, int quads, __global float *partials, int C) {
  const int size = get_local_size(0), item = get_local_id(0);
  LOCAL_BARRIER;
  memory[index] = below->sum;
  memory[size + index] = below->product;
  group_sum(memory, quads, 2);
  if (item < quads) {
    *(__global float4 *)(partials + 4 * item) = memory[item];
    *(__global float4 *)(partials + C + 4 * item) = memory[size + item];
  }
}

// batchnorm_backward_sums that also leaves the masked gradient (in `gradient`, which may be doutput itself). Without
// `has_output` the mask is computed again. C is a multiple of 16.
// Launch: (ceil(M / rows) groups, C / 16 groups).
__kernel void batchnorm_backward_mask_sums(
    __global const activation *doutput, __global const activation *restrict output,
    __global const activation *restrict input, __global const float *restrict mean,
    __global const float *restrict inverse, __global const float *restrict parameters, __global activation *gradient,
    __global float *restrict partials, int gamma_at, int beta_at, int M, int C, int rows, int has_output, int rectify) {
  __local float4 memory[2 * GROUP_ITEMS];
  const int item = get_local_id(0), first_c = get_group_id(1) * LANES, c = first_c + item % 4 * 4;
  const int first = get_group_id(0) * rows, last = min(M, first + rows);
  NormalizationBelow below = load_normalization_below(mean, inverse, parameters, gamma_at, beta_at, c);
  for (int m = first + item / 4; m < last; m += get_local_size(0) / 4) {
    const int at = m * C + c;
    STORE_ACTIVATION_QUAD(
        gradient_below(&below, ACTIVATION_QUAD(doutput + at), input, output, at, has_output, rectify), gradient + at);
  }
  store_sums_below(&below, memory, item, 4, partials + get_group_id(0) * 2 * C + first_c, C);
}

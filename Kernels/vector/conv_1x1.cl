// 1x1 convolutions with stride 1 for CPU-type devices: matrix products, output [M, O] = input [M, C] * weights, M = B * H *
// W, weights packed [O/16][C][16] at weights + weights_at. Straight from the rows of the input: they lie side by side.

// A convolution's sum through the batch norm that follows with running statistics (as a scale and a shift), the addition
// of a residual, and a ReLU.
FUNCTION float16 conv_finished(
    float16 sum, float16 scale, float16 shift, __global const activation *addend, int lanes, int rectify, float limit) {
  float16 value = fma(sum, scale, shift);
  if (addend) value += load_activations(addend, lanes);
  return rectify ? rectified16(value, limit) : value;
}

// One register tile: CONV_PIXELS rows of `blocks` channel blocks. A tile over the end repeats its last row.
FUNCTION void conv_1x1_tile(
    __global const activation *input, __global const float *weights, int C, int valid, int blocks, float16 *sums) {
  __global const activation *row[CONV_PIXELS];
#pragma unroll
  for (int t = 0; t < CONV_PIXELS; t++) row[t] = input + min(t, valid - 1) * C;
#pragma unroll 1
  for (int c = 0; c < C; c++) {
    float16 weight[CONV_BLOCKS];
#pragma unroll
    for (int j = 0; j < CONV_BLOCKS; j++)
      if (j < blocks) weight[j] = vload16(j * C + c, weights);
#pragma unroll
    for (int t = 0; t < CONV_PIXELS; t++) {
      const float16 pixel = (float16)(load_activation(row[t] + c));
#pragma unroll
      for (int j = 0; j < CONV_BLOCKS; j++)
        if (j < blocks) sums[j * CONV_PIXELS + t] = fma(pixel, weight[j], sums[j * CONV_PIXELS + t]);
    }
  }
}

// What happens to the sums of a product.
typedef struct {
  __global const activation *addend;  // like output, or null
  __global const float *mean, *inverse, *gamma, *beta;
  __global float *partials;  // [2][PADDED(O)], or null
  int finished, rectify;
  float limit;
} Conv1x1Result;

// `rows` rows of `blocks` channel blocks beginning at channel `o0`.
FUNCTION void conv_1x1_rows(
    __global const activation *input, __global const float *weights, __global activation *output,
    const Conv1x1Result *result, int C, int O, int o0, int rows, int blocks) {
  const int count = O - o0;
  float16 origin[CONV_BLOCKS], sum[CONV_BLOCKS], squares[CONV_BLOCKS], scale[CONV_BLOCKS], shift[CONV_BLOCKS];
#pragma unroll
  for (int j = 0; j < CONV_BLOCKS; j++)
    if (j < blocks && result->finished) {
      const int o = o0 + j * LANES;
      scale[j] = vload16(0, result->gamma + o) * vload16(0, result->inverse + o);
      shift[j] = vload16(0, result->beta + o) - vload16(0, result->mean + o) * scale[j];
    }
  for (int m = 0; m < rows; m += CONV_PIXELS) {
    const int valid = min(CONV_PIXELS, rows - m);
    float16 sums[CONV_PIXELS * CONV_BLOCKS];
#pragma unroll
    for (int i = 0; i < CONV_PIXELS * CONV_BLOCKS; i++) sums[i] = (float16)(0.0f);
    conv_1x1_tile(input + m * C, weights, C, valid, blocks, sums);
#pragma unroll
    for (int j = 0; j < CONV_BLOCKS; j++)
      if (j < blocks) {
        const int lanes = min(LANES, count - j * LANES);
        if (m == 0) {
          origin[j] = sums[j * CONV_PIXELS];
          sum[j] = squares[j] = (float16)(0.0f);
        }
#pragma unroll
        for (int t = 0; t < CONV_PIXELS; t++)
          if (t < valid) {
            float16 value = sums[j * CONV_PIXELS + t];
            const int at = (m + t) * O + o0 + j * LANES;
            __global const activation *addend = result->addend ? result->addend + at : 0;
            if (result->finished)
              value = conv_finished(value, scale[j], shift[j], addend, lanes, result->rectify, result->limit);
            else if (addend)
              value += load_activations(addend, lanes);
            store_activations(value, output + at, lanes);
            if (result->partials) {
              const float16 difference = value - origin[j];
              sum[j] += difference;
              squares[j] = fma(difference, difference, squares[j]);
            }
          }
      }
  }
  if (result->partials) {
    const float16 n = (float16)(1.0f / (float)rows);
#pragma unroll
    for (int j = 0; j < CONV_BLOCKS; j++)
      if (j < blocks) {
        vstore16(origin[j] + sum[j] * n, 0, result->partials + o0 + j * LANES);
        vstore16(squares[j] - sum[j] * sum[j] * n, 0, result->partials + PADDED(O) + o0 + j * LANES);
      }
  }
}

// One work-item: `rows` rows, `columns` output channels (a multiple of 32). Launch: (ceil(M / rows), ceil(O / columns)).
// partials: per piece of rows [2][PADDED(O)], mean and sum of squared deviations (for batch norm), or null; addend: like
// output, or null. finished: output = scale * sum + shift [+ addend] [max 0, min limit] with a batch norm's scale and
// shift. Its backward-data is the same kernel on transposed weights (conv_transpose_weights).
__kernel void conv_forward_1x1(
    __global const activation *restrict input, __global const float *restrict weights,
    __global const activation *addend, __global const float *mean, __global const float *inverse,
    __global const float *parameters, __global activation *output, __global float *restrict partials, int weights_at,
    int gamma_at, int beta_at, int M, int C, int O, int rows, int columns, int finished, int has_addend,
    int has_partials, int rectify, float limit) {
  const int piece = get_global_id(0), first = piece * rows, own = min(rows, M - first);
  const int last_o = min(O, ((int)get_global_id(1) + 1) * columns);
  Conv1x1Result result;
  result.addend = has_addend ? addend + first * O : 0;
  result.mean = mean;
  result.inverse = inverse;
  result.gamma = parameters + gamma_at;
  result.beta = parameters + beta_at;
  result.partials = has_partials ? partials + piece * 2 * PADDED(O) : 0;
  result.finished = finished;
  result.rectify = rectify;
  result.limit = limit;
  input += first * C;
  output += first * O;
  weights += weights_at;
  int o0 = get_global_id(1) * columns;
  for (; last_o - o0 > (CONV_BLOCKS - 1) * LANES; o0 += CONV_BLOCKS * LANES)
    conv_1x1_rows(input, weights + o0 * C, output, &result, C, O, o0, own, CONV_BLOCKS);
  for (; o0 < last_o; o0 += LANES) conv_1x1_rows(input, weights + o0 * C, output, &result, C, O, o0, own, 1);
}

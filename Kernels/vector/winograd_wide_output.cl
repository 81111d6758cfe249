// The second and third step of winograd_wide.cl: products of panels and weights, and what becomes of them.

// output = the convolution whose input is in `panels` (+ addend), for the tiles from `first` to `last`. has_below: as
// in winograd_backward_data; else, with has_partials, the output's mean and sum of squared deviations. partials:
// [group][2][O], groups counted from the first of all tiles. One work-item: a group of T tiles, `outputs` channels, 16 or
// 32. Launch: (ceil(O / outputs), ceil((last - first) / T)), so that neighbours read the same panel, or with by_outputs the
// other way around, so that they read the same weights.
__kernel void winograd_wide_output(
    __global const float *panels, __global const float *weights, __global const activation *addend,
    __global activation *output, __global const activation *below, __global const activation *below_output,
    __global const float *below_mean, __global const float *below_inverse, __global const float *parameters,
    __global float *partials, int panels_at, int weights_at, int below_gamma_at, int below_beta_at, int C, int P, int Q,
    int O, int tile, int first, int last, int T, int outputs, int by_outputs, int has_addend, int has_below,
    int has_below_output, int has_partials, int rectify) {
  float16 products[WIDE_PRODUCTS / LANES];
  const int group = get_global_id(1 - by_outputs), begin = first + group * T, end = min(last, begin + T);
  const int points = WINOGRAD_POINTS(tile), point = WIDE_POINT(C, T), words = FACTOR_WORDS(C);
  const int product = (T + 1) * LANES;
  int o = get_global_id(by_outputs) * outputs;
  const int blocks = min(outputs, O - o) > LANES ? 2 : 1;
  winograd_result result;
  result.output = output;
  result.addend = has_addend ? addend : 0;
  result.partials = has_partials || has_below ? partials + begin / T * 2 * PADDED(O) : 0;
  result.backward = has_below;
  result.below = below;
  result.mask = has_below_output ? below_output : 0;
  result.mean = below_mean;
  result.inverse = below_inverse;
  result.gamma = parameters + below_gamma_at;
  result.beta = parameters + below_beta_at;
  result.rectify = rectify;
  panels += panels_at + group * points * point;
  weights += weights_at;
  for (int p = 0; p < points; p++)
    panel_multiply(
        panels + p * point, weights + (o * points + p * LANES) * words, (float *)products + p * product, words, T,
        end - begin, points * words * LANES, points * product, blocks);
  for (int j = 0; j < blocks; j++, o += LANES) {
    const float *block = (const float *)products + j * points * product;
    const int lanes = min(LANES, O - o);
    winograd_sums sums;
    winograd_begin(&result, &sums, o);
    if (tile == 2)
      winograd_output(&result, block, product, &sums, P, Q, O, o, lanes, 2, begin, end - begin);
    else
      winograd_output(&result, block, product, &sums, P, Q, O, o, lanes, 4, begin, end - begin);
    winograd_leave(&result, &sums, O, o);
  }
}

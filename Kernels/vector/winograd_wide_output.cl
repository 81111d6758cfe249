// The second and third step of winograd_wide.cl: products of panels and weights, and what becomes of them.

// At [products] A of one tile, whose points are `point` floats apart.
FUNCTION void wide_pixels_2x2(const float *products, int point, float16 *pixels) {
  float16 upper[4], lower[4];
#pragma unroll
  for (int j = 0; j < 4; j++) {
    const float16 m0 = vload16(0, products + j * point), m1 = vload16(0, products + (4 + j) * point);
    const float16 m2 = vload16(0, products + (8 + j) * point), m3 = vload16(0, products + (12 + j) * point);
    upper[j] = m0 + m1 + m2;
    lower[j] = m1 - m2 - m3;
  }
  pixels[0] = upper[0] + upper[1] + upper[2];
  pixels[1] = upper[1] - upper[2] - upper[3];
  pixels[2] = lower[0] + lower[1] + lower[2];
  pixels[3] = lower[1] - lower[2] - lower[3];
}

// One line of F(4x4)'s At m, to places `step` apart.
#define WIDE_LINE_OUT(m0, m1, m2, m3, m4, m5, y, step)                                                          \
  {                                                                                                             \
    const float16 s1 = m1 + m2, s2 = m3 + m4, t1 = m1 - m2, t2 = m3 - m4;                                       \
    (y)[0] = m0 + (s1 + s2);                                                                                    \
    (y)[step] = fma((float16)(WIDE_A), t1, (float16)(WIDE_B) * t2);                                             \
    (y)[2 * (step)] = fma((float16)(0.5f), s1, (float16)(2.0f) * s2);                                           \
    (y)[3 * (step)] = fma((float16)(0.5f * WIDE_A), t1, fma((float16)(2.0f * WIDE_B), t2, m5));                 \
  }

FUNCTION void wide_pixels_4x4(const float *products, int point, float16 *pixels) {
  float16 rows[24];
#pragma unroll
  for (int j = 0; j < 6; j++) {
    float16 m[6];
#pragma unroll
    for (int i = 0; i < 6; i++) m[i] = vload16(0, products + (6 * i + j) * point);
    WIDE_LINE_OUT(m[0], m[1], m[2], m[3], m[4], m[5], rows + j, 6)
  }
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const float16 *m = rows + 6 * i;
    WIDE_LINE_OUT(m[0], m[1], m[2], m[3], m[4], m[5], pixels + 4 * i, 1)
  }
}

// The output of one block of channels, from `o` on: tiles `first` to `last` of all images.
FUNCTION void wide_finish(
    const winograd_result *result, const float *products, int P, int Q, int O, int o, int tile, int first, int last,
    int T) {
  const int across = (Q + tile - 1) / tile, each = across * ((P + tile - 1) / tile), lanes = min(LANES, O - o);
  const int point = (T + 1) * LANES;
  float16 pixels[16], origin = (float16)(0.0f), sum = origin, squares = origin, scale = origin, shift = origin;
  if (result->backward) {
    origin = vload16(0, result->mean + o);
    scale = vload16(0, result->gamma + o) * vload16(0, result->inverse + o);
    shift = vload16(0, result->beta + o) - origin * scale;
  }
  int image = first / each, y = first % each / across * tile, x = first % across * tile, n = 0;
  for (int t = first; t < last; t++, products += LANES) {
    if (tile == 2)
      wide_pixels_2x2(products, point, pixels);
    else
      wide_pixels_4x4(products, point, pixels);
    // Deviations are taken from the first pixel's value: see winograd_transform_output.
    if (!result->backward && t == first) origin = pixels[0];
    const int high = min(tile, P - y), wide = min(tile, Q - x), at = ((image * P + y) * Q + x) * O + o;
    for (int i = 0; i < high; i++)
      for (int j = 0; j < wide; j++)
        winograd_finish(
            result, pixels[tile * i + j], at + (i * Q + j) * O, lanes, scale, shift, &origin, &sum, &squares);
    n += high * wide;
    x += tile;
    if (x >= Q) {
      x = 0;
      y += tile;
      if (y >= P) {
        y = 0;
        image++;
      }
    }
  }
  if (!result->partials) return;
  if (!result->backward) {
    const float16 mean = sum * (float16)(1.0f / (float)n);
    squares -= sum * mean;
    sum = origin + mean;
  }
  vstore16(sum, 0, result->partials + o);
  vstore16(squares, 0, result->partials + PADDED(O) + o);
}

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
  const int points = WIDE_POINTS(tile), point = WIDE_POINT(C, T), words = FACTOR_WORDS(C), product = (T + 1) * LANES;
  const int o = get_global_id(by_outputs) * outputs, blocks = min(outputs, O - o) > LANES ? 2 : 1;
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
  for (int j = 0; j < blocks; j++)
    wide_finish(&result, (const float *)products + j * points * product, P, Q, O, o + j * LANES, tile, begin, end, T);
}

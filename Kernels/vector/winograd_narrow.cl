// Winograd's convolutions (winograd.cl) with few channels, for CPU-type devices: one pass over pieces of a few rows,
// whose transforms stay in a core's nearest caches. Padding is 1. Channels are multiples of 16, at most WINOGRAD_CHANNELS,
// with tiles of 4x4 pixels WINOGRAD_CHANNELS_4X4.

// Tiles, or input channels, of one register tile: that many accumulators of 16 floats.
#ifndef WINOGRAD_STEP
#define WINOGRAD_STEP 8
#endif
// Pixels of a staged row.
#define WINOGRAD_PITCH(W, tile) (((W) + (tile) - 1) / (tile) * (tile) + 2)

// What the next work-item will read or write, at the place that corresponds to the beginning of the output.
typedef struct {
  __global const activation *at[7];
  int count;
} winograd_ahead;

FUNCTION void winograd_add_ahead(winograd_ahead *ahead, __global const activation *tensor, int next, int exists) {
  if (exists) ahead->at[ahead->count++] = tensor + next;
}

// MARK: Input

// Rows first - 1 ... first + rows of an image, whose first number is `at`: zeros outside of it. The rows that are this
// piece's own are also stored, if the source says so.
FUNCTION void winograd_stage(
    winograd_source *source, __global const float *mean, __global const float *inverse, __global const float *gamma,
    __global const float *beta, __global const float *sums, float *staged, int at, int H, int W, int C, int first,
    int rows, int pitch) {
  const float16 zero = (float16)(0.0f);
  for (int r = 0; r < rows + 2; r++) {
    const int h = first + r - 1, outside = h < 0 || h >= H;
    float *row = staged + r * pitch * C;
    for (int i = 0; i < C; i += LANES) vstore16(zero, 0, row + i);
    for (int i = outside ? C : (W + 1) * C; i < pitch * C; i += LANES) vstore16(zero, 0, row + i);
  }
  for (int c = 0; c < C; c += LANES) {
    winograd_source_block(source, mean, inverse, gamma, beta, sums, C, c);
    for (int r = 0; r < rows + 2; r++) {
      const int h = first + r - 1, own = r > 0 && r <= rows;
      if (h < 0 || h >= H) continue;
      float *to = staged + (r * pitch + 1) * C + c;
      for (int i = at + h * W * C + c, x = 0; x < W; x++, i += C, to += C)
        vstore16(winograd_pixel(source, i, LANES, own), 0, to);
    }
  }
}

// Bt d B of `count` tiles from tile `first` of the staged piece on, as words [point][C/16][T][16] for sums over channels,
// or `by_rows` [point][C/16][T / FACTOR_PAIR][16].
FUNCTION void winograd_transform(
    const float *staged, float *transformed, int C, int pitch, int across, int first, int count, int T, int tile,
    int by_rows) {
  const int point = by_rows ? C * T / FACTOR_PAIR : FACTOR_WORDS(C) * T;
  for (int c = 0; c < C; c += LANES) {
    float16 columns[36];
    for (int n = 0; n < count; n++) {
      const int y = (first + n) / across, x = first + n - y * across;
      const float *pixel = staged + tile * (y * pitch + x) * C + c;
      winograd_columns(pixel, pitch * C, C, tile, n == 0 || x == 0, columns);
#pragma unroll
      for (int i = 0; i < tile + 2; i++) {
        float16 v[6];
        winograd_row(columns, i, tile, v);
#pragma unroll
        for (int j = 0; j < tile + 2; j++) {
          float *to = transformed + ((tile + 2) * i + j) * point;
          if (by_rows)
            factor_store_row(v[j], to + c * T / FACTOR_PAIR, n);
          else
            factor_store_channels(v[j], to, c, n, T);
        }
      }
    }
    for (int n = count; n < T && !by_rows; n++)  // multiplied with the others, and never looked at
      for (int p = 0; p < WINOGRAD_POINTS(tile); p++)
        factor_store_channels((float16)(0.0f), transformed + p * point, c, n, T);
  }
}

// MARK: Products

// One point of one block of output channels: products [WINOGRAD_TILES][16] = K words of tiles,
// [ceil(K / 16)][WINOGRAD_TILES][16], times weights [K][16].
FUNCTION void winograd_multiply(const float *tiles, __global const float *weights, float *products, int K) {
  for (int first = 0; first < WINOGRAD_TILES; first += WINOGRAD_STEP) {
    float16 sums[WINOGRAD_STEP];
#pragma unroll
    for (int t = 0; t < WINOGRAD_STEP; t++) sums[t] = (float16)(0.0f);
    __global const float *w = weights;
    for (int k = 0; k < K; k += LANES) {
      const float *row = tiles + k * WINOGRAD_TILES + first * LANES;
      // Half of them, where two of sixteen channels are a word.
      const int words = FACTOR_PAIR == 1 ? LANES : min(LANES, K - k);
#pragma unroll 2
      for (int i = 0; i < words; i++) {
        const float16 weight = vload16(0, w);
        w += LANES;
#pragma unroll
        for (int t = 0; t < WINOGRAD_STEP; t++)
          sums[t] = factor_multiply_add((float16)(row[t * LANES + i]), weight, sums[t]);
      }
    }
#pragma unroll
    for (int t = 0; t < WINOGRAD_STEP; t++) vstore16(sums[t], first + t, products);
  }
}

// The convolution of a staged piece of `rows` rows. weights: see winograd_weights.
FUNCTION void winograd_piece(
    const winograd_result *result, const winograd_ahead *ahead, const float *staged, __global const float *weights,
    int W, int C, int O, int rows, int tile) {
  float16 transformed[WINOGRAD_TILES * WINOGRAD_TRANSFORMED / LANES];
  float16 products[WINOGRAD_TILES * WINOGRAD_POINTS(4)];
  winograd_sums sums[WINOGRAD_CHANNELS / LANES];
  const int across = (W + tile - 1) / tile, tiles = across * ((rows + tile - 1) / tile);
  const int points = WINOGRAD_POINTS(tile), words = FACTOR_WORDS(C), lines = tile * tile * WINOGRAD_TILES;
  // A first-level cache waits for some 20 lines at once, each for some 400 cycles. Few channels in many tensors need more.
  const int is_far = ahead->count * (int)sizeof(activation) >= C;
  for (int o = 0; o < O; o += LANES) winograd_begin(result, &sums[o / LANES], o);
  for (int first = 0; first < tiles; first += WINOGRAD_TILES) {
    const int count = min(WINOGRAD_TILES, tiles - first);
    winograd_transform(
        staged, (float *)transformed, C, WINOGRAD_PITCH(W, tile), across, first, count, WINOGRAD_TILES, tile, 0);
    for (int o = 0; o < O; o += LANES) {
      for (int p = 0, line = 0; p < points; p++) {
        for (; line < lines * (p + 1) / points; line++)
          for (int i = 0; i < ahead->count; i++) {
            __global const activation *at = ahead->at[i] + first * tile * tile * O + (o / LANES * lines + line) * LANES;
            if (is_far)
              PREFETCH_FAR(at);
            else
              PREFETCH(at);
          }
        winograd_multiply(
            (const float *)transformed + p * words * WINOGRAD_TILES, weights + (o / LANES * points + p) * words * LANES,
            (float *)products + p * WINOGRAD_TILES * LANES, C / FACTOR_PAIR);
      }
      winograd_output(
          result, (const float *)products, WINOGRAD_TILES * LANES, &sums[o / LANES], rows, W, O, o, LANES, tile, first,
          count);
    }
  }
  for (int o = 0; o < O; o += LANES) winograd_leave(result, &sums[o / LANES], O, o);
}

// MARK: Kernels

// output = conv(input) or conv(batch norm [+ residual] [ReLU] of the input), which is also written to `stored` if
// `has_stored`. One work-item: `rows` (whole tiles) output rows of one image, all channels. Launch: (ceil(H / rows), B).
// partials: as in conv_forward_3x3.
__kernel void winograd_forward(
    __global const activation *restrict input, __global const activation *restrict residual,
    __global const float *restrict mean, __global const float *restrict inverse,
    __global const float *restrict parameters, __global activation *restrict stored,
    __global const float *restrict weights, __global activation *restrict output, __global float *restrict partials,
    int gamma_at, int beta_at, int H, int W, int C, int O, int rows, int tile, int normalized, int has_residual,
    int rectify, int has_stored, int has_partials) {
  float16 staged[WINOGRAD_STAGED / LANES];
  const int piece = get_global_id(0), image = get_global_id(1), first = piece * rows, own = min(rows, H - first);
  const int pieces = (H + rows - 1) / rows, at = image * H * W * C, next = at + (first + rows) * W * C;
  winograd_source source;
  source.input = input;
  source.other = has_residual ? residual : 0;
  source.stored = has_stored ? stored : 0;
  source.mode = normalized ? WINOGRAD_NORMALIZED : WINOGRAD_PLAIN;
  source.rectify = rectify;
  winograd_result result;
  result.output = output + (image * H + first) * W * O;
  result.addend = 0;
  result.partials = has_partials ? partials + (image * pieces + piece) * 2 * O : 0;
  result.backward = 0;
  winograd_ahead ahead;
  ahead.count = 0;
  winograd_add_ahead(&ahead, input, next, 1);
  winograd_add_ahead(&ahead, residual, next, has_residual);
  winograd_add_ahead(&ahead, stored, next, has_stored);
  winograd_add_ahead(&ahead, output, next, 1);
  winograd_stage(
      &source, mean, inverse, parameters + gamma_at, parameters + beta_at, 0, (float *)staged, at, H, W, C, first,
      (own + tile - 1) / tile * tile, WINOGRAD_PITCH(W, tile));
  if (tile == 2)
    winograd_piece(&result, &ahead, (const float *)staged, weights, W, C, O, own, 2);
  else
    winograd_piece(&result, &ahead, (const float *)staged, weights, W, C, O, own, 4);
}

// dinput = transposed convolution of doutput (+ addend); the weights are rotated (winograd_weights).
//
// normalized: doutput is taken through the batch norm above (`input`, `mean`, `inverse`, `gamma_at`, `sums`), and the
// result is written to `stored`. has_below: dinput is masked by the ReLU of the batch norm below, and the two sums that
// its gradient needs are left in partials, [piece][2][O]. O: channels of dinput. Otherwise as winograd_forward.
__kernel void winograd_backward_data(
    __global const activation *restrict doutput, __global const activation *restrict input,
    __global const float *restrict mean, __global const float *restrict inverse,
    __global const float *restrict parameters, __global const float *restrict sums,
    __global activation *restrict stored, __global const float *restrict weights,
    __global const activation *restrict addend, __global activation *restrict dinput,
    __global const activation *restrict below, __global const activation *restrict below_output,
    __global const float *restrict below_mean, __global const float *restrict below_inverse,
    __global float *restrict partials, int gamma_at, int below_gamma_at, int below_beta_at, int H, int W, int C, int O,
    int rows, int tile, int normalized, int has_addend, int has_below, int has_below_output, int rectify) {
  float16 staged[WINOGRAD_STAGED / LANES];
  const int piece = get_global_id(0), image = get_global_id(1), first = piece * rows, own = min(rows, H - first);
  const int pieces = (H + rows - 1) / rows, to = (image * H + first) * W * O, next = to + rows * W * O;
  winograd_source source;
  source.input = doutput;
  source.other = input;
  source.stored = stored;
  source.mode = normalized ? WINOGRAD_GRADIENT : WINOGRAD_PLAIN;
  winograd_result result;
  result.output = dinput + to;
  result.addend = has_addend ? addend + to : 0;
  result.partials = has_below ? partials + (image * pieces + piece) * 2 * O : 0;
  result.backward = has_below;
  result.below = below + to;
  result.mask = has_below_output ? below_output + to : 0;
  result.mean = below_mean;
  result.inverse = below_inverse;
  result.gamma = parameters + below_gamma_at;
  result.beta = parameters + below_beta_at;
  result.rectify = rectify;
  winograd_ahead ahead;
  ahead.count = 0;
  winograd_add_ahead(&ahead, doutput, next, 1);
  winograd_add_ahead(&ahead, input, next, normalized);
  winograd_add_ahead(&ahead, stored, next, normalized);
  winograd_add_ahead(&ahead, addend, next, has_addend);
  winograd_add_ahead(&ahead, below, next, has_below);
  winograd_add_ahead(&ahead, below_output, next, has_below_output);
  winograd_add_ahead(&ahead, dinput, next, 1);
  winograd_stage(
      &source, mean, inverse, parameters + gamma_at, 0, sums, (float *)staged, image * H * W * C, H, W, C, first,
      (own + tile - 1) / tile * tile, WINOGRAD_PITCH(W, tile));
  if (tile == 2)
    winograd_piece(&result, &ahead, (const float *)staged, weights, W, C, O, own, 2);
  else
    winograd_piece(&result, &ahead, (const float *)staged, weights, W, C, O, own, 4);
}

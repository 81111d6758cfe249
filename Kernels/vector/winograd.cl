// 3x3 convolutions with stride 1 and padding 1 for CPU-type devices by Winograd's F(2x2, 3x3): 16 multiplications make
// 4 output pixels, where the sum itself takes 36 (Lavin & Gray, 2016, arXiv:1509.09308). Batch norm and ReLU are taken
// into the same pass: the tensors between them and the convolution are neither written nor read.
//
//   output tile = At [ (G w Gt) * (Bt d B) ] A, with the sum over channels between the products and the outer transform
//   Bt = [1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1]   G = [1 0 0; .5 .5 .5; .5 -.5 .5; 0 0 1]   At = [1 1 1 0; 0 1 -1 -1]
//
// Channels are multiples of 16, at most WINOGRAD_CHANNELS. Names: a point is one of the 16 positions of a transformed
// tile; a block is sixteen channels. Tensors as in conv.cl.

// Tiles that are transformed and multiplied together.
#define WINOGRAD_TILES 16
// Tiles, or input channels, of one register tile: that many accumulators of 16 floats.
#ifndef WINOGRAD_STEP
#define WINOGRAD_STEP 16
#endif
// Vectors of private scratch: transformed tiles of all channels, and of one block.
#define WINOGRAD_TRANSFORMED (16 * WINOGRAD_TILES * WINOGRAD_CHANNELS / LANES)
#define WINOGRAD_PRODUCTS (16 * WINOGRAD_TILES)

// What is done with each output vector, and the sums that are taken on the way.
typedef struct {
  __global activation *output;
  __global const activation *addend;  // or null
  // Forward: mean and sum of squared deviations of the output, per channel. Backward: the sums that batch norm's
  // gradient needs. Null for none.
  __global float *partials;
  int backward;
  // The batch norm below: what it normalised, where its ReLU was on (null: computed again), and its numbers.
  __global const activation *below, *mask;
  __global const float *mean, *inverse, *gamma, *beta;
  int rectify;
  // What the next work-item will read, at the place that corresponds to the beginning of `output`; null for nothing.
  __global const activation *ahead[7];
} winograd_result;

// MARK: Transformed weights

// The weights of input channel `from`; see winograd_weights. Two channels may share words, the first comes first.
FUNCTION void winograd_transform_weights(
    __global const float *weights, __global float *transformed, int C, int from, int block, int words, int rotated180) {
  float16 rows[12];
  for (int kw = 0; kw < 3; kw++) {
    float16 w[3];
    for (int kh = 0; kh < 3; kh++) {
      if (!rotated180) {
        w[kh] = vload16(0, weights + ((block * 9 + kh * 3 + kw) * C + from) * LANES);
      } else {
        // Sixteen input channels of one output channel.
        float lanes[LANES];
        const int tap = (2 - kh) * 3 + 2 - kw;
        for (int i = 0; i < LANES; i++)
          lanes[i] = weights[((from / LANES * 9 + tap) * C + block * LANES + i) * LANES + from % LANES];
        w[kh] = vload16(0, lanes);
      }
    }
    const float16 ends = (w[0] + w[2]) * (float16)(0.5f), middle = w[1] * (float16)(0.5f);
    rows[kw] = w[0];
    rows[3 + kw] = ends + middle;
    rows[6 + kw] = ends - middle;
    rows[9 + kw] = w[2];
  }
  const int next = words * LANES;
  transformed += (block * 16 * words + from / FACTOR_PAIR) * LANES;
  for (int i = 0; i < 4; i++, transformed += 4 * next) {
    const float16 ends = (rows[3 * i] + rows[3 * i + 2]) * (float16)(0.5f);
    const float16 middle = rows[3 * i + 1] * (float16)(0.5f);
    factor_store_shared(rows[3 * i], transformed, from);
    factor_store_shared(ends + middle, transformed + next, from);
    factor_store_shared(ends - middle, transformed + 2 * next, from);
    factor_store_shared(rows[3 * i + 2], transformed + 3 * next, from);
  }
}

// U = G w Gt, as words [O/16][16][C / FACTOR_PAIR][16]. With `rotated180`, the filters are rotated by 180 degrees and
// input and output channels change places: the convolution with them is backward-data. Launch: (channels read /
// FACTOR_PAIR, blocks of channels written).
__kernel void winograd_weights(
    __global const float *restrict weights, __global float *restrict transformed, int weights_at, int C, int O,
    int rotated180) {
  const int words = (rotated180 ? O : C) / FACTOR_PAIR, first = get_global_id(0) * FACTOR_PAIR;
  for (int from = first; from < first + FACTOR_PAIR; from++)
    winograd_transform_weights(
        weights + weights_at, transformed, C, from, get_global_id(1), words, rotated180);
}

// MARK: Staging

// Zeros where the staged piece lies outside of the image: whole rows, and the pixels left and right of the others.
FUNCTION void winograd_stage_border(float *staged, int H, int W, int C, int first, int rows, int pitch) {
  const float16 zero = (float16)(0.0f);
  for (int r = 0; r < rows + 2; r++) {
    const int h = first + r - 1, outside = h < 0 || h >= H;
    float *row = staged + r * pitch * C;
    for (int i = 0; i < C; i += LANES) vstore16(zero, 0, row + i);
    for (int i = outside ? C : (W + 1) * C; i < pitch * C; i += LANES) vstore16(zero, 0, row + i);
  }
}

// gamma * (input - mean) * inverse + beta [+ residual] [max 0] of rows first - 1 ... first + rows, or the input itself
// where `mean` is null. The rows that are this piece's own are also written to `stored`, if given.
FUNCTION void winograd_stage(
    __global const activation *input, __global const activation *residual, __global const float *mean,
    __global const float *inverse, __global const float *gamma, __global const float *beta, __global activation *stored,
    float *staged, int H, int W, int C, int first, int rows, int pitch, int rectify) {
  winograd_stage_border(staged, H, W, C, first, rows, pitch);
  const float16 zero = (float16)(0.0f);
  for (int c = 0; c < C; c += LANES) {
    float16 scale = (float16)(1.0f), shift = zero;
    if (mean) {
      scale = vload16(0, gamma + c) * vload16(0, inverse + c);
      shift = vload16(0, beta + c) - vload16(0, mean + c) * scale;
    }
    for (int r = 0; r < rows + 2; r++) {
      const int h = first + r - 1, own = r > 0 && r <= rows;
      if (h < 0 || h >= H) continue;
      float *to = staged + (r * pitch + 1) * C + c;
      for (int i = h * W * C + c, x = 0; x < W; x++, i += C, to += C) {
        float16 value = load_activation16(input + i);
        if (mean) {
          value = fma(value, scale, shift);
          if (residual) value += load_activation16(residual + i);
          if (rectify) value = value < zero ? zero : value;
          if (stored && own) store_activation16(value, stored + i);
        }
        vstore16(value, 0, to);
      }
    }
  }
}

// The gradient of batch norm's input, gamma * inverse * (g - sums[0] - (input - mean) * sums[1]), likewise.
FUNCTION void winograd_stage_gradient(
    __global const activation *gradient, __global const activation *input, __global const float *mean,
    __global const float *inverse, __global const float *gamma, __global const float *sums, __global activation *stored,
    float *staged, int H, int W, int C, int first, int rows, int pitch) {
  winograd_stage_border(staged, H, W, C, first, rows, pitch);
  for (int c = 0; c < C; c += LANES) {
    float16 scale = (float16)(0.0f), slope = scale, offset = scale, center = scale;
    if (input) {
      scale = vload16(0, gamma + c) * vload16(0, inverse + c);
      offset = vload16(0, sums + c);
      slope = vload16(0, sums + C + c);
      center = vload16(0, mean + c);
    }
    for (int r = 0; r < rows + 2; r++) {
      const int h = first + r - 1, own = r > 0 && r <= rows;
      if (h < 0 || h >= H) continue;
      float *to = staged + (r * pitch + 1) * C + c;
      for (int i = h * W * C + c, x = 0; x < W; x++, i += C, to += C) {
        float16 value = load_activation16(gradient + i);
        if (input) {
          value = scale * (value - offset - (load_activation16(input + i) - center) * slope);
          if (own) store_activation16(value, stored + i);
        }
        vstore16(value, 0, to);
      }
    }
  }
}

// MARK: Tiles

// One column of Bt d: four pixels below each other.
#define WINOGRAD_COLUMN(column, pixel)                                                    \
  {                                                                                       \
    const float16 p0 = vload16(0, (pixel)), p1 = vload16(0, (pixel) + row);               \
    const float16 p2 = vload16(0, (pixel) + 2 * row), p3 = vload16(0, (pixel) + 3 * row); \
    column[0] = p0 - p2;                                                                  \
    column[1] = p1 + p2;                                                                  \
    column[2] = p2 - p1;                                                                  \
    column[3] = p1 - p3;                                                                  \
  }

// Bt d B of `count` tiles from tile `first` of the staged piece on, as words [16][C/16][WINOGRAD_TILES][16].
FUNCTION void winograd_transform_input(
    const float *staged, float *transformed, int C, int pitch, int across, int first, int count) {
  const int row = pitch * C, point = FACTOR_WORDS(C) * WINOGRAD_TILES;
  for (int c = 0; c < C; c += LANES) {
    float16 left[4], second[4], third[4], right[4];
    for (int n = 0; n < count; n++) {
      const int y = (first + n) / across, x = first + n - y * across;
      const float *pixel = staged + (2 * y * pitch + 2 * x) * C + c;
      if (n == 0 || x == 0) {
        WINOGRAD_COLUMN(left, pixel)
        WINOGRAD_COLUMN(second, pixel + C)
      } else {  // neighbours share two columns
#pragma unroll
        for (int i = 0; i < 4; i++) {
          left[i] = third[i];
          second[i] = right[i];
        }
      }
      WINOGRAD_COLUMN(third, pixel + 2 * C)
      WINOGRAD_COLUMN(right, pixel + 3 * C)
#pragma unroll
      for (int i = 0; i < 4; i++) {
        float *to = transformed + 4 * i * point;
        factor_store_channels(left[i] - third[i], to, c, n, WINOGRAD_TILES);
        factor_store_channels(second[i] + third[i], to + point, c, n, WINOGRAD_TILES);
        factor_store_channels(third[i] - second[i], to + 2 * point, c, n, WINOGRAD_TILES);
        factor_store_channels(second[i] - right[i], to + 3 * point, c, n, WINOGRAD_TILES);
      }
    }
    for (int n = count; n < WINOGRAD_TILES; n++)  // multiplied with the others, and never looked at
#pragma unroll
      for (int p = 0; p < 16; p++)
        factor_store_channels((float16)(0.0f), transformed + p * point, c, n, WINOGRAD_TILES);
  }
}

// One point of one block of output channels: products [WINOGRAD_TILES][16] = K words of tiles,
// [ceil(K / 16)][WINOGRAD_TILES][16], times weights [K][16].
FUNCTION void winograd_multiply(const float *tiles, __global const float *weights, float *products, int K) {
  for (int first = 0; first < WINOGRAD_TILES; first += WINOGRAD_STEP) {
    float16 sums[WINOGRAD_STEP];
#pragma unroll
    for (int t = 0; t < WINOGRAD_STEP; t++) sums[t] = (float16)(0.0f);
    __global const float *w = weights;
    for (int k = 0; k < K; k += LANES) {
      const float *tile = tiles + k * WINOGRAD_TILES + first * LANES;
      // Half of them, where two of sixteen channels are a word.
      const int words = FACTOR_PAIR == 1 ? LANES : min(LANES, K - k);
#pragma unroll 2
      for (int i = 0; i < words; i++) {
        const float16 weight = vload16(0, w);
        w += LANES;
#pragma unroll
        for (int t = 0; t < WINOGRAD_STEP; t++)
          sums[t] = factor_multiply_add((float16)(tile[t * LANES + i]), weight, sums[t]);
      }
    }
#pragma unroll
    for (int t = 0; t < WINOGRAD_STEP; t++) vstore16(sums[t], first + t, products);
  }
}

// One output vector at float `i` of the result, of which `lanes` channels exist: addend, mask, sums.
FUNCTION void winograd_finish(
    const winograd_result *result, float16 value, int i, int lanes, float16 scale, float16 shift, float16 *origin,
    float16 *sum, float16 *squares) {
  const float16 zero = (float16)(0.0f);
  if (result->addend) value += load_activations(result->addend + i, lanes);
  if (result->backward) {
    const float16 below = load_activations(result->below + i, lanes);
    if (result->rectify) {
      // The same expression as in winograd_stage, so that the mask is the forward pass's to the last bit.
      const float16 on = result->mask ? load_activations(result->mask + i, lanes) : fma(below, scale, shift);
      value = on > zero ? value : zero;
    }
    *sum += value;
    *squares = fma(value, below - *origin, *squares);
  } else if (result->partials) {
    const float16 difference = value - *origin;
    *sum += difference;
    *squares = fma(difference, difference, *squares);
  }
  store_activations(value, result->output + i, lanes);
}

// The output tiles of one block of channels, for `count` tiles from `first` on: At [products] A, then winograd_finish.
FUNCTION void winograd_transform_output(
    const winograd_result *result, const float *products, float16 *state, int W, int O, int o, int across, int first,
    int count, int rows) {
  float16 origin = state[0], sum = state[1], squares = state[2], scale = origin, shift = origin;
  if (result->backward) {
    scale = vload16(0, result->gamma + o) * vload16(0, result->inverse + o);
    shift = vload16(0, result->beta + o) - vload16(0, result->mean + o) * scale;
  }
  for (int n = 0; n < count; n++) {
    const int y = (first + n) / across, x = first + n - y * across;
    float16 upper[4], lower[4];
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const float16 m0 = vload16(j * WINOGRAD_TILES + n, products);
      const float16 m1 = vload16((4 + j) * WINOGRAD_TILES + n, products);
      const float16 m2 = vload16((8 + j) * WINOGRAD_TILES + n, products);
      const float16 m3 = vload16((12 + j) * WINOGRAD_TILES + n, products);
      upper[j] = m0 + m1 + m2;
      lower[j] = m1 - m2 - m3;
    }
    const int at = (2 * y * W + 2 * x) * O + o;
    const int wide = 2 * x + 1 < W, high = 2 * y + 1 < rows;
    const float16 corner = upper[0] + upper[1] + upper[2];
    // Deviations are taken from the first pixel's value, not from zero: sums of plain squares lose all digits where a
    // channel's mean is large against its spread.
    if (!result->backward && first + n == 0) origin = corner;
    winograd_finish(result, corner, at, LANES, scale, shift, &origin, &sum, &squares);
    if (wide)
      winograd_finish(
          result, upper[1] - upper[2] - upper[3], at + O, LANES, scale, shift, &origin, &sum, &squares);
    if (high)
      winograd_finish(
          result, lower[0] + lower[1] + lower[2], at + W * O, LANES, scale, shift, &origin, &sum, &squares);
    if (high && wide)
      winograd_finish(
          result, lower[1] - lower[2] - lower[3], at + W * O + O, LANES, scale, shift, &origin, &sum, &squares);
  }
  state[0] = origin;
  state[1] = sum;
  state[2] = squares;
}

FUNCTION void winograd_prefetch(const winograd_result *result, int at) {
  for (int i = 0; i < 7; i++)
    if (result->ahead[i])
      for (int line = 0; line < 4; line++) PREFETCH(result->ahead[i] + at + line * LANES);
}

// The convolution of a staged piece of `rows` rows. weights: transformed, words [O/16][16][C / FACTOR_PAIR][16].
FUNCTION void winograd_piece(
    const winograd_result *result, const float *staged, __global const float *weights, int W, int C, int O, int rows,
    int pitch) {
  float16 transformed[WINOGRAD_TRANSFORMED], products[WINOGRAD_PRODUCTS];
  float16 states[3 * WINOGRAD_CHANNELS / LANES];
  const int across = (W + 1) / 2, tiles = across * ((rows + 1) / 2);
  for (int o = 0; o < O; o += LANES) {
    float16 *state = states + o / LANES * 3;
    state[0] = state[1] = state[2] = (float16)(0.0f);
    if (result->backward) state[0] = vload16(0, result->mean + o);
  }
  for (int first = 0; first < tiles; first += WINOGRAD_TILES) {
    const int count = min(WINOGRAD_TILES, tiles - first);
    winograd_transform_input(staged, (float *)transformed, C, pitch, across, first, count);
    for (int o = 0; o < O; o += LANES) {
      for (int p = 0; p < 16; p++) {
        winograd_prefetch(result, (first * 4 * O) + (o + p) * 4 * LANES);
        winograd_multiply(
            (const float *)transformed + p * FACTOR_WORDS(C) * WINOGRAD_TILES,
            weights + (o * 16 + p * LANES) * (C / FACTOR_PAIR), (float *)products + p * WINOGRAD_TILES * LANES,
            C / FACTOR_PAIR);
      }
      winograd_transform_output(
          result, (const float *)products, states + o / LANES * 3, W, O, o, across, first, count, rows);
    }
  }
  if (!result->partials) return;
  const float16 n = (float16)(1.0f / (float)(rows * W));
  for (int o = 0; o < O; o += LANES) {
    const float16 *state = states + o / LANES * 3;
    float16 first = state[1], second = state[2];
    if (!result->backward) {
      first = state[0] + state[1] * n;
      second = state[2] - state[1] * state[1] * n;
    }
    vstore16(first, 0, result->partials + o);
    vstore16(second, 0, result->partials + O + o);
  }
}

// MARK: Kernels

// output = conv(input) or conv(batch norm [+ residual] [ReLU] of the input), which is also written to `stored` if
// `has_stored`. One work-item: `rows` (an even number) output rows of one image, all channels. Launch: (ceil(H / rows),
// B). partials: as in conv_forward_3x3. pitch: pixels of a staged row, W + 2 rounded up to an even number.
__kernel void winograd_forward(
    __global const activation *restrict input, __global const activation *restrict residual,
    __global const float *restrict mean, __global const float *restrict inverse,
    __global const float *restrict parameters, __global activation *restrict stored,
    __global const float *restrict weights, __global activation *restrict output, __global float *restrict partials,
    int gamma_at, int beta_at, int H, int W, int C, int O, int rows, int normalized, int has_residual, int rectify,
    int has_stored, int has_partials) {
  float16 staged[WINOGRAD_STAGED / LANES];
  const int piece = get_global_id(0), image = get_global_id(1), first = piece * rows, own = min(rows, H - first);
  const int pitch = (W + 3) / 2 * 2, pieces = (H + rows - 1) / rows, at = image * H * W * C;
  winograd_result result;
  result.output = output + (image * H + first) * W * O;
  result.addend = 0;
  result.partials = has_partials ? partials + (image * pieces + piece) * 2 * O : 0;
  result.backward = 0;
  const int next = at + (first + rows) * W * C;
  result.ahead[0] = input + next;
  result.ahead[1] = has_residual ? residual + next : 0;
  result.ahead[2] = has_stored ? stored + next : 0;
  result.ahead[3] = output + next;
  result.ahead[4] = result.ahead[5] = result.ahead[6] = 0;
  winograd_stage(
      input + at, has_residual ? residual + at : 0, normalized ? mean : 0, inverse, parameters + gamma_at,
      parameters + beta_at, has_stored ? stored + at : 0, (float *)staged, H, W, C, first, (own + 1) / 2 * 2, pitch,
      rectify);
  winograd_piece(&result, (const float *)staged, weights, W, C, O, own, pitch);
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
    int rows, int normalized, int has_addend, int has_below, int has_below_output, int rectify) {
  float16 staged[WINOGRAD_STAGED / LANES];
  const int piece = get_global_id(0), image = get_global_id(1), first = piece * rows, own = min(rows, H - first);
  const int pitch = (W + 3) / 2 * 2, pieces = (H + rows - 1) / rows;
  const int at = image * H * W * C, to = (image * H + first) * W * O;
  winograd_result result;
  result.output = dinput + to;
  result.addend = has_addend ? addend + to : 0;
  result.partials = has_below ? partials + (image * pieces + piece) * 2 * O : 0;
  result.backward = has_below;
  const int next = to + rows * W * O;
  result.ahead[0] = doutput + next;
  result.ahead[1] = normalized ? input + next : 0;
  result.ahead[2] = normalized ? stored + next : 0;
  result.ahead[3] = has_addend ? addend + next : 0;
  result.ahead[4] = has_below ? below + next : 0;
  result.ahead[5] = has_below_output ? below_output + next : 0;
  result.ahead[6] = dinput + next;
  result.below = below + to;
  result.mask = has_below_output ? below_output + to : 0;
  result.mean = below_mean;
  result.inverse = below_inverse;
  result.gamma = parameters + below_gamma_at;
  result.beta = parameters + below_beta_at;
  result.rectify = rectify;
  winograd_stage_gradient(
      doutput + at, normalized ? input + at : 0, mean, inverse, parameters + gamma_at, sums, stored + at,
      (float *)staged, H, W, C, first, (own + 1) / 2 * 2, pitch);
  winograd_piece(&result, (const float *)staged, weights, W, C, O, own, pitch);
}

// The gradient of a 3x3 convolution's weights by the transposed form of winograd.cl's algorithm:
//
//   dw = Gt [ sum over tiles of (A dy At) * (Bt d B) ] G
//
// with 16 multiplications for what takes 36. Each work-item sums over a chunk of images; the chunks' sums are added up in
// order, and transformed once, by winograd_reduce_weights.

// Tiles that are transformed together: the longer, the less the sums travel; the transformed tiles of four points should
// stay in the first-level cache.
#define WINOGRAD_LONG 32
// Vectors of private scratch: transformed tiles of four points.
#define WINOGRAD_ROW (4 * WINOGRAD_LONG * WINOGRAD_CHANNELS / LANES)

// Row i of Bt d B, of `count` tiles from tile `first` of the staged piece on, as words
// [4][C/16][WINOGRAD_LONG / FACTOR_PAIR][16].
FUNCTION void winograd_transform_input_row(
    const float *staged, float *transformed, int C, int pitch, int across, int first, int count, int i) {
  const int point = C * WINOGRAD_LONG / FACTOR_PAIR;
  // Each row of Bt takes two rows of pixels.
  const int upper = (i == 0 ? 0 : i == 2 ? 2 : 1) * pitch * C, lower = (i == 3 ? 3 : i == 2 ? 1 : 2) * pitch * C;
  const float16 sign = (float16)(i == 1 ? 1.0f : -1.0f);
  for (int c = 0; c < C; c += LANES) {
    float16 left, second, third = (float16)(0.0f), right = third;
    int y = first / across, x = first - y * across;
    for (int n = 0; n < count; n++) {
      const float *pixel = staged + (2 * y * pitch + 2 * x) * C + c;
      if (n == 0 || x == 0) {
        left = fma(sign, vload16(0, pixel + lower), vload16(0, pixel + upper));
        second = fma(sign, vload16(0, pixel + C + lower), vload16(0, pixel + C + upper));
      } else {  // neighbours share two columns
        left = third;
        second = right;
      }
      third = fma(sign, vload16(0, pixel + 2 * C + lower), vload16(0, pixel + 2 * C + upper));
      right = fma(sign, vload16(0, pixel + 3 * C + lower), vload16(0, pixel + 3 * C + upper));
      float *to = transformed + c * WINOGRAD_LONG / FACTOR_PAIR;
      factor_store_row(left - third, to, n);
      factor_store_row(second + third, to + point, n);
      factor_store_row(third - second, to + 2 * point, n);
      factor_store_row(second - right, to + 3 * point, n);
      if (++x == across) {
        x = 0;
        y++;
      }
    }
  }
}

// Row i of A dy At, of `count` tiles from tile `first` of the piece on, as words
// [4][O/16][WINOGRAD_LONG / FACTOR_PAIR][16]; outside of the piece dy is zero.
FUNCTION void winograd_transform_gradient_row(
    __global const activation *doutput, float *transformed, int W, int O, int rows, int across, int first, int count,
    int i) {
  const int point = O * WINOGRAD_LONG / FACTOR_PAIR;
  const float16 zero = (float16)(0.0f);
  const float16 upper = (float16)(i == 3 ? 0.0f : 1.0f), lower = (float16)(i == 0 ? 0.0f : i == 1 ? 1.0f : -1.0f);
  for (int o = 0; o < O; o += LANES) {
    int y = first / across, x = first - y * across;
    for (int n = 0; n < count; n++) {
      const int wide = 2 * x + 1 < W, high = 2 * y + 1 < rows;
      __global const activation *from = doutput + (2 * y * W + 2 * x) * O + o;
      float16 left = upper * load_activation16(from), right = wide ? upper * load_activation16(from + O) : zero;
      if (high) left = fma(lower, load_activation16(from + W * O), left);
      if (high && wide) right = fma(lower, load_activation16(from + W * O + O), right);
      float *to = transformed + o * WINOGRAD_LONG / FACTOR_PAIR;
      factor_store_row(left, to, n);
      factor_store_row(left + right, to + point, n);
      factor_store_row(left - right, to + 2 * point, n);
      factor_store_row(-right, to + 3 * point, n);
      if (++x == across) {
        x = 0;
        y++;
      }
    }
  }
}

// sums [16][16] += tiles' [count][16] words times gradients [count][16]: sixteen input by sixteen output channels.
FUNCTION void winograd_accumulate(
    const float *tiles, const float *gradients, __global float *sums, int count, int begin) {
  for (int first = 0; first < LANES; first += WINOGRAD_STEP) {
    float16 sum[WINOGRAD_STEP];
#pragma unroll
    for (int i = 0; i < WINOGRAD_STEP; i++) sum[i] = begin ? (float16)(0.0f) : vload16(first + i, sums);
    const float *tile = tiles + first;
#pragma unroll 1
    for (int n = 0; n < count; n++) {
      const float16 gradient = vload16(n, gradients);
#pragma unroll
      for (int i = 0; i < WINOGRAD_STEP; i++)
        sum[i] = factor_multiply_add((float16)(tile[n * LANES + i]), gradient, sum[i]);
    }
#pragma unroll
    for (int i = 0; i < WINOGRAD_STEP; i++) vstore16(sum[i], first + i, sums);
  }
}

// One work-item: `images` images. Writes sums [chunk][O/16][16][C][16]. The input is taken through batch norm and ReLU
// if `normalized`, as in winograd_forward. Launch: (chunks).
__kernel void winograd_backward_weights(
    __global const activation *restrict input, __global const float *restrict mean,
    __global const float *restrict inverse, __global const float *restrict parameters,
    __global const activation *restrict doutput, __global float *restrict partials, int gamma_at, int beta_at, int B,
    int H, int W, int C, int O, int rows, int images, int normalized, int rectify) {
  float16 staged[WINOGRAD_STAGED / LANES], transformed[WINOGRAD_ROW], gradients[WINOGRAD_ROW];
  const int chunk = get_global_id(0), pitch = (W + 3) / 2 * 2, across = (W + 1) / 2;
  int begin = 1;
  partials += chunk * 16 * C * O;
  for (int image = chunk * images; image < min(B, (chunk + 1) * images); image++)
    for (int piece = 0; piece < H; piece += rows) {
      const int own = min(rows, H - piece), tiles = across * ((own + 1) / 2);
      winograd_stage(
          input + image * H * W * C, 0, normalized ? mean : 0, inverse, parameters + gamma_at, parameters + beta_at, 0,
          (float *)staged, H, W, C, piece, (own + 1) / 2 * 2, pitch, rectify);
      for (int first = 0; first < tiles; first += WINOGRAD_LONG) {
        const int count = min(WINOGRAD_LONG, tiles - first);
        for (int i = 0; i < 4; i++) {
          winograd_transform_input_row((const float *)staged, (float *)transformed, C, pitch, across, first, count, i);
          winograd_transform_gradient_row(
              doutput + (image * H + piece) * W * O, (float *)gradients, W, O, own, across, first, count, i);
          for (int o = 0; o < O; o += LANES)
            for (int j = 0; j < 4; j++) {
              // What the next piece will read, while nothing else is read.
              for (int line = 0; line < WINOGRAD_LONG / 4; line++) {
                const int ahead = (image * H + piece + rows) * W + first * 4;
                const int part = ((o + 4 * i + j) * WINOGRAD_LONG / 4 + line) * LANES;
                PREFETCH(input + ahead * C + part);
                PREFETCH(doutput + ahead * O + part);
              }
              for (int c = 0; c < C; c += LANES)
                winograd_accumulate(
                    (const float *)transformed + (j * C + c) * WINOGRAD_LONG / FACTOR_PAIR,
                    (const float *)gradients + (j * O + o) * WINOGRAD_LONG / FACTOR_PAIR,
                    partials + ((o + 4 * i + j) * C + c) * LANES, (count + FACTOR_PAIR - 1) / FACTOR_PAIR, begin);
            }
        }
        begin = 0;
      }
    }
}

// Adds the chunks' sums up in order, and writes, or adds to, the gradient: Gt [sums] G. Launch: (C, O / 16).
__kernel void winograd_reduce_weights(
    __global const float *restrict partials, __global float *restrict gradients, int at, int C, int O, int chunks,
    int accumulate) {
  const int c = get_global_id(0), block = get_global_id(1);
  float16 sums[16];
  for (int p = 0; p < 16; p++) sums[p] = (float16)(0.0f);
  for (int chunk = 0; chunk < chunks; chunk++) {
    __global const float *from = partials + chunk * 16 * C * O + (block * 16 * C + c) * LANES;
    for (int p = 0; p < 16; p++) sums[p] += vload16(0, from + p * C * LANES);
  }
  float16 rows[12];
  const float16 half_of = (float16)(0.5f);
  for (int j = 0; j < 4; j++) {
    rows[j] = sums[j] + half_of * (sums[4 + j] + sums[8 + j]);
    rows[4 + j] = half_of * (sums[4 + j] - sums[8 + j]);
    rows[8 + j] = sums[12 + j] + half_of * (sums[4 + j] + sums[8 + j]);
  }
  gradients += at + (block * 9 * C + c) * LANES;
  for (int kh = 0; kh < 3; kh++) {
    const float16 *row = rows + 4 * kh;
    float16 taps[3];
    taps[0] = row[0] + half_of * (row[1] + row[2]);
    taps[1] = half_of * (row[1] - row[2]);
    taps[2] = row[3] + half_of * (row[1] + row[2]);
    for (int kw = 0; kw < 3; kw++) {
      __global float *to = gradients + (kh * 3 + kw) * C * LANES;
      vstore16(accumulate ? vload16(0, to) + taps[kw] : taps[kw], 0, to);
    }
  }
}

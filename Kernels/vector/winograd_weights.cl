// Weights of Winograd's convolutions (winograd.cl), and their gradients.

// One line of G w.
FUNCTION void winograd_line_weights(const float16 *w, int tile, float16 *u) {
  if (tile == 2) {
    const float16 ends = (w[0] + w[2]) * (float16)(0.5f), middle = w[1] * (float16)(0.5f);
    u[0] = w[0];
    u[1] = ends + middle;
    u[2] = ends - middle;
    u[3] = w[2];
    return;
  }
  const float16 ends = fma((float16)(0.5f), w[2], w[0]) * (float16)(-2.0f / 3.0f);
  const float16 far = fma((float16)(2.0f), w[2], w[0]) * (float16)(1.0f / 6.0f);
  const float16 middle = w[1] * (float16)(-2.0f / 3.0f * WINOGRAD_A);
  const float16 middle_far = w[1] * (float16)(WINOGRAD_B / 6.0f);
  u[0] = w[0];
  u[1] = ends + middle;
  u[2] = ends - middle;
  u[3] = far + middle_far;
  u[4] = far - middle_far;
  u[5] = w[2];
}

// G w Gt of taps [3][3], which becomes row `row` of points that are `next` floats apart.
FUNCTION void winograd_tile_weights(
    const float16 *taps, __global float *to, int row, int next, int tile, int streams, float16 *held) {
  float16 rows[6 * 3];
#pragma unroll
  for (int kw = 0; kw < 3; kw++) {
    float16 w[3], u[6];
#pragma unroll
    for (int kh = 0; kh < 3; kh++) w[kh] = taps[3 * kh + kw];
    winograd_line_weights(w, tile, u);
#pragma unroll
    for (int i = 0; i < tile + 2; i++) rows[3 * i + kw] = u[i];
  }
#pragma unroll
  for (int i = 0; i < tile + 2; i++) {
    float16 u[6];
    winograd_line_weights(rows + 3 * i, tile, u);
#pragma unroll
    for (int j = 0; j < tile + 2; j++) {
      const int p = (tile + 2) * i + j;
      factor_store_held(u[j], to + p * next, row, streams, held + p);
    }
  }
}

// U = G w Gt as words (factor.cl) [written/16][point][FACTOR_WORDS(read)][16]. With `rotated180`, the filters are rotated
// by 180 degrees and input and output channels change places: the convolution with them is backward-data, which reads O
// channels and writes C. streams: they are too many for a cache. One work-item: 16 x 16 channels. Launch: (ceil(read / 16),
// ceil(written / 16)).
__kernel void winograd_weights(
    __global const float *restrict weights, __global float *restrict transformed, int weights_at, int C, int O,
    int rotated180, int tile, int streams) {
  const int from = get_global_id(0) * LANES, block = get_global_id(1);
  const int read = rotated180 ? O : C, words = FACTOR_WORDS(read);
  float16 taps[9 * LANES], held[WINOGRAD_POINTS(4)];
  weights += weights_at;
  transformed += block * WINOGRAD_POINTS(tile) * words * LANES;
  for (int tap = 0; tap < 9; tap++) {
    float16 *w = taps + tap * LANES;
    const int first = rotated180 ? block * LANES : from;
    const int row = rotated180 ? (from / LANES * 9 + 8 - tap) * C : (block * 9 + tap) * C;
    for (int i = 0; i < LANES; i++)
      w[i] = first + i < C ? vload16(row + first + i, weights) : (float16)(0.0f);
    if (rotated180) transpose16(w);
  }
  // The last of an odd number of vectors also has the other half of its words.
  const int next = words * LANES, last = from + LANES < read ? LANES : words * FACTOR_PAIR - from;
  for (int c = 0; c < last; c++) {
    const int row = from + c;
    __global float *to = transformed + row / FACTOR_PAIR * LANES;
    float16 w[9];
#pragma unroll
    for (int tap = 0; tap < 9; tap++) w[tap] = c < LANES ? taps[tap * LANES + c] : (float16)(0.0f);
    if (tile == 2)
      winograd_tile_weights(w, to, row, next, 2, streams, held);
    else
      winograd_tile_weights(w, to, row, next, 4, streams, held);
  }
}

// MARK: Gradients

// One line of A dy.
FUNCTION void winograd_line_gradient(const float16 *y, int tile, float16 *v) {
  if (tile == 2) {
    v[0] = y[0];
    v[1] = y[0] + y[1];
    v[2] = y[0] - y[1];
    v[3] = -y[1];
    return;
  }
  const float16 even = fma((float16)(0.5f), y[2], y[0]), far = fma((float16)(2.0f), y[2], y[0]);
  const float16 odd = (float16)(WINOGRAD_A) * fma((float16)(0.5f), y[3], y[1]);
  const float16 far_odd = (float16)(WINOGRAD_B) * fma((float16)(2.0f), y[3], y[1]);
  v[0] = y[0];
  v[1] = even + odd;
  v[2] = even - odd;
  v[3] = far + far_odd;
  v[4] = far - far_odd;
  v[5] = y[3];
}

// A dy of a tile of the gradient of P x Q pixels of O channels, at `from`, which is pixel (y, x): lines [tile + 2][tile].
// Outside of the image it is zero.
FUNCTION void winograd_lines_gradient(
    __global const activation *from, int P, int Q, int O, int lanes, int y, int x, int tile, float16 *lines) {
#pragma unroll
  for (int j = 0; j < tile; j++) {
    float16 d[4], v[6];
#pragma unroll
    for (int i = 0; i < tile; i++)
      d[i] = y + i < P && x + j < Q ? load_activations(from + (i * Q + j) * O, lanes) : (float16)(0.0f);
    winograd_line_gradient(d, tile, v);
#pragma unroll
    for (int i = 0; i < tile + 2; i++) lines[tile * i + j] = v[i];
  }
}

// One line of Gt s.
FUNCTION void winograd_line_sums(const float16 *s, int tile, float16 *w) {
  if (tile == 2) {
    const float16 half_of = (s[1] + s[2]) * (float16)(0.5f);
    w[0] = s[0] + half_of;
    w[1] = (s[1] - s[2]) * (float16)(0.5f);
    w[2] = s[3] + half_of;
    return;
  }
  const float16 near = (s[1] + s[2]) * (float16)(1.0f / 3.0f), far = (s[3] + s[4]) * (float16)(1.0f / 6.0f);
  w[0] = fma((float16)(-2.0f), near, s[0] + far);
  w[1] = fma((float16)(-2.0f / 3.0f * WINOGRAD_A), s[1] - s[2], (float16)(WINOGRAD_B / 6.0f) * (s[3] - s[4]));
  w[2] = fma((float16)(2.0f), far, s[5] - near);
}

// Gt s G, taps [3][3], of the sums of `chunks` chunks that are `chunk` floats apart, whose points are `next` floats apart.
FUNCTION void winograd_tile_sums(__global const float *sums, int chunks, int chunk, int next, int tile, float16 *taps) {
  float16 rows[3 * 6];
#pragma unroll
  for (int j = 0; j < tile + 2; j++) {
    float16 s[6], w[3];
#pragma unroll
    for (int i = 0; i < tile + 2; i++) {
      __global const float *from = sums + ((tile + 2) * i + j) * next;
      s[i] = vload16(0, from);
      for (int k = 1; k < chunks; k++) s[i] += vload16(0, from + k * chunk);
    }
    winograd_line_sums(s, tile, w);
#pragma unroll
    for (int i = 0; i < 3; i++) rows[6 * i + j] = w[i];
  }
#pragma unroll
  for (int i = 0; i < 3; i++) winograd_line_sums(rows + 6 * i, tile, taps + 3 * i);
}

// Adds the chunks' sums [chunk][O/16][point][PADDED(C)][16] up in order, and writes, or adds to, the gradient. Launch: (C,
// ceil(O / 16)).
__kernel void winograd_reduce_weights(
    __global const float *restrict sums, __global float *restrict gradients, int at, int C, int O, int tile, int chunks,
    int accumulate) {
  const int c = get_global_id(0), block = get_global_id(1), next = PADDED(C) * LANES;
  const int points = WINOGRAD_POINTS(tile), chunk = PADDED(O) / LANES * points * next;
  float16 taps[9];
  sums += block * points * next + c * LANES;
  if (tile == 2)
    winograd_tile_sums(sums, chunks, chunk, next, 2, taps);
  else
    winograd_tile_sums(sums, chunks, chunk, next, 4, taps);
  gradients += at + (block * 9 * C + c) * LANES;
  for (int tap = 0; tap < 9; tap++) {
    __global float *to = gradients + tap * C * LANES;
    vstore16(accumulate ? vload16(0, to) + taps[tap] : taps[tap], 0, to);
  }
}

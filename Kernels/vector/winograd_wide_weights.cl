// Weights and their gradients for winograd_wide.cl.

// MARK: Transformed weights

// One line of G w.
#define WIDE_LINE_WEIGHTS(w0, w1, w2, u, step)                                                     \
  {                                                                                                \
    const float16 ends = fma((float16)(0.5f), w2, w0) * (float16)(-2.0f / 3.0f);                   \
    const float16 far = fma((float16)(2.0f), w2, w0) * (float16)(1.0f / 6.0f);                     \
    const float16 middle = w1 * (float16)(-2.0f / 3.0f * WIDE_A), middle_far = w1 * (float16)(WIDE_B / 6.0f); \
    (u)[0] = w0;                                                                                   \
    (u)[step] = ends + middle;                                                                     \
    (u)[2 * (step)] = ends - middle;                                                               \
    (u)[3 * (step)] = far + middle_far;                                                            \
    (u)[4 * (step)] = far - middle_far;                                                            \
    (u)[5 * (step)] = w2;                                                                          \
  }
#define WIDE_LINE_WEIGHTS_2X2(w0, w1, w2, u, step)                                                 \
  {                                                                                                \
    const float16 ends = (w0 + w2) * (float16)(0.5f), middle = w1 * (float16)(0.5f);               \
    (u)[0] = w0;                                                                                   \
    (u)[step] = ends + middle;                                                                     \
    (u)[2 * (step)] = ends - middle;                                                               \
    (u)[3 * (step)] = w2;                                                                          \
  }

// U = G w Gt as words (factor.cl) [written/16][point][FACTOR_WORDS(read)][16]. With `rotated180`, the filters are rotated
// by 180 degrees and input and output channels change places: the convolution with them is backward-data, which reads O
// channels and writes C. One work-item: 16 x 16 channels. Launch: (ceil(read / 16), ceil(written / 16)).
__kernel void winograd_wide_weights(
    __global const float *restrict weights, __global float *restrict transformed, int weights_at, int C, int O,
    int rotated180, int tile) {
  const int from = get_global_id(0) * LANES, block = get_global_id(1);
  const int read = rotated180 ? O : C, words = FACTOR_WORDS(read), points = WIDE_POINTS(tile);
  float16 taps[9 * LANES], held[WIDE_POINTS(4)];
  weights += weights_at;
  transformed += block * points * words * LANES;
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
    float16 w[9], rows[18];
#pragma unroll
    for (int tap = 0; tap < 9; tap++) w[tap] = c < LANES ? taps[tap * LANES + c] : (float16)(0.0f);
    if (tile == 2) {
#pragma unroll
      for (int kw = 0; kw < 3; kw++) WIDE_LINE_WEIGHTS_2X2(w[kw], w[3 + kw], w[6 + kw], rows + kw, 3)
#pragma unroll
      for (int i = 0; i < 4; i++) {
        float16 u[4];
        WIDE_LINE_WEIGHTS_2X2(rows[3 * i], rows[3 * i + 1], rows[3 * i + 2], u, 1)
#pragma unroll
        for (int j = 0; j < 4; j++) factor_stream(u[j], to + (4 * i + j) * next, row, held + 4 * i + j);
      }
    } else {
#pragma unroll
      for (int kw = 0; kw < 3; kw++) WIDE_LINE_WEIGHTS(w[kw], w[3 + kw], w[6 + kw], rows + kw, 3)
#pragma unroll
      for (int i = 0; i < 6; i++) {
        float16 u[6];
        WIDE_LINE_WEIGHTS(rows[3 * i], rows[3 * i + 1], rows[3 * i + 2], u, 1)
#pragma unroll
        for (int j = 0; j < 6; j++) factor_stream(u[j], to + (6 * i + j) * next, row, held + 6 * i + j);
      }
    }
  }
}

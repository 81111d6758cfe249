// The gradient of weights by the transposed form of winograd_wide.cl's algorithm:
//
//   dw = Gt [ sum over tiles of (A dy At) * (Bt d B) ] G
//
// A chunk of tiles at a time is transformed into panels; then each work-item adds all of the chunk's products to sums
// that are its own. There are no partial sums: each number adds its tiles up in their order. Sums:
// [O/16][point][PADDED(C)][16].

// MARK: Panels of the gradient

// One line of A dy.
#define WIDE_LINE_GRADIENT(y0, y1, y2, y3, v, step)                                                \
  {                                                                                                \
    const float16 even = fma((float16)(0.5f), y2, y0), far = fma((float16)(2.0f), y2, y0);         \
    const float16 odd = (float16)(WIDE_A) * fma((float16)(0.5f), y3, y1);                          \
    const float16 far_odd = (float16)(WIDE_B) * fma((float16)(2.0f), y3, y1);                      \
    (v)[0] = y0;                                                                                   \
    (v)[step] = even + odd;                                                                        \
    (v)[2 * (step)] = even - odd;                                                                  \
    (v)[3 * (step)] = far + far_odd;                                                               \
    (v)[4 * (step)] = far - far_odd;                                                               \
    (v)[5 * (step)] = y3;                                                                          \
  }

// A dy At of one tile, [tile][tile] pixels, which becomes a row of a panel whose points are `point` floats apart.
FUNCTION void wide_gradient_2x2(const float16 *y, __global float *to, int r, int point, float16 *held) {
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const float16 left = i == 0 ? y[0] : i == 1 ? y[0] + y[2] : i == 2 ? y[0] - y[2] : -y[2];
    const float16 right = i == 0 ? y[1] : i == 1 ? y[1] + y[3] : i == 2 ? y[1] - y[3] : -y[3];
    factor_stream(left, to + (4 * i) * point, r, held + 4 * i);
    factor_stream(left + right, to + (4 * i + 1) * point, r, held + 4 * i + 1);
    factor_stream(left - right, to + (4 * i + 2) * point, r, held + 4 * i + 2);
    factor_stream(-right, to + (4 * i + 3) * point, r, held + 4 * i + 3);
  }
}

FUNCTION void wide_gradient_4x4(const float16 *y, __global float *to, int r, int point, float16 *held) {
  float16 rows[24];
#pragma unroll
  for (int j = 0; j < 4; j++) WIDE_LINE_GRADIENT(y[j], y[4 + j], y[8 + j], y[12 + j], rows + j, 4)
#pragma unroll
  for (int i = 0; i < 6; i++) {
    const float16 *row = rows + 4 * i;
    float16 v[6];
    WIDE_LINE_GRADIENT(row[0], row[1], row[2], row[3], v, 1)
#pragma unroll
    for (int j = 0; j < 6; j++) factor_stream(v[j], to + (6 * i + j) * point, r, held + 6 * i + j);
  }
}

// The panels of doutput's tiles from `first` to `last`, as those of winograd_wide_input. Launch: (ceil(O /
// WIDE_CHANNELS), ceil((last - first) / run)).
__kernel void winograd_wide_gradient(
    __global const activation *restrict doutput, __global float *restrict panels, int panels_at, int P, int Q, int O,
    int tile, int first, int last, int T, int run) {
  const int across = (Q + tile - 1) / tile, each = across * ((P + tile - 1) / tile), point = WIDE_POINT(O, T);
  const int begin = get_global_id(1) * run, end = min(begin + run, last - first);
  const int slice = get_global_id(0) * WIDE_CHANNELS;
  float16 held[WIDE_POINTS(4)];
  for (int o = slice; o < min(O, slice + WIDE_CHANNELS); o += LANES) {
    const int lanes = min(LANES, O - o);
    for (int n = begin; n < end; n++) {
      const int image = (first + n) / each, y = (first + n) % each / across * tile, x = (first + n) % across * tile;
      const int high = min(tile, P - y), wide = min(tile, Q - x);
      float16 pixels[16];
      for (int i = 0; i < tile; i++)
        for (int j = 0; j < tile; j++)
          pixels[i * tile + j] = i < high && j < wide
                                     ? load_activations(doutput + ((image * P + y + i) * Q + x + j) * O + o, lanes)
                                     : (float16)(0.0f);
      __global float *to = panel_place(panels + panels_at, o, n, T, 1);
      if (tile == 2)
        wide_gradient_2x2(pixels, to, n, point, held);
      else
        wide_gradient_4x4(pixels, to, n, point, held);
    }
    wide_flush(held, panels + panels_at, o, end, tile, T, point, 1);
  }
}

// MARK: From sums to weights

// One line of Gt s.
#define WIDE_LINE_SUMS(s0, s1, s2, s3, s4, s5, w, step)                                                        \
  {                                                                                                            \
    const float16 near = (s1 + s2) * (float16)(1.0f / 3.0f), far = (s3 + s4) * (float16)(1.0f / 6.0f);         \
    (w)[0] = fma((float16)(-2.0f), near, s0 + far);                                                            \
    (w)[step] = fma((float16)(-2.0f / 3.0f * WIDE_A), s1 - s2, (float16)(WIDE_B / 6.0f) * (s3 - s4));          \
    (w)[2 * (step)] = fma((float16)(2.0f), far, s5 - near);                                                    \
  }
#define WIDE_LINE_SUMS_2X2(s0, s1, s2, s3, w, step)                                                            \
  {                                                                                                            \
    const float16 half_of = (s1 + s2) * (float16)(0.5f);                                                       \
    (w)[0] = s0 + half_of;                                                                                     \
    (w)[step] = (s1 - s2) * (float16)(0.5f);                                                                   \
    (w)[2 * (step)] = s3 + half_of;                                                                            \
  }

// Writes, or adds to, the gradient: Gt [sums] G. Launch: (C, ceil(O / 16)).
__kernel void winograd_wide_reduce(
    __global const float *restrict sums, __global float *restrict gradients, int at, int C, int O, int tile,
    int accumulate) {
  const int c = get_global_id(0), block = get_global_id(1), points = WIDE_POINTS(tile), next = PADDED(C) * LANES;
  sums += (block * points * PADDED(C) + c) * LANES;
  float16 rows[18], taps[9];
  if (tile == 2) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
      float16 s[4];
#pragma unroll
      for (int i = 0; i < 4; i++) s[i] = vload16(0, sums + (4 * i + j) * next);
      WIDE_LINE_SUMS_2X2(s[0], s[1], s[2], s[3], rows + j, 6)
    }
#pragma unroll
    for (int i = 0; i < 3; i++) {
      const float16 *row = rows + 6 * i;
      WIDE_LINE_SUMS_2X2(row[0], row[1], row[2], row[3], taps + 3 * i, 1)
    }
  } else {
#pragma unroll
    for (int j = 0; j < 6; j++) {
      float16 s[6];
#pragma unroll
      for (int i = 0; i < 6; i++) s[i] = vload16(0, sums + (6 * i + j) * next);
      WIDE_LINE_SUMS(s[0], s[1], s[2], s[3], s[4], s[5], rows + j, 6)
    }
#pragma unroll
    for (int i = 0; i < 3; i++) {
      const float16 *row = rows + 6 * i;
      WIDE_LINE_SUMS(row[0], row[1], row[2], row[3], row[4], row[5], taps + 3 * i, 1)
    }
  }
  gradients += at + (block * 9 * C + c) * LANES;
  for (int tap = 0; tap < 9; tap++) {
    __global float *to = gradients + tap * C * LANES;
    vstore16(accumulate ? vload16(0, to) + taps[tap] : taps[tap], 0, to);
  }
}

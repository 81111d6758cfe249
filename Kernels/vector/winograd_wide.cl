// 3x3 convolutions with stride 1 of many channels for CPU-type devices, by Winograd's F(2x2, 3x3) or F(4x4, 3x3), in
// three steps: the input's tiles are transformed into panels, panels are multiplied with transformed weights, and the
// products are transformed into output. winograd.cl keeps all of it in one work-item, which small numbers of channels
// allow; here weights do not fit into a core's caches, so that many tiles share each pass over them.
//
// F(2x2): see winograd.cl; 16 points. F(4x4): 36 points, the interpolation points 0, +-a, +-b and infinity with
// a = 1 / sqrt(2) and b = sqrt(2): the usual ones, 0, +-1, +-2, have errors that are 2.5 times as large.
//
//   v0 = d0 - 5/2 d2 + d4   v1,2 = (d4 - 2 d2) +- a (d3 - 2 d1)   v3,4 = (d4 - d2 / 2) +- b (d3 - d1 / 2)
//   v5 = d1 - 5/2 d3 + d5
//   G = [1 0 0; -2/3 (1 +-a 1/2); 1/6 (1 +-b 2); 0 0 1]
//   y0 = m0 + s1 + s2   y1 = a t1 + b t2   y2 = s1 / 2 + 2 s2   y3 = a^3 t1 + b^3 t2 + m5, with s, t the sum and the
//   difference of a pair of points
//
// Tiles are counted over all images; a group is T of them. A panel holds a group's points, [point][C/16][T][16] floats,
// and behind each point sixteen more: points an even number of cache lines apart would share a few sets of the cache.
// Weights: [O/16][point][C][16]; both with C rounded up to whole vectors, where the weights are zero. Pairs of
// bfloat16: see factor.cl; only with F(2x2), since F(4x4)'s error would be 4 times that of a direct convolution.

#define WIDE_A 0.70710678f
#define WIDE_B 1.41421356f
// Points of tiles of 2x2 and 4x4 pixels; the floats between two points of a panel.
#define WIDE_POINTS(tile) (((tile) + 2) * ((tile) + 2))
#define WIDE_POINT(C, T) (FACTOR_WORDS(C) * (T) + LANES)

// MARK: Input

// What becomes of the input on its way into the panels.
typedef struct {
  // Batch norm's input, the residual or null, and its output or null; or the gradient of batch norm's output, batch
  // norm's input, and the gradient of that.
  __global const activation *input, *other;
  __global activation *stored;
  int mode, rectify;
  float16 scale, shift, center, slope;
} wide_source;

// Sixteen channels of one pixel. `own`: it is this tile's to store.
FUNCTION float16 wide_pixel(const wide_source *source, int i, int lanes, int own) {
  float16 value = load_activations(source->input + i, lanes);
  if (source->mode == WIDE_PLAIN) return value;
  if (source->mode == WIDE_NORMALIZED) {
    const float16 zero = (float16)(0.0f);
    value = fma(value, source->scale, source->shift);
    if (source->other) value += load_activations(source->other + i, lanes);
    if (source->rectify) value = value < zero ? zero : value;
  } else {
    const float16 from_center = load_activations(source->other + i, lanes) - source->center;
    value = source->scale * (value - source->shift - from_center * source->slope);
  }
  if (source->stored && own) store_activations(value, source->stored + i, lanes);
  return value;
}

// `count` tiles that lie side by side: their pixels, [tile + 2][tile * count + 2][16], from row `top` and column `left`
// of the image on, whose first number is `at`. Zeros where that is outside.
FUNCTION void wide_stage(
    const wide_source *source, float *staged, int at, int H, int W, int C, int lanes, int top, int left, int tile,
    int count) {
  const float16 zero = (float16)(0.0f);
  const int columns = tile * count + 2, first = max(0, -left), last = max(first, min(columns, W - left));
  for (int r = 0; r < tile + 2; r++) {
    const int h = top + r, inside = h >= 0 && h < H, own = r > 0 && r <= tile;
    const int begin = inside ? min(first, columns) : columns, end = inside ? min(last, columns) : columns;
    for (int x = 0; x < begin; x++) vstore16(zero, x, staged);
    for (int x = begin; x < end; x++)
      vstore16(
          wide_pixel(source, at + (h * W + left + x) * C, lanes, own && x > 0 && x < columns - 1), x, staged);
    for (int x = end; x < columns; x++) vstore16(zero, x, staged);
    staged += columns * LANES;
  }
}

// One line of F(4x4)'s Bt d.
#define WIDE_LINE(d0, d1, d2, d3, d4, d5, v)                                                     \
  {                                                                                              \
    const float16 outer = fma((float16)(-2.0f), d2, d4), inner = fma((float16)(-0.5f), d2, d4);  \
    const float16 outer_odd = (float16)(WIDE_A) * fma((float16)(-2.0f), d1, d3);                 \
    const float16 inner_odd = (float16)(WIDE_B) * fma((float16)(-0.5f), d1, d3);                 \
    v[0] = fma((float16)(-2.5f), d2, d0 + d4);                                                   \
    v[1] = outer + outer_odd;                                                                    \
    v[2] = outer - outer_odd;                                                                    \
    v[3] = inner + inner_odd;                                                                    \
    v[4] = inner - inner_odd;                                                                    \
    v[5] = fma((float16)(-2.5f), d3, d1 + d5);                                                   \
  }

// Bt d B of staged tiles, which become rows from `first` on of a panel for T rows, sixteen channels from c on; its points
// are `point` floats apart. First down all columns, in their place, then across.
FUNCTION void wide_transform_2x2(
    float *staged, __global float *panel, int c, int first, int count, int T, int point, int by_rows,
    float16 *held) {
  const int pitch = (2 * count + 2) * LANES;
  for (int x = 0; x < 2 * count + 2; x++) {
    float *column = staged + x * LANES;
    const float16 d0 = vload16(0, column), d1 = vload16(0, column + pitch);
    const float16 d2 = vload16(0, column + 2 * pitch), d3 = vload16(0, column + 3 * pitch);
    vstore16(d0 - d2, 0, column);
    vstore16(d1 + d2, 0, column + pitch);
    vstore16(d2 - d1, 0, column + 2 * pitch);
    vstore16(d1 - d3, 0, column + 3 * pitch);
  }
  for (int n = 0; n < count; n++) {
    const int r = first + n;
    __global float *to = panel_place(panel, c, r, T, by_rows);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const float *row = staged + i * pitch + 2 * n * LANES;
      const float16 d0 = vload16(0, row), d1 = vload16(1, row), d2 = vload16(2, row), d3 = vload16(3, row);
      panel_store(d0 - d2, to + (4 * i) * point, r, by_rows, held + 4 * i);
      panel_store(d1 + d2, to + (4 * i + 1) * point, r, by_rows, held + 4 * i + 1);
      panel_store(d2 - d1, to + (4 * i + 2) * point, r, by_rows, held + 4 * i + 2);
      panel_store(d1 - d3, to + (4 * i + 3) * point, r, by_rows, held + 4 * i + 3);
    }
  }
}

FUNCTION void wide_transform_4x4(
    float *staged, __global float *panel, int c, int first, int count, int T, int point, int by_rows,
    float16 *held) {
  const int pitch = (4 * count + 2) * LANES;
  for (int x = 0; x < 4 * count + 2; x++) {
    float *column = staged + x * LANES;
    float16 d[6], v[6];
#pragma unroll
    for (int i = 0; i < 6; i++) d[i] = vload16(0, column + i * pitch);
    WIDE_LINE(d[0], d[1], d[2], d[3], d[4], d[5], v)
#pragma unroll
    for (int i = 0; i < 6; i++) vstore16(v[i], 0, column + i * pitch);
  }
  for (int n = 0; n < count; n++) {
    const int r = first + n;
    __global float *to = panel_place(panel, c, r, T, by_rows);
    for (int i = 0; i < 6; i++) {
      const float *row = staged + i * pitch + 4 * n * LANES;
      float16 d[6], v[6];
#pragma unroll
      for (int j = 0; j < 6; j++) d[j] = vload16(j, row);
      WIDE_LINE(d[0], d[1], d[2], d[3], d[4], d[5], v)
#pragma unroll
      for (int j = 0; j < 6; j++) panel_store(v[j], to + (6 * i + j) * point, r, by_rows, held + 6 * i + j);
    }
  }
}

// Stores what is held of the last row of `rows`, whose number is odd, of panels by rows.
FUNCTION void wide_flush(
    const float16 *held, __global float *panel, int c, int rows, int tile, int T, int point, int by_rows) {
  if (!by_rows || rows % FACTOR_PAIR == 0) return;
  for (int p = 0; p < WIDE_POINTS(tile); p++) STREAM(held[p], panel_place(panel, c, rows - 1, T, 1) + p * point);
}

// The panels of the tiles from `first` to `last`, of images with P x Q pixels of output. `other`, `stored`, `mean` and
// what follows: see wide_source; sums: as in batchnorm_backward_apply. One work-item: `run` tiles, a divisor of T, and
// WIDE_CHANNELS channels. Launch: (ceil(C / WIDE_CHANNELS), ceil((last - first) / run)): a thread that has
// neighbouring work-items makes whole panels, which it will multiply.
__kernel void winograd_wide_input(
    __global const activation *input, __global const activation *other, __global const float *mean,
    __global const float *inverse, __global const float *parameters, __global const float *sums,
    __global activation *stored, __global float *panels, int panels_at, int gamma_at, int beta_at, int H, int W, int C,
    int P, int Q, int padding, int left, int tile, int first, int last, int T, int run, int by_rows, int mode,
    int rectify, int has_other, int has_stored) {
  float16 staged[WIDE_STAGED / LANES], held[WIDE_POINTS(4)];
  const int across = (Q + tile - 1) / tile, each = across * ((P + tile - 1) / tile), point = WIDE_POINT(C, T);
  const int begin = get_global_id(1) * run, end = min(begin + run, last - first);
  const int slice = get_global_id(0) * WIDE_CHANNELS, from = begin % T;
  panels += panels_at + begin / T * WIDE_POINTS(tile) * point;
  wide_source source;
  source.input = input;
  source.other = has_other ? other : 0;
  source.stored = has_stored ? stored : 0;
  source.mode = mode;
  source.rectify = rectify;
  for (int c = slice; c < min(C, slice + WIDE_CHANNELS); c += LANES) {
    if (mode != WIDE_PLAIN) source.scale = vload16(0, parameters + gamma_at + c) * vload16(0, inverse + c);
    if (mode == WIDE_NORMALIZED)
      source.shift = vload16(0, parameters + beta_at + c) - vload16(0, mean + c) * source.scale;
    if (mode == WIDE_GRADIENT) {
      source.shift = vload16(0, sums + c);
      source.slope = vload16(0, sums + PADDED(C) + c);
      source.center = vload16(0, mean + c);
    }
    for (int n = begin; n < end;) {
      const int image = (first + n) / each, y = (first + n) % each / across, x = (first + n) % across;
      const int count = min(across - x, end - n);
      wide_stage(
          &source, (float *)staged, image * H * W * C + c, H, W, C, min(LANES, C - c), tile * y - padding,
          tile * x - left, tile, count);
      if (tile == 2)
        wide_transform_2x2((float *)staged, panels, c, from + n - begin, count, T, point, by_rows, held);
      else
        wide_transform_4x4((float *)staged, panels, c, from + n - begin, count, T, point, by_rows, held);
      n += count;
    }
    wide_flush(held, panels, c, from + end - begin, tile, T, point, by_rows);
  }
  // The other half of the last words.
  const int rest = PADDED(C);
  if (!by_rows && rest >= slice && rest < min(FACTOR_WORDS(C) * FACTOR_PAIR, slice + WIDE_CHANNELS))
    for (int n = begin; n < end; n++)
      for (int p = 0; p < WIDE_POINTS(tile); p++)
        panel_store((float16)(0.0f), panel_place(panels + p * point, rest, from + n - begin, T, 0), 0, 0, held);
}

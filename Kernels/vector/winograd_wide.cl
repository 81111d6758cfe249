// Winograd's convolutions (winograd.cl) of many channels for CPU-type devices, in three steps: the input's tiles are
// transformed into panels, panels are multiplied with transformed weights, and the products are transformed into output.
// winograd_narrow.cl keeps all of it in one work-item, which small numbers of channels allow; here weights do not fit into
// a core's caches, so that many tiles share each pass over them.
//
// Tiles are counted over all images; a group is T of them. A panel holds a group's points, [point][C/16][T][16] floats,
// and behind each point sixteen more: points an even number of cache lines apart would share a few sets of the cache.
// Weights: [O/16][point][C][16]; both with C rounded up to whole vectors, where the weights are zero.

// The floats between two points of a panel.
#define WIDE_POINT(C, T) (FACTOR_WORDS(C) * (T) + LANES)

// `count` tiles that lie side by side: their pixels, [tile + 2][tile * count + 2][16], from row `top` and column `left`
// of the image on, whose first number is `at`. Zeros where that is outside.
FUNCTION void wide_stage(
    const winograd_source *source, float *staged, int at, int H, int W, int C, int lanes, int top, int left, int tile,
    int count) {
  const float16 zero = (float16)(0.0f);
  const int columns = tile * count + 2, first = max(0, -left), last = max(first, min(columns, W - left));
  for (int r = 0; r < tile + 2; r++) {
    const int h = top + r, inside = h >= 0 && h < H, own = r > 0 && r <= tile;
    const int begin = inside ? min(first, columns) : columns, end = inside ? min(last, columns) : columns;
    for (int x = 0; x < begin; x++) vstore16(zero, x, staged);
    for (int x = begin; x < end; x++)
      vstore16(
          winograd_pixel(source, at + (h * W + left + x) * C, lanes, own && x > 0 && x < columns - 1), x, staged);
    for (int x = end; x < columns; x++) vstore16(zero, x, staged);
    staged += columns * LANES;
  }
}

// Bt d B of staged tiles, which become rows from `first` on of a panel for T rows, sixteen channels from c on; its points
// are `point` floats apart.
FUNCTION void wide_transform(
    const float *staged, __global float *panel, int c, int first, int count, int T, int point, int tile, int by_rows,
    float16 *held) {
  const int pitch = (tile * count + 2) * LANES;
  float16 columns[36];
  for (int n = 0; n < count; n++) {
    const int r = first + n;
    __global float *to = panel_place(panel, c, r, T, by_rows);
    winograd_columns(staged + tile * n * LANES, pitch, LANES, tile, n == 0, columns);
#pragma unroll
    for (int i = 0; i < tile + 2; i++) {
      float16 v[6];
      winograd_row(columns, i, tile, v);
#pragma unroll
      for (int j = 0; j < tile + 2; j++) {
        const int p = (tile + 2) * i + j;
        panel_store(v[j], to + p * point, r, by_rows, held + p);
      }
    }
  }
}

// Stores what is held of the last row of `rows`, whose number is odd, of panels by rows.
FUNCTION void wide_flush(
    const float16 *held, __global float *panel, int c, int rows, int tile, int T, int point, int by_rows) {
  if (!by_rows || rows % FACTOR_PAIR == 0) return;
  for (int p = 0; p < WINOGRAD_POINTS(tile); p++) STREAM(held[p], panel_place(panel, c, rows - 1, T, 1) + p * point);
}

// The panels of the tiles from `first` to `last`, of images with P x Q pixels of output. `other`, `stored`, `mean` and
// what follows: see winograd_source; sums: as in batchnorm_backward_apply. One work-item: `run` tiles, a divisor of T, and
// WIDE_CHANNELS channels. Launch: (ceil(C / WIDE_CHANNELS), ceil((last - first) / run)): a thread that has
// neighbouring work-items makes whole panels, which it will multiply.
__kernel void winograd_wide_input(
    __global const activation *input, __global const activation *other, __global const float *mean,
    __global const float *inverse, __global const float *parameters, __global const float *sums,
    __global activation *stored, __global float *panels, int panels_at, int gamma_at, int beta_at, int H, int W, int C,
    int P, int Q, int padding, int left, int tile, int first, int last, int T, int run, int by_rows, int mode,
    int rectify, int has_other, int has_stored) {
  float16 staged[WIDE_STAGED / LANES], held[WINOGRAD_POINTS(4)];
  const int across = (Q + tile - 1) / tile, each = across * ((P + tile - 1) / tile), point = WIDE_POINT(C, T);
  const int begin = get_global_id(1) * run, end = min(begin + run, last - first);
  const int slice = get_global_id(0) * WIDE_CHANNELS, from = begin % T;
  panels += panels_at + begin / T * WINOGRAD_POINTS(tile) * point;
  winograd_source source;
  source.input = input;
  source.other = has_other ? other : 0;
  source.stored = has_stored ? stored : 0;
  source.mode = mode;
  source.rectify = rectify;
  for (int c = slice; c < min(C, slice + WIDE_CHANNELS); c += LANES) {
    winograd_source_block(
        &source, mean, inverse, parameters + gamma_at, parameters + beta_at, sums, C, c);
    for (int n = begin; n < end;) {
      const int image = (first + n) / each, y = (first + n) % each / across, x = (first + n) % across;
      const int count = min(across - x, end - n);
      wide_stage(
          &source, (float *)staged, image * H * W * C + c, H, W, C, min(LANES, C - c), tile * y - padding,
          tile * x - left, tile, count);
      if (tile == 2)
        wide_transform((const float *)staged, panels, c, from + n - begin, count, T, point, 2, by_rows, held);
      else
        wide_transform((const float *)staged, panels, c, from + n - begin, count, T, point, 4, by_rows, held);
      n += count;
    }
    wide_flush(held, panels, c, from + end - begin, tile, T, point, by_rows);
  }
  // The other half of the last words.
  const int rest = PADDED(C);
  if (!by_rows && rest >= slice && rest < min(FACTOR_WORDS(C) * FACTOR_PAIR, slice + WIDE_CHANNELS))
    for (int n = begin; n < end; n++)
      for (int p = 0; p < WINOGRAD_POINTS(tile); p++)
        panel_store((float16)(0.0f), panel_place(panels + p * point, rest, from + n - begin, T, 0), 0, 0, held);
}

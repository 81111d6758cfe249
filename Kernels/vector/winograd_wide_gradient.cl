// The gradient of weights by the transposed form of winograd_wide.cl's algorithm:
//
//   dw = Gt [ sum over tiles of (A dy At) * (Bt d B) ] G
//
// A chunk of tiles at a time is transformed into panels; then each work-item adds all of the chunk's products to sums
// that are its own. There are no partial sums: each number adds its tiles up in their order. Sums:
// [O/16][point][PADDED(C)][16].

// A dy At of tile n, at `from`, which is pixel (y, x): a row of a panel whose points are `point` floats apart.
FUNCTION void wide_gradient(
    __global const activation *from, __global float *to, int P, int Q, int O, int lanes, int y, int x, int n, int point,
    int tile, float16 *held) {
  float16 lines[6 * 4];
  winograd_lines_gradient(from, P, Q, O, lanes, y, x, tile, lines);
#pragma unroll
  for (int i = 0; i < tile + 2; i++) {
    float16 v[6];
    winograd_line_gradient(lines + tile * i, tile, v);
#pragma unroll
    for (int j = 0; j < tile + 2; j++) {
      const int p = (tile + 2) * i + j;
      factor_store_held(v[j], to + p * point, n, 1, held + p);
    }
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
  float16 held[WINOGRAD_POINTS(4)];
  for (int o = slice; o < min(O, slice + WIDE_CHANNELS); o += LANES) {
    const int lanes = min(LANES, O - o);
    for (int n = begin; n < end; n++) {
      const int image = (first + n) / each, y = (first + n) % each / across * tile, x = (first + n) % across * tile;
      __global const activation *from = doutput + ((image * P + y) * Q + x) * O + o;
      __global float *to = panel_place(panels + panels_at, o, n, T, 1);
      if (tile == 2)
        wide_gradient(from, to, P, Q, O, lanes, y, x, n, point, 2, held);
      else
        wide_gradient(from, to, P, Q, O, lanes, y, x, n, point, 4, held);
    }
    wide_flush(held, panels + panels_at, o, end, tile, T, point, 1);
  }
}

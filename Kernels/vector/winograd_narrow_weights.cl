// The gradient of the weights of winograd_narrow.cl's convolutions by the transposed form of the algorithm:
//
//   dw = Gt [ sum over tiles of (A dy At) * (Bt d B) ] G
//
// Each work-item sums over a chunk of images; winograd_reduce_weights adds the chunks' sums up.

// A dy At of `count` tiles from tile `first` of a piece of `rows` rows on, as words [point][O/16][T / FACTOR_PAIR][16].
FUNCTION void winograd_transform_gradient(
    __global const activation *doutput, float *transformed, int W, int O, int rows, int across, int first, int count,
    int T, int tile) {
  for (int o = 0; o < O; o += LANES) {
    int y = first / across * tile, x = first % across * tile;
    for (int n = 0; n < count; n++) {
      float16 lines[6 * 4];
      winograd_lines_gradient(doutput + (y * W + x) * O + o, rows, W, O, LANES, y, x, tile, lines);
#pragma unroll
      for (int i = 0; i < tile + 2; i++) {
        float16 v[6];
        winograd_line_gradient(lines + tile * i, tile, v);
#pragma unroll
        for (int j = 0; j < tile + 2; j++)
          factor_store_row(v[j], transformed + (((tile + 2) * i + j) * O + o) * T / FACTOR_PAIR, n);
      }
      x += tile;
      if (x >= W) {
        x = 0;
        y += tile;
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
    const float *row = tiles + first;
#pragma unroll 1
    for (int n = 0; n < count; n++) {
      const float16 gradient = vload16(n, gradients);
#pragma unroll
      for (int i = 0; i < WINOGRAD_STEP; i++)
        sum[i] = factor_multiply_add((float16)(row[n * LANES + i]), gradient, sum[i]);
    }
#pragma unroll
    for (int i = 0; i < WINOGRAD_STEP; i++) vstore16(sum[i], first + i, sums);
  }
}

// Adds the products of a staged piece of `rows` rows, and of its gradient, to the sums [O/16][point][C][16], or begins
// them. ahead: what the next piece will read of the input, and of the gradient.
FUNCTION void winograd_piece_weights(
    const float *staged, __global const activation *doutput, __global const activation *input_ahead,
    __global const activation *doutput_ahead, __global float *sums, int W, int C, int O, int rows, int begin, int tile) {
  float16 transformed[WINOGRAD_LONG * WINOGRAD_TRANSFORMED / LANES];
  float16 gradients[WINOGRAD_LONG * WINOGRAD_TRANSFORMED / LANES];
  const int across = (W + tile - 1) / tile, tiles = across * ((rows + tile - 1) / tile), points = WINOGRAD_POINTS(tile);
  const int T = WINOGRAD_LONG, lines = tile * tile * T;
  for (int first = 0; first < tiles; first += T) {
    const int count = min(T, tiles - first), ahead = first * tile * tile;
    winograd_transform(
        staged, (float *)transformed, C, WINOGRAD_PITCH(W, tile), across, first, count, T, tile, 1);
    winograd_transform_gradient(doutput, (float *)gradients, W, O, rows, across, first, count, T, tile);
    for (int o = 0; o < O; o += LANES)
      for (int p = 0, line = 0; p < points; p++) {
        for (; line < lines * (p + 1) / points; line++) {
          PREFETCH(input_ahead + ahead * C + (o / LANES * lines + line) * LANES);
          PREFETCH(doutput_ahead + ahead * O + (o / LANES * lines + line) * LANES);
        }
        for (int c = 0; c < C; c += LANES)
          winograd_accumulate(
              (const float *)transformed + (p * C + c) * T / FACTOR_PAIR,
              (const float *)gradients + (p * O + o) * T / FACTOR_PAIR,
              sums + ((o / LANES * points + p) * C + c) * LANES, (count + FACTOR_PAIR - 1) / FACTOR_PAIR, begin);
      }
    begin = 0;
  }
}

// One work-item: `images` images, `rows` (whole tiles) rows at a time. Writes sums [chunk][O/16][point][C][16]. The input
// is taken through batch norm and ReLU if `normalized`, as in winograd_forward. Launch: (chunks).
__kernel void winograd_backward_weights(
    __global const activation *restrict input, __global const float *restrict mean,
    __global const float *restrict inverse, __global const float *restrict parameters,
    __global const activation *restrict doutput, __global float *restrict partials, int gamma_at, int beta_at, int B,
    int H, int W, int C, int O, int rows, int tile, int images, int normalized, int rectify) {
  float16 staged[WINOGRAD_STAGED / LANES];
  const int chunk = get_global_id(0);
  winograd_source source;
  source.input = input;
  source.other = 0;
  source.stored = 0;
  source.mode = normalized ? WINOGRAD_NORMALIZED : WINOGRAD_PLAIN;
  source.rectify = rectify;
  partials += chunk * WINOGRAD_POINTS(tile) * C * O;
  for (int image = chunk * images; image < min(B, (chunk + 1) * images); image++)
    for (int first = 0; first < H; first += rows) {
      const int own = min(rows, H - first), begin = image == chunk * images && first == 0;
      const int from = (image * H + first) * W, next = from + rows * W;
      winograd_stage(
          &source, mean, inverse, parameters + gamma_at, parameters + beta_at, 0, (float *)staged, image * H * W * C,
          H, W, C, first, (own + tile - 1) / tile * tile, WINOGRAD_PITCH(W, tile));
      if (tile == 2)
        winograd_piece_weights(
            (const float *)staged, doutput + from * O, input + next * C, doutput + next * O, partials, W, C, O, own,
            begin, 2);
      else
        winograd_piece_weights(
            (const float *)staged, doutput + from * O, input + next * C, doutput + next * O, partials, W, C, O, own,
            begin, 4);
    }
}

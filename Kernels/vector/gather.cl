// Convolutions with any filter, stride and number of channels as matrix products, for CPU-type devices. What a result
// reads is gathered into its row of a panel, [K/16][T][16] for a group of T results: K = KH * KW * C numbers, of the
// first tap first, and zeros up to whole vectors of words (factor.cl). Weights are multiplied as they lie in memory,
// whose taps and channels are one long row, too; for pairs of bfloat16, or a K that is no multiple of 16, they are
// packed first.
//
// Results are counted over all images, [B, down, across]. Tap (i, j) of result (y, x) reads pixel (y * every + top + i,
// x * every + left + j). Forward, every is the stride. Backward-data takes the results of each phase (their row and
// column modulo the stride) together: these have the same taps, in reverse order, neighbours read neighbours, and
// nothing is multiplied by zero; every is 1.

// What results read.
typedef struct {
  int H, W, C, KW, every, top, left;
} gather_taps;

// A result's place.
typedef struct {
  int image, y, x;
} gather_place;

FUNCTION void gather_advance(gather_place *result, int down, int across) {
  if (++result->x < across) return;
  result->x = 0;
  if (++result->y < down) return;
  result->y = 0;
  result->image++;
}

// Where in a result's row, and in what it reads, the next numbers are: tap and channel. h: the row of the image.
typedef struct {
  int h, column, channel;
} gather_place_in_row;

// The numbers of a result's row that lie side by side in the input, or are all zero, from a place on, which moves behind
// them. Gives where they are, or -1 for zeros.
FUNCTION int gather_next(const gather_taps *taps, const gather_place *result, gather_place_in_row *place, int *count) {
  const int w = result->x * taps->every + taps->left + place->column;
  const int inside = place->h >= 0 && place->h < taps->H && w >= 0 && w < taps->W;
  const int pixels = inside ? min(taps->KW - place->column, taps->W - w) : 1;
  const int from = ((result->image * taps->H + place->h) * taps->W + w) * taps->C + place->channel;
  *count = pixels * taps->C - place->channel;
  place->channel = 0;
  place->column += pixels;
  if (place->column == taps->KW) {
    place->column = 0;
    place->h++;
  }
  return inside ? from : -1;
}

// Copies `count` numbers of a result's row, and zeros up to `padded`. What lies side by side in the input, of `size`
// numbers in all, is copied by vectors over its end; what follows is written afterwards.
FUNCTION void gather_copy(
    const gather_taps *taps, __global const activation *input, int size, const gather_place *result,
    gather_place_in_row place, int count, int padded, float *row) {
  for (int k = 0, own; k < count; k += own) {
    const int from = gather_next(taps, result, &place, &own);
    own = min(own, count - k);
    for (int i = 0; i < own; i += LANES)
      vstore16(
          from >= 0 ? load_activations(input + from + i, size - from - i) : (float16)(0.0f), 0, row + k + i);
  }
  for (int k = count; k < padded; k++) row[k] = 0.0f;
}

// The panels of results from `first` to `last`. One work-item: `run` results, a divisor of T, and `slice` numbers of
// their rows, whole pairs of vectors and at most GATHER_SLICE. size: the numbers of the input. Launch: (ceil(KH * KW * C
// / slice), ceil((last - first) / run)).
__kernel void gather_input(
    __global const activation *restrict input, __global float *restrict panels, int panels_at, int size, int H, int W,
    int C, int KH, int KW, int down, int across, int every, int top, int left, int first, int last, int T, int run,
    int slice, int by_rows) {
  float rows[FACTOR_PAIR][GATHER_SLICE + LANES];
  const int begin = get_global_id(1) * run, end = min(begin + run, last - first), K = KH * KW * C;
  const int words = by_rows ? PADDED(K) / FACTOR_PAIR : FACTOR_WORDS(K), k = get_global_id(0) * slice;
  const int count = min(slice, K - k), padded = min(slice, (by_rows ? PADDED(K) : words * FACTOR_PAIR) - k);
  const gather_taps taps = {H, W, C, KW, every, top, left};
  const int row = k / (KW * C), column = k / C % KW, channel = k % C;
  // Rows that share a word are taken together.
  const int together = by_rows ? FACTOR_PAIR : 1;
  panels += panels_at + begin / T * words * T;
  gather_place result;
  result.image = (first + begin) / (down * across);
  result.y = (first + begin) / across % down;
  result.x = (first + begin) % across;
  for (int n = begin; n < end; n += together) {
    gather_place_in_row place = {result.y * every + top + row, column, channel};
    if (together == 1 && C % LANES == 0) {
      float16 held;
      for (int i = 0, own; i < count; i += own) {
        const int from = gather_next(&taps, &result, &place, &own);
        own = min(own, count - i);
        for (int j = 0; j < own; j += LANES)
          panel_store(
              from >= 0 ? load_activation16(input + from + j) : (float16)(0.0f),
              panel_place(panels, k + i + j, n % T, T, by_rows), 0, by_rows, &held);
      }
      for (int i = count; i < padded; i += LANES)
        panel_store((float16)(0.0f), panel_place(panels, k + i, n % T, T, by_rows), 0, by_rows, &held);
      gather_advance(&result, down, across);
      continue;
    }
    for (int i = 0; i < together; i++, gather_advance(&result, down, across)) {
      place.h = result.y * every + top + row;
      gather_copy(&taps, input, size, &result, place, n + i < end ? count : 0, padded, rows[i]);
    }
    for (int i = 0; i < padded; i += LANES) {
      __global float *to = panel_place(panels, k + i, n % T, T, by_rows);
      float16 held;
      for (int j = 0; j < together; j++) panel_store(vload16(0, rows[j] + i), to, j, by_rows, &held);
    }
  }
}

// Sixteen of K rows of weights, from `first` on, at their places among the rows of words [block][words][16].
FUNCTION void gather_store_weights(const float16 *rows, __global float *packed, int block, int first, int K) {
  const int words = FACTOR_WORDS(K), last = first + LANES < K ? LANES : words * FACTOR_PAIR - first;
  packed += block * words * LANES;
  float16 held;
  for (int i = 0; i < last; i++)
    factor_store_held(
        first + i < K ? rows[i] : (float16)(0.0f), packed + (first + i) / FACTOR_PAIR * LANES, first + i, 1, &held);
}

// The weights of a forward convolution as words. Launch: (ceil(KH * KW * C / 16), ceil(O / 16)).
__kernel void gather_forward_weights(
    __global const float *restrict weights, __global float *restrict packed, int weights_at, int C, int KH, int KW) {
  const int K = KH * KW * C, first = get_global_id(0) * LANES, block = get_global_id(1);
  weights += weights_at + (block * K + first) * LANES;
  float16 rows[LANES];
  for (int i = 0; i < LANES; i++) rows[i] = first + i < K ? vload16(i, weights) : (float16)(0.0f);
  gather_store_weights(rows, packed, block, first, K);
}

// The weights of one phase of backward-data, rows [C/16][KH][KW][O] as words: the taps of the filter of `height` x
// `width` from (top, left) on backwards, `stride` apart. Launch: (ceil(KH * KW * O / 16), ceil(C / 16)).
__kernel void gather_weights(
    __global const float *restrict weights, __global float *restrict transposed, int weights_at, int C, int O, int height,
    int width, int KH, int KW, int top, int left, int stride) {
  const int K = KH * KW * O, first = get_global_id(0) * LANES, block = get_global_id(1), c0 = block * LANES;
  float16 rows[LANES];
  weights += weights_at + c0 * LANES;
  // Sixteen outputs of one tap lie side by side, in rows that become columns.
  const int whole = O % LANES == 0;
  for (int i = 0; i < LANES; i++) {
    const int k = whole ? first : first + i, tap = k / O, o = k % O;
    const int place = (top - tap / KW * stride) * width + left - tap % KW * stride;
    __global const float *from = weights + (o / LANES * height * width + place) * C * LANES + o % LANES;
    if (whole) {
      rows[i] = c0 + i < C ? vload16(i, from) : (float16)(0.0f);
    } else {
      float lanes[LANES];
      for (int c = 0; c < LANES; c++) lanes[c] = k < K && c0 + c < C ? from[c * LANES] : 0.0f;
      rows[i] = vload16(0, lanes);
    }
  }
  if (whole) transpose16(rows);
  gather_store_weights(rows, transposed, block, first, K);
}

// MARK: Products

// Where results go.
typedef struct {
  int H, W, O, down, across, every, top, left;
} gather_output_shape;

// output = products [blocks][T + 1][16] (+ addend) of `count` results from `first` on, channels from o on; result (y, x) is
// pixel (y * every + top, x * every + left) of the output [B, H, W, O]. partials: [2][O], their mean and sum of squared
// deviations, or null.
FUNCTION void gather_finish(
    const float *products, const gather_output_shape *shape, __global const activation *addend,
    __global activation *output, __global float *partials, int first, int count, int o, int blocks, int apart) {
  winograd_result result;
  result.output = output;
  result.addend = addend;
  result.partials = partials;
  result.backward = 0;
  const int down = shape->down, across = shape->across, O = shape->O;
  for (int j = 0; j < blocks; j++) {
    const int here = o + j * LANES, lanes = min(LANES, O - here);
    const float *product = products + j * apart;
    const float16 none = (float16)(0.0f);
    winograd_sums sums = {vload16(0, product), none, none, count};
    int image = first / (down * across), y = first / across % down, x = first % across;
    for (int n = 0; n < count; n++) {
      const int row = image * shape->H + y * shape->every + shape->top;
      const int at = (row * shape->W + x * shape->every + shape->left) * O + here;
      winograd_finish(&result, vload16(n, product), at, lanes, none, none, &sums);
      if (++x == across) {
        x = 0;
        if (++y == down) {
          y = 0;
          image++;
        }
      }
    }
    winograd_leave(&result, &sums, O, here);
  }
}

// The product of panels and weights (+ addend) of the results from `first` to `last`. K: words of a row. With
// has_partials, mean and sum of squared deviations of each group, [group][2][O]. One work-item: a group of T results,
// `outputs` channels, 16 or 32. Launch: (ceil(O / outputs), ceil((last - first) / T)), with by_outputs the other way
// around.
__kernel void gather_output(
    __global const float *panels, __global const float *weights, __global const activation *addend,
    __global activation *output, __global float *partials, int panels_at, int weights_at, int H, int W, int K, int O,
    int down, int across, int every, int top, int left, int first, int last, int T, int outputs, int by_outputs,
    int has_addend, int has_partials) {
  float16 products[2 * (WIDE_GROUP + 1)];
  const gather_output_shape shape = {H, W, O, down, across, every, top, left};
  const int o = get_global_id(by_outputs) * outputs, blocks = min(outputs, O - o) > LANES ? 2 : 1;
  const int group = get_global_id(1 - by_outputs), begin = first + group * T, count = min(last - begin, T);
  const int apart = (T + 1) * LANES;
  panel_multiply(
      panels + panels_at + group * K * T, weights + weights_at + o * K, (float *)products, K, T, count, K * LANES,
      apart, blocks);
  gather_finish(
      (float *)products, &shape, has_addend ? addend : 0, output,
      has_partials ? partials + begin / T * 2 * PADDED(O) : 0, begin, count, o, blocks, apart);
}

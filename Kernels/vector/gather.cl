// Convolutions with any filter and stride as matrix products, for CPU-type devices: the pixels that a filter's taps
// read are gathered into panels, [tap][C/16][T][16] for a group of T results, and multiplied with the weights as they
// lie in memory, whose taps and channels are one long row. C, what is read, is a multiple of 16; any number O of
// outputs. Pairs of bfloat16: see factor.cl; weights are then packed first.
//
// Results are counted over all images, [B, down, across]. Tap (i, j) of result (y, x) reads pixel (y * every + top + i *
// way, x * every + left + j * way): forward, every is the stride and way is 1. Backward-data takes the results of each
// phase (their row and column modulo the stride) together: these have the same taps, neighbours read neighbours, and
// nothing is multiplied by zero; every is 1 and way is -1.

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

// The first number of the pixel that a tap of a result reads, or -1 outside of the image.
FUNCTION int gather_pixel(
    const gather_place *result, int row, int column, int H, int W, int C, int every, int top, int left, int way) {
  const int h = result->y * every + top + row * way, w = result->x * every + left + column * way;
  return h >= 0 && h < H && w >= 0 && w < W ? ((result->image * H + h) * W + w) * C : -1;
}

// Sixteen channels from c on of a pixel, or zeros where there is none, or beyond the last channel.
FUNCTION float16 gather_load(__global const activation *input, int pixel, int c, int limit) {
  return pixel >= 0 && c < limit ? load_activation16(input + pixel + c) : (float16)(0.0f);
}

// The panels of results from `first` to `last`. One work-item: `run` results, a divisor of T, and WIDE_CHANNELS
// channels. Launch: (ceil(C / WIDE_CHANNELS), ceil((last - first) / run)).
__kernel void gather_input(
    __global const activation *restrict input, __global float *restrict panels, int panels_at, int H, int W, int C,
    int KH, int KW, int down, int across, int every, int top, int left, int way, int first, int last, int T, int run,
    int by_rows) {
  const int begin = get_global_id(1) * run, end = min(begin + run, last - first), taps = KH * KW;
  const int step = by_rows ? C / FACTOR_PAIR * T : FACTOR_WORDS(C) * T;
  const int slice = get_global_id(0) * WIDE_CHANNELS, limit = min(C, slice + WIDE_CHANNELS);
  const int padded = by_rows ? limit : min(FACTOR_WORDS(C) * FACTOR_PAIR, slice + WIDE_CHANNELS);
  // Rows that share a word are taken together.
  const int rows = by_rows ? FACTOR_PAIR : 1;
  panels += panels_at + begin / T * taps * step;
  gather_place here;
  here.image = (first + begin) / (down * across);
  here.y = (first + begin) / across % down;
  here.x = (first + begin) % across;
  for (int n = begin; n < end; n += rows) {
    gather_place next = here;
    gather_advance(&next, down, across);
    for (int tap = 0; tap < taps; tap++) {
      const int pixel = gather_pixel(&here, tap / KW, tap % KW, H, W, C, every, top, left, way);
      const int after = n + 1 < end ? gather_pixel(&next, tap / KW, tap % KW, H, W, C, every, top, left, way) : -1;
      for (int c = slice; c < padded; c += LANES) {
        __global float *to = panel_place(panels + tap * step, c, n % T, T, by_rows);
        float16 held;
        panel_store(gather_load(input, pixel, c, limit), to, 0, by_rows, &held);
        if (rows > 1) panel_store(gather_load(input, after, c, limit), to, 1, by_rows, &held);
      }
    }
    here = next;
    if (rows > 1) gather_advance(&here, down, across);
  }
}

// The numbers of sixteen channels, of `channels` in all, at their places among the rows of words of `taps` taps.
FUNCTION void gather_store_weights(
    const float16 *numbers, __global float *packed, int block, int tap, int taps, int channels, int first) {
  const int words = FACTOR_WORDS(channels), last = first + LANES < channels ? LANES : words * FACTOR_PAIR - first;
  packed += (block * taps + tap) * words * LANES;
  float16 held;
  for (int i = 0; i < last; i++)
    factor_stream(
        first + i < channels ? numbers[i] : (float16)(0.0f), packed + (first + i) / FACTOR_PAIR * LANES, first + i,
        &held);
}

// The weights of a forward convolution as pairs. Launch: (KH * KW * ceil(C / 16), ceil(O / 16)).
__kernel void gather_forward_weights(
    __global const float *restrict weights, __global float *restrict packed, int weights_at, int C, int KH, int KW) {
  const int blocks = PADDED(C) / LANES, first = get_global_id(0) % blocks * LANES, tap = get_global_id(0) / blocks;
  const int block = get_global_id(1);
  weights += weights_at + ((block * KH * KW + tap) * C + first) * LANES;
  float16 numbers[LANES];
  for (int i = 0; i < LANES; i++) numbers[i] = first + i < C ? vload16(i, weights) : (float16)(0.0f);
  gather_store_weights(numbers, packed, block, tap, KH * KW, C, first);
}

// The weights of one phase of backward-data, [PADDED(C)/16][KH][KW][O][16]: the taps of the filter of `rows` x
// `columns` from (top, left) on that are `stride` apart. Launch: (KH * KW * ceil(O / 16), ceil(C / 16)).
__kernel void gather_weights(
    __global const float *restrict weights, __global float *restrict transposed, int weights_at, int transposed_at,
    int C, int O, int rows, int columns, int KH, int KW, int top, int left, int stride) {
  const int blocks = PADDED(O) / LANES, from = get_global_id(0) % blocks, tap = get_global_id(0) / blocks;
  const int block = get_global_id(1), c0 = block * LANES;
  const int place = (top + tap / KW * stride) * columns + left + tap % KW * stride;
  weights += weights_at + ((from * rows * columns + place) * C + c0) * LANES;
  float16 numbers[LANES];
  for (int i = 0; i < LANES; i++) numbers[i] = c0 + i < C ? vload16(i, weights) : (float16)(0.0f);
  transpose16(numbers);
  gather_store_weights(numbers, transposed + transposed_at, block, tap, KH * KW, O, from * LANES);
}

// output = the product of panels and weights (+ addend) of the results from `first` to `last`; result (y, x) is pixel
// (y * every + top, x * every + left) of the output [B, H, W, O]. K: words of a row, of all taps. With has_partials, mean and sum
// of squared deviations of each group, [group][2][O]. One work-item: a group of T results, `outputs` channels, 16 or
// 32. Launch: (ceil(O / outputs), ceil((last - first) / T)), with by_outputs the other way around.
__kernel void gather_output(
    __global const float *panels, __global const float *weights, __global const activation *addend,
    __global activation *output, __global float *partials, int panels_at, int weights_at, int H, int W, int K, int O,
    int down, int across, int every, int top, int left, int first, int last, int T, int outputs,
    int by_outputs, int has_addend, int has_partials) {
  float16 products[2 * (WIDE_GROUP + 1)];
  const int o = get_global_id(by_outputs) * outputs, blocks = min(outputs, O - o) > LANES ? 2 : 1;
  const int group = get_global_id(1 - by_outputs), begin = first + group * T, count = min(last - begin, T), apart = (T + 1) * LANES;
  panel_multiply(
      panels + panels_at + group * K * T, weights + weights_at + o * K, (float *)products, K, T, count, K * LANES, apart,
      blocks);
  winograd_result result;
  result.output = output;
  result.addend = has_addend ? addend : 0;
  result.partials = has_partials ? partials + begin / T * 2 * PADDED(O) : 0;
  result.backward = 0;
  for (int j = 0; j < blocks; j++) {
    const int here = o + j * LANES, lanes = min(LANES, O - here);
    const float *product = (const float *)products + j * apart;
    const float16 none = (float16)(0.0f);
    float16 origin = vload16(0, product), sum = none, squares = none;
    int image = begin / (down * across), y = begin / across % down, x = begin % across;
    for (int n = 0; n < count; n++) {
      const int at = ((image * H + y * every + top) * W + x * every + left) * O + here;
      winograd_finish(&result, vload16(n, product), at, lanes, none, none, &origin, &sum, &squares);
      if (++x == across) {
        x = 0;
        if (++y == down) {
          y = 0;
          image++;
        }
      }
    }
    if (has_partials) {
      const float16 mean = sum * (float16)(1.0f / (float)count);
      vstore16(origin + mean, 0, result.partials + here);
      vstore16(squares - sum * mean, 0, result.partials + PADDED(O) + here);
    }
  }
}

// 3x3 convolutions with stride 1 for CPU-type devices by Winograd's algorithms: F(2x2, 3x3) makes 4 output pixels of 16
// multiplications, F(4x4, 3x3) 16 pixels of 36, where the sum itself takes 9 for each (Lavin & Gray, 2016,
// arXiv:1509.09308). Batch norm and ReLU are taken into the same pass: the tensors between them and the convolution are
// neither written nor read. What the forms with few (winograd_narrow.cl) and many channels (winograd_wide.cl) share:
//
//   output tile = At [ (G w Gt) * (Bt d B) ] A, with the sum over channels between the products and the outer transform
//
// F(2x2):
//   Bt = [1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1]   G = [1 0 0; .5 .5 .5; .5 -.5 .5; 0 0 1]   At = [1 1 1 0; 0 1 -1 -1]
//
// F(4x4), with the interpolation points 0, +-a, +-b and infinity, a = 1 / sqrt(2) and b = sqrt(2): the usual ones, 0,
// +-1, +-2, have errors that are 2.5 times as large.
//   v0 = d0 - 5/2 d2 + d4   v1,2 = (d4 - 2 d2) +- a (d3 - 2 d1)   v3,4 = (d4 - d2 / 2) +- b (d3 - d1 / 2)
//   v5 = d1 - 5/2 d3 + d5
//   G = [1 0 0; -2/3 (1 +-a 1/2); 1/6 (1 +-b 2); 0 0 1]
//   y0 = m0 + s1 + s2   y1 = a t1 + b t2   y2 = s1 / 2 + 2 s2   y3 = a^3 t1 + b^3 t2 + m5, with s, t the sum and the
//   difference of a pair of points
//
// Names: a tile has `tile` x `tile` pixels of output, 2 or 4; a point is one of the 16 or 36 positions of a transformed
// tile; a block is sixteen channels. Tensors as in conv.cl. Functions that take a tile's size are called with a number
// that the compiler knows. With pairs of bfloat16 (factor.cl) only F(2x2) is used: F(4x4)'s error would be 4 times that of
// a direct convolution.

#define WINOGRAD_A 0.70710678f
#define WINOGRAD_B 1.41421356f
#define WINOGRAD_POINTS(tile) (((tile) + 2) * ((tile) + 2))

// MARK: Input

// What becomes of the input on its way into the tiles.
typedef struct {
  // Batch norm's input, the residual or null, and its output or null; or the gradient of batch norm's output, batch
  // norm's input, and the gradient of that.
  __global const activation *input, *other;
  __global activation *stored;
  int mode, rectify;
  float16 scale, shift, center, slope;
} winograd_source;

// The numbers of the sixteen channels from c on; sums: as in batchnorm_backward_apply.
FUNCTION void winograd_source_block(
    winograd_source *source, __global const float *mean, __global const float *inverse, __global const float *gamma,
    __global const float *beta, __global const float *sums, int C, int c) {
  if (source->mode == WINOGRAD_PLAIN) return;
  source->scale = vload16(0, gamma + c) * vload16(0, inverse + c);
  if (source->mode == WINOGRAD_NORMALIZED) {
    source->shift = vload16(0, beta + c) - vload16(0, mean + c) * source->scale;
  } else {
    source->shift = vload16(0, sums + c);
    source->slope = vload16(0, sums + PADDED(C) + c);
    source->center = vload16(0, mean + c);
  }
}

// Sixteen channels of one pixel: gamma * (input - mean) * inverse + beta [+ residual] [max 0], or the gradient of batch
// norm's input, gamma * inverse * (g - sums[0] - (input - mean) * sums[1]). `own`: it is the caller's to store.
FUNCTION float16 winograd_pixel(const winograd_source *source, int i, int lanes, int own) {
  float16 value = load_activations(source->input + i, lanes);
  if (source->mode == WINOGRAD_PLAIN) return value;
  if (source->mode == WINOGRAD_NORMALIZED) {
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

// One line of Bt d.
FUNCTION void winograd_line(const float16 *d, int tile, float16 *v) {
  if (tile == 2) {
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[1] - d[3];
    return;
  }
  const float16 outer = fma((float16)(-2.0f), d[2], d[4]), inner = fma((float16)(-0.5f), d[2], d[4]);
  const float16 outer_odd = (float16)(WINOGRAD_A) * fma((float16)(-2.0f), d[1], d[3]);
  const float16 inner_odd = (float16)(WINOGRAD_B) * fma((float16)(-0.5f), d[1], d[3]);
  v[0] = fma((float16)(-2.5f), d[2], d[0] + d[4]);
  v[1] = outer + outer_odd;
  v[2] = outer - outer_odd;
  v[3] = inner + inner_odd;
  v[4] = inner - inner_odd;
  v[5] = fma((float16)(-2.5f), d[3], d[1] + d[5]);
}

// Column j of Bt d, of a tile whose rows are `row` floats and whose pixels `step` floats apart.
FUNCTION void winograd_column(const float *pixel, int row, int step, int tile, int j, float16 *columns) {
  float16 d[6];
#pragma unroll
  for (int i = 0; i < tile + 2; i++) d[i] = vload16(0, pixel + j * step + i * row);
  winograd_line(d, tile, columns + j * (tile + 2));
}

// All of them, [tile + 2][tile + 2], the first two of which are the last two of its neighbour's, unless it is the first.
FUNCTION void winograd_columns(const float *pixel, int row, int step, int tile, int is_first, float16 *columns) {
  if (is_first) {
    winograd_column(pixel, row, step, tile, 0, columns);
    winograd_column(pixel, row, step, tile, 1, columns);
  } else {
#pragma unroll
    for (int i = 0; i < 2 * (tile + 2); i++) columns[i] = columns[tile * (tile + 2) + i];
  }
#pragma unroll
  for (int j = 2; j < tile + 2; j++) winograd_column(pixel, row, step, tile, j, columns);
}

// Row i of Bt d B.
FUNCTION void winograd_row(const float16 *columns, int i, int tile, float16 *v) {
  float16 d[6];
#pragma unroll
  for (int j = 0; j < tile + 2; j++) d[j] = columns[j * (tile + 2) + i];
  winograd_line(d, tile, v);
}

// MARK: Output

// What is done with each output vector.
typedef struct {
  __global activation *output;
  __global const activation *addend;  // or null
  // Forward: mean and sum of squared deviations of the output, per channel. Backward: the sums that batch norm's
  // gradient needs. Null for none.
  __global float *partials;
  int backward;
  // The batch norm below: what it normalised, where its ReLU was on (null: computed again), and its numbers.
  __global const activation *below, *mask;
  __global const float *mean, *inverse, *gamma, *beta;
  int rectify;
} winograd_result;

// The sums of a block that are taken on the way, over `pixels` pixels. Deviations are taken from the first pixel's value,
// not from zero: sums of plain squares lose all digits where a channel's mean is large against its spread.
typedef struct {
  float16 origin, sum, squares;
  int pixels;
} winograd_sums;

FUNCTION void winograd_begin(const winograd_result *result, winograd_sums *sums, int o) {
  sums->origin = sums->sum = sums->squares = (float16)(0.0f);
  if (result->backward) sums->origin = vload16(0, result->mean + o);
  sums->pixels = 0;
}

// Leaves the sums of the block of channels from o on.
FUNCTION void winograd_leave(const winograd_result *result, const winograd_sums *sums, int O, int o) {
  if (!result->partials) return;
  float16 first = sums->sum, second = sums->squares;
  if (!result->backward) {
    const float16 mean = sums->sum * (float16)(1.0f / (float)sums->pixels);
    first = sums->origin + mean;
    second = sums->squares - sums->sum * mean;
  }
  vstore16(first, 0, result->partials + o);
  vstore16(second, 0, result->partials + PADDED(O) + o);
}

// One output vector at float `i` of the result, of which `lanes` channels exist: addend, mask, sums.
FUNCTION void winograd_finish(
    const winograd_result *result, float16 value, int i, int lanes, float16 scale, float16 shift, winograd_sums *sums) {
  const float16 zero = (float16)(0.0f);
  if (result->addend) value += load_activations(result->addend + i, lanes);
  if (result->backward) {
    const float16 below = load_activations(result->below + i, lanes);
    if (result->rectify) {
      // The same expression as in winograd_pixel, so that the mask is the forward pass's to the last bit.
      const float16 on = result->mask ? load_activations(result->mask + i, lanes) : fma(below, scale, shift);
      value = on > zero ? value : zero;
    }
    sums->sum += value;
    sums->squares = fma(value, below - sums->origin, sums->squares);
  } else if (result->partials) {
    const float16 difference = value - sums->origin;
    sums->sum += difference;
    sums->squares = fma(difference, difference, sums->squares);
  }
  store_activations(value, result->output + i, lanes);
}

// One line of At m.
FUNCTION void winograd_line_output(const float16 *m, int tile, float16 *y) {
  if (tile == 2) {
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] - m[3];
    return;
  }
  const float16 s1 = m[1] + m[2], s2 = m[3] + m[4], t1 = m[1] - m[2], t2 = m[3] - m[4];
  y[0] = m[0] + (s1 + s2);
  y[1] = fma((float16)(WINOGRAD_A), t1, (float16)(WINOGRAD_B) * t2);
  y[2] = fma((float16)(0.5f), s1, (float16)(2.0f) * s2);
  y[3] = fma((float16)(0.5f * WINOGRAD_A), t1, fma((float16)(2.0f * WINOGRAD_B), t2, m[5]));
}

// At [products] A of one tile, whose points are `point` floats apart.
FUNCTION void winograd_tile_output(const float *products, int point, int tile, float16 *pixels) {
  float16 lines[4 * 6];
#pragma unroll
  for (int j = 0; j < tile + 2; j++) {
    float16 m[6], y[4];
#pragma unroll
    for (int i = 0; i < tile + 2; i++) m[i] = vload16(0, products + ((tile + 2) * i + j) * point);
    winograd_line_output(m, tile, y);
#pragma unroll
    for (int i = 0; i < tile; i++) lines[6 * i + j] = y[i];
  }
#pragma unroll
  for (int i = 0; i < tile; i++) winograd_line_output(lines + 6 * i, tile, pixels + tile * i);
}

// The output of one block of channels, from o on, of which `lanes` exist: `count` tiles of all images from tile `first`
// on, whose products [point][tile][16] have points that are `point` floats apart.
FUNCTION void winograd_output(
    const winograd_result *result, const float *products, int point, winograd_sums *left, int P, int Q, int O, int o,
    int lanes, int tile, int first, int count) {
  const int across = (Q + tile - 1) / tile, each = across * ((P + tile - 1) / tile);
  winograd_sums sums = *left;
  float16 pixels[16], scale = sums.sum, shift = scale;
  if (result->backward) {
    scale = vload16(0, result->gamma + o) * vload16(0, result->inverse + o);
    shift = vload16(0, result->beta + o) - vload16(0, result->mean + o) * scale;
  }
  int image = first / each, y = first % each / across * tile, x = first % across * tile;
  for (int t = 0; t < count; t++, products += LANES) {
    winograd_tile_output(products, point, tile, pixels);
    if (!result->backward && sums.pixels == 0) sums.origin = pixels[0];
    const int high = min(tile, P - y), wide = min(tile, Q - x), at = ((image * P + y) * Q + x) * O + o;
    if (tile == 2) {  // four copies keep pixels in registers; sixteen would not
#pragma unroll
      for (int i = 0; i < 4; i++)
        if (i / 2 < high && i % 2 < wide)
          winograd_finish(result, pixels[i], at + (i / 2 * Q + i % 2) * O, lanes, scale, shift, &sums);
    } else {
      for (int i = 0; i < high; i++)
        for (int j = 0; j < wide; j++)
          winograd_finish(result, pixels[tile * i + j], at + (i * Q + j) * O, lanes, scale, shift, &sums);
    }
    sums.pixels += high * wide;
    x += tile;
    if (x >= Q) {
      x = 0;
      y += tile;
      if (y >= P) {
        y = 0;
        image++;
      }
    }
  }
  *left = sums;
}

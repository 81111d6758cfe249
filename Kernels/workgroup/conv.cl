// Convolution for GPU-type devices, forward and backward-data. Shapes and layouts are those of vector/conv.cl: input
// [B, H, W, C], output [B, P, Q, O], weights packed [O/16][KH][KW][C][16] at weights + weights_at.
//
// A group stages a tile of the input and the filters that belong to it in local memory, a few channels at a time; a
// work-item keeps 4 pixels x 4 output channels in registers. Eight neighbouring work-items have neighbouring pixels and
// the next three eights have the other channels of a block of sixteen, so that 32 work-items read 8 pixels and 16
// weights together, and write 8 pixels of 16 channels.
//
// With `transposed` the same kernels compute backward-data: input is then doutput, C and O change places, and the
// filters are read rotated and transposed as they are staged, so that no rotated copy of them is ever written.
//
// partials: per tile of pixels [2][PADDED(O)], mean and sum of squared deviations (for batch norm), or null. The
// deviations are taken from the tile's first pixel's value, not from zero: sums of plain squares lose all digits where
// a channel's mean is large against its spread.

// The weight from input channel c (of C) to output channel o (of O) at `tap`, where `weights` holds the forward
// filters, [C/16][taps][O][16], of which this is the backward direction.
FUNCTION float conv_rotated_weight(__global const float *weights, int c, int o, int tap, int C, int O, int taps) {
  if (c >= C || o >= O) return 0.0f;
  return weights[((c / LANES * taps + taps - 1 - tap) * O + o) * LANES + c % LANES];
}

// Leaves a tile's mean and sum of squared deviations of `count` pixels in `partials` (at channel 0 of the first of the
// group's `quads` fours of channels). `sum` and `squares` are of this work-item's pixels, from `origin`; `index` says
// where they belong: pixel index times quads + four of channels. Wanted fours: `valid`.
FUNCTION void conv_tile_statistics(
    float4 sum, float4 squares, __local float4 *memory, int index, int quads, int valid, int count,
    __local const float4 *origins, __global float *partials, int stride) {
  const int size = get_local_size(0), item = get_local_id(0);
  memory[index] = sum;
  memory[size + index] = squares;
  group_sum(memory, quads, 2);
  if (item < valid) {
    const float4 total = memory[item], n = (float4)(1.0f / (float)count);
    *(__global float4 *)(partials + 4 * item) = origins[item] + total * n;
    *(__global float4 *)(partials + stride + 4 * item) = memory[size + item] - total * total * n;
  }
}

// Input channels that are staged together.
#define CONV_3X3_CHANNELS 8
// Fours of floats of local memory: 16 KB. The largest tile takes (8 + 2) * (32 + 2) * 2 for pixels and 288 for filters.
#define CONV_3X3_MEMORY 1024

// One input channel: three weights times six pixels of `column`.
#define CONV_3X3_PIXEL(t, component)                                     \
  {                                                                      \
    sums[t] = fma((float4)(column[t].component), high, sums[t]);         \
    sums[t] = fma((float4)(column[(t) + 1].component), middle, sums[t]); \
    sums[t] = fma((float4)(column[(t) + 2].component), low, sums[t]);    \
  }
#define CONV_3X3_CHANNEL(i, component)                                                                        \
  {                                                                                                           \
    const float4 high = filter[i * quads], middle = filter[(24 + i) * quads], low = filter[(48 + i) * quads]; \
    CONV_3X3_PIXEL(0, component)                                                                              \
    CONV_3X3_PIXEL(1, component)                                                                              \
    CONV_3X3_PIXEL(2, component)                                                                              \
    CONV_3X3_PIXEL(3, component)                                                                              \
  }

// Where the tile of a group of the 3x3 kernels lies, and this work-item's part of it: 4 pixels below each other, from
// (y, x) of the tile, and four output channels, `quad` of the group's `quads`.
typedef struct {
  int tile, image, first_h, first_w;
  int band, lane, place, block, x, y;
  int first_o, quads, quad, pitch, plane;
} Conv3x3;

FUNCTION Conv3x3 conv_3x3_place(int columns, int rows, int blocks, int H, int W) {
  const int across = (W + columns - 1) / columns, down = (H + rows - 1) / rows;
  const int spatial = rows / 4 * columns / 8;  // eights of columns of four pixels
  Conv3x3 at;
  at.band = get_local_id(0) / 32;
  at.lane = get_local_id(0) % 32;
  at.tile = get_group_id(0);
  at.image = at.tile / (across * down);
  at.first_w = at.tile % across * columns;
  at.first_h = at.tile / across % down * rows;
  at.place = at.band % spatial;
  at.block = at.band / spatial;
  at.x = at.place % (columns / 8) * 8 + at.lane % 8;
  at.y = at.place / (columns / 8) * 4;
  at.first_o = get_group_id(1) * blocks * LANES;
  at.quads = 4 * blocks;
  at.quad = at.block * 4 + at.lane / 8;
  at.pitch = columns + 2;
  at.plane = (rows + 2) * at.pitch;
  return at;
}

// Puts the filters of 8 input channels from c0 into local memory: [9][8 input channels][quads fours of output channels].
FUNCTION void conv_3x3_stage_filters(
    Conv3x3 at, __local float4 *filters, __global const float *weights, int c0, int C, int O, int transposed) {
  const int item = get_local_id(0), size = get_local_size(0), quads = at.quads, blocks = quads / 4;
  if (transposed) {
    __local float *scalars = (__local float *)filters;
    for (int i = item; i < 9 * 8 * 4 * quads; i += size) {
      const int c = i % 8, o = i / 8 & (4 * quads - 1), tap = i / 32 >> (blocks + 1);
      scalars[(tap * 8 + c) * 4 * quads + o] = conv_rotated_weight(weights, c0 + c, at.first_o + o, tap, C, O, 9);
    }
  } else {
    for (int i = item; i < 9 * 8 * quads; i += size) {
      const int q = i & (quads - 1), c = (i >> (blocks + 1)) % 8, tap = (i >> (blocks + 1)) / 8;
      const int o = at.first_o + 4 * q, there = c0 + c < C && o < O;
      filters[i] = there ? QUAD(weights + ((o / LANES * 9 + tap) * C + c0 + c) * LANES + o % LANES) : (float4)(0.0f);
    }
  }
}

// Adds the products of the staged channels, `planes` fours of them, to the sums of four pixels.
FUNCTION void conv_3x3_multiply(
    Conv3x3 at, float4 *sums, __local const float4 *memory, __local const float4 *filters, int planes) {
  const int quads = at.quads;
  for (int part = 0; part < planes; part++)
    for (int kw = 0; kw < 3; kw++) {
      // Six pixels of a column serve four output pixels and three rows of the filter.
      __local const float4 *from = memory + part * at.plane + at.y * at.pitch + at.x + kw;
      __local const float4 *filter = filters + (kw * 8 + part * 4) * quads + at.quad;
      float4 column[6];
#pragma unroll
      for (int t = 0; t < 6; t++) column[t] = from[t * at.pitch];
      CONV_3X3_CHANNEL(0, s0)
      CONV_3X3_CHANNEL(1, s1)
      CONV_3X3_CHANNEL(2, s2)
      CONV_3X3_CHANNEL(3, s3)
    }
}

// Leaves the statistics of a tile: see conv_tile_statistics.
FUNCTION void conv_3x3_statistics(
    Conv3x3 at, const float4 *sums, __local float4 *memory, __local float4 *origins, __global float *partials, int H,
    int W, int O, int columns, int rows) {
  LOCAL_BARRIER;
  if (at.place == 0 && at.lane % 8 == 0) origins[at.quad] = sums[0];
  LOCAL_BARRIER;
  float4 sum = (float4)(0.0f), squares = (float4)(0.0f);
#pragma unroll
  for (int t = 0; t < 4; t++)
    if (at.first_h + at.y + t < H && at.first_w + at.x < W) {
      const float4 difference = sums[t] - origins[at.quad];
      sum += difference;
      squares = fma(difference, difference, squares);
    }
  conv_tile_statistics(
      sum, squares, memory, (at.place * 8 + at.lane % 8) * at.quads + at.quad, at.quads,
      min(at.quads, (PADDED(O) - at.first_o) / 4), min(rows, H - at.first_h) * min(columns, W - at.first_w), origins,
      partials + at.tile * 2 * PADDED(O) + at.first_o, PADDED(O));
}

// 3x3, stride 1, padding 1. A group: one image's tile of `rows` (4, 8, 16, 32) x `columns` (8, 16, 32) pixels, `blocks`
// (1 or 2) blocks of 16 output channels; rows * columns * blocks work-items, at most 256.
// Launch: (tiles of one image * B groups, PADDED(O) / 16 / blocks groups, rounded up). addend: like output, or null.
__kernel void conv_forward_3x3(
    __global const activation *restrict input, __global const float *restrict weights,
    __global const activation *addend, __global activation *output, __global float *restrict partials, int weights_at,
    int H, int W, int C, int O, int columns, int rows, int blocks, int transposed, int has_addend, int has_partials) {
  __local float4 memory[CONV_3X3_MEMORY];
  __local float4 origins[8];
  const Conv3x3 at = conv_3x3_place(columns, rows, blocks, H, W);
  __local float4 *filters = memory + 2 * at.plane;
  input += at.image * H * W * C;

  float4 sums[4];
#pragma unroll
  for (int t = 0; t < 4; t++) sums[t] = (float4)(0.0f);
  for (int c0 = 0; c0 < C; c0 += CONV_3X3_CHANNELS) {
    LOCAL_BARRIER;
    // Pixels [2 planes of 4 channels][rows + 2][columns + 2], zero outside of the image; 32 work-items take a row.
    for (int r = at.band; r < rows + 2; r += get_local_size(0) / 32)
      for (int i = at.lane; i < 2 * at.pitch; i += 32) {
        const int part = i % 2, h = at.first_h + r - 1, w = at.first_w + i / 2 - 1, c = c0 + 4 * part;
        const int inside = h >= 0 && h < H && w >= 0 && w < W;
        memory[part * at.plane + r * at.pitch + i / 2] =
            load_activation_quad(input + (inside ? (h * W + w) * C + c : 0), inside ? C - c : 0, ALIGNED(C));
      }
    conv_3x3_stage_filters(at, filters, weights + weights_at, c0, C, O, transposed);
    LOCAL_BARRIER;
    conv_3x3_multiply(at, sums, memory, filters, C - c0 > 4 ? 2 : 1);
  }

  const int o = at.first_o + 4 * at.quad, w = at.first_w + at.x;
#pragma unroll
  for (int t = 0; t < 4; t++) {
    const int h = at.first_h + at.y + t, to = ((at.image * H + h) * W + w) * O + o, there = h < H && w < W ? O - o : 0;
    if (has_addend && there > 0) sums[t] += load_activation_quad(addend + to, there, ALIGNED(O));
    if (there > 0) store_activation_quad(sums[t], output + to, there, ALIGNED(O));
  }
  if (has_partials) conv_3x3_statistics(at, sums, memory, origins, partials, H, W, O, columns, rows);
}

// Input channels of a step of the kernel below, and the distance of channels in the staged tile.
#define CONV_STEP 16
#define CONV_PITCH (CONV_GROUP_PIXELS / 4 + 1)

// Any filter, stride and padding, and matrix products: output pixel (y, x) takes tap (kh, kw) of the filter from input
// pixel ((y * up + kh - before_h) / down, (x * up + kw - before_w) / down) where the divisions leave no remainder.
// Forward: up = stride, down = 1, before = padding. Backward-data (transposed): up = 1, down = stride, before =
// filter size - 1 - padding. Pixels are taken by their phase (coordinates modulo `down`), within which all need the
// same taps: no zeros are multiplied and nothing is scattered.
//
// A group of 64 or 128 work-items: as many pixels of one phase (numbered through all images), 16 output channels.
// Launch: (ceil(B * ceil(P / down) * ceil(Q / down) / pixels) groups, PADDED(O) / 16 groups, down * down).
// addend: at addend + addend_at, a tensor like the output (addend_pitch = O), one vector for all pixels (a bias,
// addend_pitch = 0), or null. partials where down = 1: per group [2][PADDED(O)], or null.
__kernel void conv_forward(
    __global const activation *restrict input, __global const float *restrict weights,
    __global const activation *addend, __global activation *output, __global float *restrict partials, int weights_at,
    int addend_at, int addend_pitch, int B, int H, int W, int C, int P, int Q, int O, int KH, int KW, int up, int down,
    int before_h, int before_w, int transposed, int has_addend, int has_partials) {
  __local float4 memory[CONV_STEP * CONV_PITCH];  // [16 channels][pixels]
  __local float4 filters[CONV_STEP * 4];          // [16 input channels][16 output channels]
  __local float4 origins[4];
  const int item = get_local_id(0), size = get_local_size(0);
  const int phase_h = get_group_id(2) / down, phase_w = get_group_id(2) % down;
  const int rows = (P - phase_h + down - 1) / down, columns = (Q - phase_w + down - 1) / down;
  const int M = B * rows * columns, first = get_group_id(0) * size, block = get_group_id(1), o0 = block * LANES;
  if (first >= M) return;
  weights += weights_at;

  // This work-item stages four channels of four pixels; where the filter's first tap of each falls.
  const int part = item % 4;
  int image[4], top[4], left[4];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const int m = first + item / 4 + i * (size / 4), there = m < M;
    image[i] = there ? m / columns / rows : -1;
    top[i] = (m / columns % rows * down + phase_h) * up - before_h;
    left[i] = (m % columns * down + phase_w) * up - before_w;
  }
  // It computes four neighbouring pixels and four output channels.
  const int group = item / 32 * 8 + item % 8, quad = item / 8 % 4;
  float4 sums[4];
#pragma unroll
  for (int t = 0; t < 4; t++) sums[t] = (float4)(0.0f);

  for (int tap = 0; tap < KH * KW; tap++) {
    const int kh = tap / KW, kw = tap % KW;
    if ((phase_h * up + kh - before_h) % down != 0 || (phase_w * up + kw - before_w) % down != 0) continue;
    for (int c0 = 0; c0 < C; c0 += CONV_STEP) {
      LOCAL_BARRIER;
      __local float *pixels = (__local float *)memory;
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const int h = (top[i] + kh) / down, w = (left[i] + kw) / down, c = c0 + 4 * part;
        const int inside = image[i] >= 0 && top[i] + kh >= 0 && h < H && left[i] + kw >= 0 && w < W;
        const float4 value = load_activation_quad(
            input + (inside ? ((image[i] * H + h) * W + w) * C + c : 0), inside ? C - c : 0, ALIGNED(C));
        __local float *to = pixels + 4 * part * 4 * CONV_PITCH + item / 4 + i * (size / 4);
        to[0] = value.s0;
        to[4 * CONV_PITCH] = value.s1;
        to[8 * CONV_PITCH] = value.s2;
        to[12 * CONV_PITCH] = value.s3;
      }
      if (transposed) {
        __local float *scalars = (__local float *)filters;
        for (int i = item; i < CONV_STEP * LANES; i += size) {
          const int c = i % CONV_STEP, o = i / CONV_STEP;
          scalars[c * LANES + o] = conv_rotated_weight(weights, c0 + c, o0 + o, tap, C, O, KH * KW);
        }
      } else if (item < CONV_STEP * 4) {
        const int c = c0 + item / 4;
        filters[item] =
            c < C ? QUAD(weights + ((block * KH * KW + tap) * C + c) * LANES + item % 4 * 4) : (float4)(0.0f);
      }
      LOCAL_BARRIER;
      // By fours: channels behind the last are zero.
      for (int c = 0; c < min(CONV_STEP, C - c0); c += 4)
#pragma unroll
        for (int i = 0; i < 4; i++) {
          const float4 pixel = memory[(c + i) * CONV_PITCH + group], weight = filters[(c + i) * 4 + quad];
          sums[0] = fma((float4)(pixel.s0), weight, sums[0]);
          sums[1] = fma((float4)(pixel.s1), weight, sums[1]);
          sums[2] = fma((float4)(pixel.s2), weight, sums[2]);
          sums[3] = fma((float4)(pixel.s3), weight, sums[3]);
        }
    }
  }

  const int o = o0 + 4 * quad;
#pragma unroll
  for (int t = 0; t < 4; t++) {
    const int m = first + 4 * group + t;
    if (m < M && o < O) {
      const int h = m / columns % rows * down + phase_h, w = m % columns * down + phase_w;
      const int pixel = (m / columns / rows * P + h) * Q + w;
      if (has_addend)
        sums[t] += load_activation_quad(addend + addend_at + pixel * addend_pitch + o, O - o, ALIGNED(addend_pitch));
      store_activation_quad(sums[t], output + pixel * O + o, O - o, ALIGNED(O));
    }
  }
  if (!has_partials) return;
  LOCAL_BARRIER;
  if (group == 0) origins[quad] = sums[0];
  LOCAL_BARRIER;
  float4 sum = (float4)(0.0f), squares = (float4)(0.0f);
#pragma unroll
  for (int t = 0; t < 4; t++)
    if (first + 4 * group + t < M) {
      const float4 difference = sums[t] - origins[quad];
      sum += difference;
      squares = fma(difference, difference, squares);
    }
  conv_tile_statistics(
      sum, squares, memory, group * 4 + quad, 4, 4, min(size, M - first), origins,
      partials + get_group_id(0) * 2 * PADDED(O) + o0, PADDED(O));
}

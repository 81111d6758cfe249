// Convolution for CPU-type devices: explicit 16-wide vectors over output channels, one work-item per piece of an image,
// no barriers. Goals, in this order: the same result on every run and for any number of threads; the speed of a
// hand-written library; any shape.
//
// Shapes: input [B, H, W, C], output [B, P, Q, O], weights packed [O/16][KH][KW][C][16] at weights + weights_at.

// Output pixels and channel blocks of one register tile: CONV_PIXELS x CONV_BLOCKS accumulators of 16 floats.
// 16 accumulators fill the 32 registers of AVX-512 together with weights and pixels; narrower machines define less.
#ifndef CONV_PIXELS
#define CONV_PIXELS CONV_PIXELS_MAX
#endif
#ifndef CONV_BLOCKS
#define CONV_BLOCKS 2
#endif

// Copies `width` pixels of `C` channels into scratch with `before` zero pixels ahead and `after` behind.
// A row outside of the image (`from` is null) is all zero.
FUNCTION void conv_stage_row(
    __global const activation *from, float *to, int width, int C, int stride, int before, int after) {
  const int zero = from ? before * C : (before + width + after) * C;
  for (int i = 0; i < zero; i++) to[i] = 0.0f;
  if (!from) return;
  to += zero;
  if (C == stride) {
    const int count = width * C, whole = count / LANES;
    for (int i = 0; i < whole; i++) vstore16(load_activation16(from + i * LANES), i, to);
    for (int i = whole * LANES; i < count; i++) to[i] = load_activation(from + i);
  } else {
    for (int x = 0; x < width; x++)
      for (int c = 0; c < C; c++) to[x * C + c] = load_activation(from + x * stride + c);
  }
  to += width * C;
  for (int i = 0; i < after * C; i++) to[i] = 0.0f;
}

// One register tile of a 3x3 convolution with stride 1: CONV_PIXELS pixels of `blocks` channel blocks.
// The window slides: each pixel is loaded once per row of the filter and serves its three columns.
FUNCTION void conv_3x3_tile(
    const float *tile, __global const float *weights, int C, int pitch, int blocks, float16 *sums) {
  const int block_stride = 9 * C * LANES;
  for (int kh = 0; kh < 3; kh++) {
    const float *row = tile + kh * pitch;
    __global const float *w = weights + kh * 3 * C * LANES;
#pragma unroll 1
    for (int c = 0; c < C; c++) {
      float16 weight[3 * CONV_BLOCKS];
#pragma unroll
      for (int j = 0; j < CONV_BLOCKS; j++)
        if (j < blocks) {
          weight[3 * j] = vload16(0, w + j * block_stride);
          weight[3 * j + 1] = vload16(0, w + j * block_stride + C * LANES);
          weight[3 * j + 2] = vload16(0, w + j * block_stride + 2 * C * LANES);
        }
#pragma unroll
      for (int t = 0; t < CONV_PIXELS + 2; t++) {
        const float16 pixel = (float16)(row[t * C + c]);
#pragma unroll
        for (int j = 0; j < CONV_BLOCKS; j++)
          if (j < blocks) {
            if (t < CONV_PIXELS) sums[j * CONV_PIXELS + t] = fma(pixel, weight[3 * j], sums[j * CONV_PIXELS + t]);
            if (t >= 1 && t <= CONV_PIXELS)
              sums[j * CONV_PIXELS + t - 1] = fma(pixel, weight[3 * j + 1], sums[j * CONV_PIXELS + t - 1]);
            if (t >= 2) sums[j * CONV_PIXELS + t - 2] = fma(pixel, weight[3 * j + 2], sums[j * CONV_PIXELS + t - 2]);
          }
      }
      w += LANES;
    }
  }
}

// `rows` output rows of one image, for `blocks` channel blocks beginning at channel `o0`. Writes the output and, where
// `partials` is given, the piece's mean and sum of squared deviations per channel (for batch norm).
//
// The deviations are taken from the first pixel's value, not from zero: sums of plain squares lose all digits where a
// channel's mean is large against its spread.
FUNCTION void conv_3x3_rows(
    const float *scratch, __global const float *weights, __global const activation *addend, __global activation *output,
    __global float *partials, int C, int pitch, int Q, int O, int o0, int rows, int blocks) {
  const int count = O - o0;
  float16 origin[CONV_BLOCKS], sum[CONV_BLOCKS], squares[CONV_BLOCKS];
  for (int r = 0; r < rows; r++) {
    for (int x = 0; x < Q; x += CONV_PIXELS) {
      float16 sums[CONV_PIXELS * CONV_BLOCKS];
#pragma unroll
      for (int i = 0; i < CONV_PIXELS * CONV_BLOCKS; i++) sums[i] = (float16)(0.0f);
      conv_3x3_tile(scratch + r * pitch + x * C, weights, C, pitch, blocks, sums);
      const int at = (r * Q + x) * O + o0, valid = min(CONV_PIXELS, Q - x);
      const int whole = valid == CONV_PIXELS && count >= blocks * LANES;
#pragma unroll
      for (int j = 0; j < CONV_BLOCKS; j++)
        if (j < blocks) {
          if (r == 0 && x == 0) {
            origin[j] = sums[j * CONV_PIXELS];
            sum[j] = squares[j] = (float16)(0.0f);
          }
#pragma unroll
          for (int t = 0; t < CONV_PIXELS; t++) {
            if (t < valid) {
              float16 value = sums[j * CONV_PIXELS + t];
              const int here = at + t * O + j * LANES;
              if (whole) {
                if (addend) value += load_activation16(addend + here);
                store_activation16(value, output + here);
              } else {
                if (addend) value += load_activations(addend + here, count - j * LANES);
                store_activations(value, output + here, count - j * LANES);
              }
              if (partials) {
                const float16 difference = value - origin[j];
                sum[j] += difference;
                squares[j] = fma(difference, difference, squares[j]);
              }
            }
          }
        }
    }
  }
  if (partials) {
    const float16 n = (float16)(1.0f / (float)(rows * Q));
#pragma unroll
    for (int j = 0; j < CONV_BLOCKS; j++)
      if (j < blocks) {
        vstore16(origin[j] + sum[j] * n, 0, partials + o0 + j * LANES);
        vstore16(squares[j] - sum[j] * sum[j] * n, 0, partials + PADDED(O) + o0 + j * LANES);
      }
  }
}

FUNCTION void conv_3x3_piece(
    __global const activation *input, __global const float *weights, __global const activation *addend,
    __global activation *output, __global float *partials, int H, int W, int C, int O, int first, int rows,
    float *scratch) {
  const int padded = (W + CONV_PIXELS - 1) / CONV_PIXELS * CONV_PIXELS, pitch = (padded + 2) * C;
  for (int r = -1; r <= rows; r++) {
    const int h = first + r;
    conv_stage_row(h >= 0 && h < H ? input + h * W * C : 0, scratch + (r + 1) * pitch, W, C, C, 1, padded + 1 - W);
  }
  int o0 = 0;
  for (; O - o0 > (CONV_BLOCKS - 1) * LANES; o0 += CONV_BLOCKS * LANES)
    conv_3x3_rows(scratch, weights + o0 * 9 * C, addend, output, partials, C, pitch, W, O, o0, rows, CONV_BLOCKS);
  for (; o0 < O; o0 += LANES)
    conv_3x3_rows(scratch, weights + o0 * 9 * C, addend, output, partials, C, pitch, W, O, o0, rows, 1);
}

// 3x3, stride 1, padding 1. One work-item: `rows` output rows of one image, all output channels.
// Launch: (ceil(H / rows), B). partials: per work-item [2][PADDED(O)], or null; addend: like output, or null.
// Its backward-data is the same kernel on transposed, rotated weights (conv_transpose_weights).
__kernel void conv_forward_3x3(
    __global const activation *restrict input, __global const float *restrict weights,
    __global const activation *addend, __global activation *output, __global float *restrict partials, int weights_at,
    int H, int W, int C, int O, int rows, int has_addend, int has_partials) {
  float scratch[CONV_SCRATCH];
  const int piece = get_global_id(0), image = get_global_id(1), first = piece * rows;
  const int pieces = (H + rows - 1) / rows, own = min(rows, H - first);
  const int at = (image * H + first) * W * O;
  input += image * H * W * C;
  weights += weights_at;
  output += at;
  addend = has_addend ? addend + at : 0;
  partials = has_partials ? partials + (image * pieces + piece) * 2 * PADDED(O) : 0;
  conv_3x3_piece(input, weights, addend, output, partials, H, W, C, O, first, own, scratch);
}

// Weights for backward-data: transposed [C/16][KH][KW][O][16], and rotated by 180 degrees if `rotated180` is 1, so that
// backward-data of a 3x3 convolution with stride 1 is conv_forward_3x3. Launch: (KH * KW * O, PADDED(C) / 16).
__kernel void conv_transpose_weights(
    __global const float *restrict weights, __global float *restrict transposed, int weights_at, int C, int O, int KH,
    int KW, int rotated180) {
  const int index = get_global_id(0), c0 = get_global_id(1) * LANES;
  const int o = index % O, tap = index / O, taps = KH * KW;
  const int from = rotated180 ? taps - 1 - tap : tap;
  weights += weights_at + ((o / LANES * taps + from) * C + c0) * LANES + o % LANES;
  transposed += ((c0 / LANES * taps + tap) * O + o) * LANES;
  for (int i = 0; i < LANES; i++) transposed[i] = c0 + i < C ? weights[i * LANES] : 0.0f;
}

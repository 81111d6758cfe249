// The gradient of weights with many outputs for each number that is read: of linear layers, and of convolutions with few
// input channels. What the weights multiply is staged as a panel, to whose columns the rows of the weights belong.

// One register tile: the sums over `rows` rows of `inputs` columns by `blocks` blocks of up to 16 of the N outputs.
// columns: their offsets in `panel`, whose rows are `step` apart, and `jump` further from line to line of `width` rows; a
// tile over the last column repeats it. doutput: rows of N, of which `ahead` follow in the tensor, from the first of the
// blocks on; `count` outputs follow in the row. sums: the first block's, [K][16], from the first column on; accumulate = 1: they are added to. A block over the end of a row
// of doutput finds the next row there, which is left out in the end; behind the last row nothing is read.
FUNCTION void panel_tile(
    const float *panel, const int *columns, __global const activation *doutput, __global float *sums, int step,
    int width, int jump, int rows, int ahead, int N, int K, int inputs, int count, int accumulate, int blocks) {
  const float *column[CONV_PIXELS];
#pragma unroll
  for (int i = 0; i < CONV_PIXELS; i++) column[i] = panel + columns[min(i, inputs - 1)];
  float16 sum[CONV_PIXELS * CONV_BLOCKS];
#pragma unroll
  for (int j = 0; j < CONV_BLOCKS; j++)
#pragma unroll
    for (int i = 0; i < CONV_PIXELS; i++)
      if (j < blocks)
        sum[j * CONV_PIXELS + i] = accumulate && i < inputs ? vload16(j * K + i, sums) : (float16)(0.0f);
  const int lanes = min(LANES, count - (blocks - 1) * LANES);
  const int whole = ahead - (blocks * LANES - count + N - 1) / N;
#pragma unroll 1
  for (int m = 0, x = 0, at = 0; m < rows; m++) {
    float16 gradient[CONV_BLOCKS];
#pragma unroll
    for (int j = 0; j < CONV_BLOCKS; j++)
      if (j < blocks) {
        __global const activation *from = doutput + m * N + j * LANES;
        gradient[j] = j + 1 < blocks || m < whole ? load_activation16(from) : load_activations(from, lanes);
      }
#pragma unroll
    for (int i = 0; i < CONV_PIXELS; i++) {
      const float16 number = (float16)(column[i][at]);
#pragma unroll
      for (int j = 0; j < CONV_BLOCKS; j++)
        if (j < blocks) sum[j * CONV_PIXELS + i] = fma(number, gradient[j], sum[j * CONV_PIXELS + i]);
    }
    at += step;
    if (++x == width) {
      x = 0;
      at += jump;
    }
  }
#pragma unroll
  for (int j = 0; j < CONV_BLOCKS; j++)
#pragma unroll
    for (int i = 0; i < CONV_PIXELS; i++)
      if (j < blocks && i < inputs) {
        float16 value = sum[j * CONV_PIXELS + i];
        if (j + 1 == blocks && lanes < LANES)
          value = first_lanes(value, accumulate ? vload16(j * K + i, sums) : (float16)(0.0f), lanes);
        vstore16(value, j * K + i, sums);
      }
}

// All columns of a panel, PANEL_OUTPUTS outputs from `first` on; doutput and sums begin at output 0.
FUNCTION void panel_product(
    const float *panel, const int *columns, __global const activation *doutput, __global float *sums, int step,
    int width, int jump, int rows, int ahead, int N, int K, int inputs, int first, int accumulate) {
  const int last = min(N, first + PANEL_OUTPUTS);
  for (int k = 0; k < inputs; k += CONV_PIXELS) {
    const int own = min(CONV_PIXELS, inputs - k);
    int n = first;
    for (; last - n > (CONV_BLOCKS - 1) * LANES; n += CONV_BLOCKS * LANES)
      panel_tile(
          panel, columns + k, doutput + n, sums + n * K + k * LANES, step, width, jump, rows, ahead, N, K, own, N - n,
          accumulate, CONV_BLOCKS);
    for (; n < last; n += LANES)
      panel_tile(
          panel, columns + k, doutput + n, sums + n * K + k * LANES, step, width, jump, rows, ahead, N, K, own, N - n,
          accumulate, 1);
  }
}

// A linear layer: gradients[at + ...], packed [N/16][K][16], (+)= input^T [K, M] * doutput [M, N]. One work-item: all
// rows in their order, so that there are no partial sums; PANEL_COLUMNS columns of input. Launch: (ceil(N /
// PANEL_OUTPUTS), ceil(K / PANEL_COLUMNS)).
__kernel void gemm_backward_weights(
    __global const activation *restrict input, __global const activation *restrict doutput,
    __global float *restrict gradients, int at, int M, int N, int K, int accumulate) {
  float panel[PANEL_ROWS * PANEL_COLUMNS];
  int columns[PANEL_COLUMNS];
  const int first = get_global_id(1) * PANEL_COLUMNS, count = min(PANEL_COLUMNS, K - first);
  for (int k = 0; k < count; k++) columns[k] = k;
  for (int m = 0; m < M; m += PANEL_ROWS) {
    const int rows = min(PANEL_ROWS, M - m);
    for (int i = 0; i < rows; i++)
      for (int k = 0; k < count; k += LANES)
        vstore16(
            load_activations(input + (m + i) * K + first + k, min(LANES, count - k)), 0,
            panel + i * PANEL_COLUMNS + k);
    panel_product(
        panel, columns, doutput + m * N, gradients + at + first * LANES, PANEL_COLUMNS, rows, 0, rows, M - m, N, K,
        count, get_global_id(0) * PANEL_OUTPUTS, accumulate || m > 0);
  }
}

// Stages `count` columns of one row from column `first` on, which may lie outside of the image.
FUNCTION void conv_stage_columns(
    __global const activation *from, float *to, int first, int count, int width, int C, int stride) {
  const int left = max(first, 0), inner = min(first + count, width) - left, before = min(max(-first, 0), count);
  if (inner <= 0)
    conv_stage_row(0, to, count, C, stride, 0, 0);
  else
    conv_stage_row(from ? from + left * stride : 0, to, inner, C, stride, before, count - before - inner);
}

// A convolution with few channels, any filter, stride and padding: the filter's taps and channels are the columns.
// One work-item: `images` images, whose rows of output are taken `rows` at a time. Writes sums [chunk][O/16][KH][KW][C][16],
// which reduce_partials adds up in order. Launch: (ceil(O / PANEL_OUTPUTS), chunks).
__kernel void conv_backward_weights_panel(
    __global const activation *restrict input, __global const activation *restrict doutput,
    __global float *restrict partials, int B, int H, int W, int C, int P, int Q, int O, int KH, int KW, int stride,
    int padding, int left, int images, int rows) {
  float panel[CONV_SCRATCH];
  int columns[PANEL_TAPS];
  const int chunk = get_global_id(1), last = min(B, (chunk + 1) * images);
  const int width = (Q - 1) * stride + KW, pitch = width * C, K = KH * KW * C;
  partials += chunk * PADDED(O) * K;
  for (int k = 0; k < K; k++) columns[k] = k / (KW * C) * pitch + k % (KW * C);
  int accumulate = 0;
  for (int b = chunk * images; b < last; b++)
    for (int p = 0; p < P; p += rows) {
      const int own = min(rows, P - p), top = p * stride - padding;
      for (int h = 0; h < (own - 1) * stride + KH; h++)
        conv_stage_columns(
            top + h >= 0 && top + h < H ? input + (b * H + top + h) * W * C : 0, panel + h * pitch, -left, width, W, C,
            C);
      const int pixel = (b * P + p) * Q;
      panel_product(
          panel, columns, doutput + pixel * O, partials, stride * C, Q, stride * (pitch - Q * C), own * Q,
          B * P * Q - pixel, O, K, K, get_global_id(0) * PANEL_OUTPUTS, accumulate);
      accumulate = 1;
    }
}

// The gradient of a convolution's weights for CPU-type devices. Each work-item sums over a chunk of images; the chunks'
// sums are added up in order by reduce_partials. Shapes as in conv.cl.

// Input channels of one register tile of the weight gradient; with the filter's three columns 24 accumulators.
// A divisor of CONV_WEIGHT_UNIT, the input channels of one work-item.
#ifndef CONV_WEIGHT_CHANNELS
#define CONV_WEIGHT_CHANNELS 8
#endif

// Sums over one image for one row `kh` of a 3x3 filter (stride 1, padding 1), CONV_WEIGHT_CHANNELS input channels and
// sixteen output channels. The window slides over doutput: three neighbours are held, each pixel is loaded once.
FUNCTION void conv_3x3_weights_tile(
    __global const activation *input, __global const activation *doutput, int H, int W, int C, int O, int kh,
    float16 *sums) {
  for (int p = max(0, 1 - kh); p < min(H, H + 1 - kh); p++) {
    __global const activation *x = input + (p + kh - 1) * W * C;
    __global const activation *dy = doutput + p * W * O;
    float16 before = (float16)(0.0f), here = load_activation16(dy);
#pragma unroll 1
    for (int w = 0; w < W; w++) {
      float16 after = (float16)(0.0f);
      if (w + 1 < W) after = load_activation16(dy + (w + 1) * O);
#pragma unroll
      for (int i = 0; i < CONV_WEIGHT_CHANNELS; i++) {
        const float16 pixel = (float16)(load_activation(x + w * C + i));
        sums[i] = fma(pixel, after, sums[i]);
        sums[CONV_WEIGHT_CHANNELS + i] = fma(pixel, here, sums[CONV_WEIGHT_CHANNELS + i]);
        sums[2 * CONV_WEIGHT_CHANNELS + i] = fma(pixel, before, sums[2 * CONV_WEIGHT_CHANNELS + i]);
      }
      before = here;
      here = after;
    }
  }
}

// Gradient of the weights, 3x3, stride 1, padding 1, C a multiple of 8, O of 16. One work-item: `images` images, one
// row of the filter, 8 input channels, 16 output channels. Writes sums [chunk][O/16][3][3][C][16], which
// reduce_partials adds up in order. Launch: (3 * C / 8 * O / 16, chunks).
__kernel void conv_backward_weights_3x3(
    __global const activation *restrict input, __global const activation *restrict doutput,
    __global float *restrict partials, int B, int H, int W, int C, int O, int images) {
  const int unit = get_global_id(0), chunk = get_global_id(1);
  const int kh = unit % 3, units = C / CONV_WEIGHT_UNIT;
  const int first = unit / 3 % units * CONV_WEIGHT_UNIT, block = unit / 3 / units;
  partials += (chunk * O / LANES + block) * 9 * C * LANES;
  for (int c0 = first; c0 < first + CONV_WEIGHT_UNIT; c0 += CONV_WEIGHT_CHANNELS) {
    float16 sums[3 * CONV_WEIGHT_CHANNELS];
#pragma unroll
    for (int i = 0; i < 3 * CONV_WEIGHT_CHANNELS; i++) sums[i] = (float16)(0.0f);
    for (int b = chunk * images; b < min(B, (chunk + 1) * images); b++) {
      __global const activation *x = input + b * H * W * C + c0, *dy = doutput + b * H * W * O + block * LANES;
      // One call: with a second, for constant sizes, PoCL keeps the sums in memory (47 instead of 112 GFLOP/s a core).
      conv_3x3_weights_tile(x, dy, H, W, C, O, kh, sums);
    }
#pragma unroll
    for (int kw = 0; kw < 3; kw++)
#pragma unroll
      for (int i = 0; i < CONV_WEIGHT_CHANNELS; i++)
        vstore16(sums[kw * CONV_WEIGHT_CHANNELS + i], (kh * 3 + kw) * C + c0 + i, partials);
  }
}

// Gradient of the weights for any filter, stride and padding. One work-item: `images` images, one tap, up to sixteen
// input channels, sixteen output channels. Launch: (KH * KW * PADDED(C) / 16 * PADDED(O) / 16, chunks).
__kernel void conv_backward_weights(
    __global const activation *restrict input, __global const activation *restrict doutput,
    __global float *restrict partials, int B, int H, int W, int C, int P, int Q, int O, int KH, int KW, int stride,
    int padding, int left, int images) {
  const int unit = get_global_id(0), chunk = get_global_id(1);
  const int taps = KH * KW, tap = unit % taps, kh = tap / KW, kw = tap % KW, tiles = PADDED(C) / LANES;
  const int c0 = unit / taps % tiles * LANES, block = unit / taps / tiles;
  const int channels = min(LANES, C - c0), count = min(LANES, O - block * LANES);
  // The output columns whose input column w = q * stride + kw - left lies within the image.
  const int first = max(0, (left - kw + stride - 1) / stride);
  const int last = W - 1 + left - kw >= 0 ? min(Q - 1, (W - 1 + left - kw) / stride) : -1;
  float16 sums[LANES];
#pragma unroll
  for (int i = 0; i < LANES; i++) sums[i] = (float16)(0.0f);
  for (int b = chunk * images; b < min(B, (chunk + 1) * images); b++)
    for (int p = 0; p < P; p++) {
      const int h = p * stride + kh - padding;
      if (h < 0 || h >= H) continue;
      __global const activation *x = input + ((b * H + h) * W + first * stride + kw - left) * C + c0;
      __global const activation *dy = doutput + ((b * P + p) * Q + first) * O + block * LANES;
#pragma unroll 1
      for (int q = first; q <= last; q++) {
        const float16 gradient = load_activations(dy, count);
        if (channels == LANES) {
#pragma unroll
          for (int i = 0; i < LANES; i++) sums[i] = fma((float16)(load_activation(x + i)), gradient, sums[i]);
        } else {
#pragma unroll
          for (int i = 0; i < LANES; i++)
            if (i < channels) sums[i] = fma((float16)(load_activation(x + i)), gradient, sums[i]);
        }
        x += stride * C;
        dy += O;
      }
    }
  partials += ((chunk * PADDED(O) / LANES + block) * taps + tap) * C * LANES;
#pragma unroll
  for (int i = 0; i < LANES; i++)
    if (i < channels) vstore16(sums[i], c0 + i, partials);
}

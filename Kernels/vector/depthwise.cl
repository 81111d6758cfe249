// Convolution of every channel by itself, for CPU-type devices: vectors of 16 channels, no barriers, any filter, stride
// and padding. input [B, H, W, C], output [B, P, Q, C], weights packed [C/16][KH][KW][16] at weights + weights_at.
//
// There is one multiply-add for each number that is loaded, so that what counts is the order in which memory is read:
// a few pixels of a row at a time, all their channels, and each filter row's pixels from the first-level cache.

// Output pixels of one register tile.
#define DEPTHWISE_PIXELS 4

// Adds to `sums` one row of the filter for a tile of pixels, the first of which begins at column `first` of the input.
// Where `guarded`, columns outside of the image are left out, and so are pixels beyond `valid`.
FUNCTION void depthwise_row(
    __global const activation *row, __global const float *weights, int step, int first, int stride, int W, int C,
    int KW, int lanes, int valid, int guarded, float16 *sums) {
  for (int kw = 0; kw < KW; kw++) {
    const float16 weight = vload16(0, weights + kw * step);
#pragma unroll
    for (int t = 0; t < DEPTHWISE_PIXELS; t++) {
      const int w = first + t * stride + kw;
      if (!guarded)
        sums[t] = fma(load_activation16(row + w * C), weight, sums[t]);
      else if (t < valid && w >= 0 && w < W)
        sums[t] = fma(load_activations(row + w * C, lanes), weight, sums[t]);
    }
  }
}

// One work-item: one output row of one image. Launch: (P, B).
// rotated180: the filter is turned by 180 degrees, so that with stride 1 this is its own backward-data.
// finished: output = scale * sum + shift [+ addend] [max 0, min limit] with a batch norm's scale and shift.
__kernel void depthwise_forward(
    __global const activation *restrict input, __global const float *restrict weights,
    __global const activation *addend, __global const float *mean, __global const float *inverse,
    __global const float *parameters, __global activation *restrict output, int weights_at, int gamma_at, int beta_at,
    int H, int W, int C, int P, int Q, int KH, int KW, int stride, int padding, int left, int rotated180, int finished,
    int has_addend, int rectify, float limit) {
  const int p = get_global_id(0), image = get_global_id(1), taps = KH * KW;
  const int top = p * stride - padding, first_kh = max(0, -top), last_kh = min(KH, H - top);
  const int step = rotated180 ? -LANES : LANES;
  input += image * H * W * C;
  output += (image * P + p) * Q * C;
  addend = has_addend ? addend + (image * P + p) * Q * C : 0;
  weights += weights_at;
  for (int q = 0; q < Q; q += DEPTHWISE_PIXELS) {
    const int valid = min(DEPTHWISE_PIXELS, Q - q), first = q * stride - left;
    const int inside =
        valid == DEPTHWISE_PIXELS && first >= 0 && first + (DEPTHWISE_PIXELS - 1) * stride + KW <= W;
    for (int c = 0; c < C; c += LANES) {
      const int lanes = min(LANES, C - c);
      float16 sums[DEPTHWISE_PIXELS];
#pragma unroll
      for (int t = 0; t < DEPTHWISE_PIXELS; t++) sums[t] = (float16)(0.0f);
      for (int kh = first_kh; kh < last_kh; kh++) {
        __global const activation *row = input + (top + kh) * W * C + c;
        const int tap = rotated180 ? taps - 1 - kh * KW : kh * KW;
        __global const float *w = weights + c * taps + tap * LANES;
        if (inside && lanes == LANES)
          depthwise_row(row, w, step, first, stride, W, C, KW, LANES, DEPTHWISE_PIXELS, 0, sums);
        else
          depthwise_row(row, w, step, first, stride, W, C, KW, lanes, valid, 1, sums);
      }
      float16 scale = (float16)(1.0f), shift = (float16)(0.0f);
      if (finished) {
        scale = vload16(0, parameters + gamma_at + c) * vload16(0, inverse + c);
        shift = vload16(0, parameters + beta_at + c) - vload16(0, mean + c) * scale;
      }
#pragma unroll
      for (int t = 0; t < DEPTHWISE_PIXELS; t++)
        if (t < valid) {
          const int at = (q + t) * C + c;
          float16 value = sums[t];
          if (finished) value = conv_finished(value, scale, shift, addend ? addend + at : 0, lanes, rectify, limit);
          store_activations(value, output + at, lanes);
        }
    }
  }
}

// dinput[h, w] = sum over kh, kw of doutput[(h + padding - kh) / stride, (w + left - kw) / stride] * weights[kh, kw]
// where the divisions leave no remainder. One work-item: one input row of one image. Launch: (H, B).
__kernel void depthwise_backward_data(
    __global const activation *restrict doutput, __global const float *restrict weights,
    __global activation *restrict dinput, int weights_at, int H, int W, int C, int P, int Q, int KH, int KW, int stride,
    int padding, int left) {
  const int h = get_global_id(0), image = get_global_id(1), taps = KH * KW;
  doutput += image * P * Q * C;
  dinput += (image * H + h) * W * C;
  weights += weights_at;
  for (int w = 0; w < W; w++)
    for (int c = 0; c < C; c += LANES) {
      const int lanes = min(LANES, C - c);
      float16 sum = (float16)(0.0f);
      for (int kh = (h + padding) % stride; kh < KH && kh <= h + padding; kh += stride) {
        const int p = (h + padding - kh) / stride;
        if (p >= P) continue;
        for (int kw = (w + left) % stride; kw < KW && kw <= w + left; kw += stride) {
          const int q = (w + left - kw) / stride;
          if (q >= Q) continue;
          const float16 weight = vload16(kh * KW + kw, weights + c * taps);
          sum = fma(load_activations(doutput + (p * Q + q) * C + c, lanes), weight, sum);
        }
      }
      store_activations(sum, dinput + w * C + c, lanes);
    }
}

// Gradient of the weights. One work-item: DEPTHWISE_CHANNELS channels of `images` images. Writes sums
// [chunk][C/16][KH][KW][16], which reduce_partials adds up. Launch: (ceil(C / DEPTHWISE_CHANNELS), chunks).
__kernel void depthwise_backward_weights(
    __global const activation *restrict input, __global const activation *restrict doutput,
    __global float *restrict partials, int B, int H, int W, int C, int P, int Q, int KH, int KW, int stride,
    int padding, int left, int images) {
  const int chunk = get_global_id(1), taps = KH * KW;
  const int first_c = get_global_id(0) * DEPTHWISE_CHANNELS, last_c = min(C, first_c + DEPTHWISE_CHANNELS);
  partials += chunk * PADDED(C) * taps;
  for (int i = first_c * taps; i < PADDED(last_c) * taps; i += LANES) vstore16((float16)(0.0f), 0, partials + i);
  for (int b = chunk * images; b < min(B, (chunk + 1) * images); b++)
    for (int p = 0; p < P; p++) {
      const int top = p * stride - padding, first_kh = max(0, -top), last_kh = min(KH, H - top);
      for (int q = 0; q < Q; q += DEPTHWISE_PIXELS) {
        const int valid = min(DEPTHWISE_PIXELS, Q - q), first = q * stride - left;
        const int inside =
            valid == DEPTHWISE_PIXELS && first >= 0 && first + (DEPTHWISE_PIXELS - 1) * stride + KW <= W;
        for (int c = first_c; c < last_c; c += LANES) {
          const int lanes = min(LANES, C - c), whole = inside && lanes == LANES;
          float16 gradient[DEPTHWISE_PIXELS];
#pragma unroll
          for (int t = 0; t < DEPTHWISE_PIXELS; t++) {
            gradient[t] = (float16)(0.0f);
            if (t < valid) gradient[t] = load_activations(doutput + ((b * P + p) * Q + q + t) * C + c, lanes);
          }
          for (int kh = first_kh; kh < last_kh; kh++) {
            __global const activation *row = input + (b * H + top + kh) * W * C + c;
            for (int kw = 0; kw < KW; kw++) {
              __global float *to = partials + c * taps + (kh * KW + kw) * LANES;
              float16 sum = vload16(0, to);
#pragma unroll
              for (int t = 0; t < DEPTHWISE_PIXELS; t++) {
                const int w = first + t * stride + kw;
                if (whole)
                  sum = fma(load_activation16(row + w * C), gradient[t], sum);
                else if (t < valid && w >= 0 && w < W)
                  sum = fma(load_activations(row + w * C, lanes), gradient[t], sum);
              }
              vstore16(sum, 0, to);
            }
          }
        }
      }
    }
}

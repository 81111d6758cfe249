// Convolution of every channel by itself, for GPU-type devices, see vector/depthwise.cl. input [B, H, W, C], output
// [B, P, Q, C], weights packed [C/16][KH][KW][16] at weights + weights_at. One work-item: four channels of one pixel of
// what is written, unless stated; neighbours have neighbouring channels.

// The weights of tap 0 for four channels from c on; those of the next tap lie 16 further.
#define DEPTHWISE_WEIGHTS(weights, c, taps) ((weights) + (c) / LANES * (taps) * LANES + (c) % LANES)

// Launch: (B * P * Q * ceil(C / 4), rounded up).
__kernel void depthwise_forward(
    __global const activation *restrict input, __global const float *restrict weights,
    __global activation *restrict output, int weights_at, int B, int H, int W, int C, int P, int Q, int KH, int KW,
    int stride, int padding, int left) {
  const int index = get_global_id(0), quads = (C + 3) / 4, c = index % quads * 4, pixel = index / quads;
  const int q = pixel % Q, p = pixel / Q % P, image = pixel / Q / P;
  if (image >= B) return;
  weights = DEPTHWISE_WEIGHTS(weights + weights_at, c, KH * KW);
  float4 sum = (float4)(0.0f);
  for (int kh = 0; kh < KH; kh++) {
    const int h = p * stride + kh - padding;
    if (h < 0 || h >= H) continue;
    for (int kw = 0; kw < KW; kw++) {
      const int w = q * stride + kw - left;
      if (w < 0 || w >= W) continue;
      const float4 value = load_activation_quad(input + ((image * H + h) * W + w) * C + c, C - c, ALIGNED(C));
      sum = fma(value, QUAD(weights + (kh * KW + kw) * LANES), sum);
    }
  }
  store_activation_quad(sum, output + pixel * C + c, C - c, ALIGNED(C));
}

// Launch: (B * H * W * ceil(C / 4), rounded up).
__kernel void depthwise_backward_data(
    __global const activation *restrict doutput, __global const float *restrict weights,
    __global activation *restrict dinput, int weights_at, int B, int H, int W, int C, int P, int Q, int KH, int KW,
    int stride, int padding, int left) {
  const int index = get_global_id(0), quads = (C + 3) / 4, c = index % quads * 4, pixel = index / quads;
  const int w = pixel % W, h = pixel / W % H, image = pixel / W / H;
  if (image >= B) return;
  weights = DEPTHWISE_WEIGHTS(weights + weights_at, c, KH * KW);
  float4 sum = (float4)(0.0f);
  for (int kh = (h + padding) % stride; kh < KH && kh <= h + padding; kh += stride) {
    const int p = (h + padding - kh) / stride;
    if (p >= P) continue;
    for (int kw = (w + left) % stride; kw < KW && kw <= w + left; kw += stride) {
      const int q = (w + left - kw) / stride;
      if (q >= Q) continue;
      const float4 value = load_activation_quad(doutput + ((image * P + p) * Q + q) * C + c, C - c, ALIGNED(C));
      sum = fma(value, QUAD(weights + (kh * KW + kw) * LANES), sum);
    }
  }
  store_activation_quad(sum, dinput + pixel * C + c, C - c, ALIGNED(C));
}

// The gradient of one tap of 16 channels' filters, summed over `images` images: partials [chunk][C/16][KH][KW][16],
// which reduce_partials adds up. Launch: (PADDED(C) / 16 * KH * KW groups, chunks).
__kernel void depthwise_backward_weights(
    __global const activation *restrict input, __global const activation *restrict doutput,
    __global float *restrict partials, int B, int H, int W, int C, int P, int Q, int KH, int KW, int stride,
    int padding, int left, int images) {
  __local float4 memory[GROUP_ITEMS];
  const int item = get_local_id(0), size = get_local_size(0), unit = get_group_id(0), chunk = get_group_id(1);
  const int taps = KH * KW, tap = unit % taps, kh = tap / KW, kw = tap % KW, c = unit / taps * LANES + item % 4 * 4;
  const int pixels = min(images, B - chunk * images) * P * Q;
  float4 sum = (float4)(0.0f);
  for (int i = item / 4; i < pixels; i += size / 4) {
    const int image = chunk * images + i / Q / P, h = i / Q % P * stride + kh - padding, w = i % Q * stride + kw - left;
    if (h < 0 || h >= H || w < 0 || w >= W) continue;
    const float4 value = load_activation_quad(input + ((image * H + h) * W + w) * C + c, C - c, ALIGNED(C));
    const float4 gradient =
        load_activation_quad(doutput + (chunk * images * P * Q + i) * C + c, C - c, ALIGNED(C));
    sum = fma(value, gradient, sum);
  }
  memory[item] = sum;
  group_sum(memory, 4, 1);
  if (item < 4) *(__global float4 *)(partials + (chunk * PADDED(C) * taps + unit * LANES) + 4 * item) = memory[item];
}

// The weight gradient of a convolution for GPU-type devices. A group sums over a chunk of images for one row of the
// filter (or one tap), 16 input and 16 output channels; reduce_partials adds the chunks up in order.
//
// Sixteen work-items hold the 16 x 16 sums, 4 x 4 in each, and read whole pixels together; the group's other sixteens
// take other rows of the images, and are added up at the end. How many chunks there are depends on shapes alone.

// Adds the sums of the group's sixteens up and writes those of one tap: partials points at [16 c][16 o], `channels` of
// them exist. `sums` of work-item (quad, four) are [4 c][4 o].
FUNCTION void conv_weights_reduce(const float4 *sums, __local float4 *memory, __global float *partials, int channels) {
  const int item = get_local_id(0), subsets = get_local_size(0) / 16, subset = item / 16, place = item % 16;
  LOCAL_BARRIER;
#pragma unroll
  for (int i = 0; i < 4; i++) memory[(i * subsets + subset) * 16 + place] = sums[i];
  LOCAL_BARRIER;
  const int c = place / 4 * 4 + subset;
  if (subset < 4 && c < channels) {
    float4 sum = (float4)(0.0f);
    for (int s = 0; s < subsets; s++) sum += memory[(subset * subsets + s) * 16 + place];
    *(__global float4 *)(partials + c * LANES + place % 4 * 4) = sum;
  }
}

// sums[i] += pixel[i] * gradient for the four input channels of a pixel.
#define CONV_WEIGHTS_STEP(sums, pixel, gradient)              \
  {                                                           \
    sums[0] = fma((float4)((pixel).s0), gradient, (sums)[0]); \
    sums[1] = fma((float4)((pixel).s1), gradient, (sums)[1]); \
    sums[2] = fma((float4)((pixel).s2), gradient, (sums)[2]); \
    sums[3] = fma((float4)((pixel).s3), gradient, (sums)[3]); \
  }

// 3x3, stride 1, padding 1; partials [chunk][PADDED(O)/16][3][3][C][16]. With `normalized`, the input is what batch norm
// makes of `input`: gamma * (input - mean) * inverse + beta [max 0]; C is then a multiple of 16.
// Launch: (3 * PADDED(C) / 16 * PADDED(O) / 16 groups, chunks).
__kernel void conv_backward_weights_3x3(
    __global const activation *restrict input, __global const float *restrict mean,
    __global const float *restrict inverse, __global const float *restrict parameters,
    __global const activation *restrict doutput, __global float *restrict partials, int gamma_at, int beta_at, int H,
    int W, int C, int O, int normalized, int rectify, int B, int images) {
  __local float4 memory[4 * GROUP_ITEMS];
  const int item = get_local_id(0), subset = item / 16, subsets = get_local_size(0) / 16;
  const int unit = get_group_id(0), chunk = get_group_id(1), kh = unit % 3, tiles = PADDED(C) / LANES;
  const int c0 = unit / 3 % tiles * LANES, block = unit / 3 / tiles;
  const int c = c0 + item / 4 % 4 * 4, o = block * LANES + item % 4 * 4;
  const int rows = min(images, B - chunk * images) * H;
  Normalization layer;
  if (normalized) layer = load_normalization(mean, inverse, parameters, gamma_at, beta_at, c);
  float4 left[4], middle[4], right[4];
#pragma unroll
  for (int i = 0; i < 4; i++) left[i] = middle[i] = right[i] = (float4)(0.0f);
  for (int row = subset; row < rows; row += subsets) {
    const int image = chunk * images + row / H, p = row % H, h = p + kh - 1;
    if (h < 0 || h >= H) continue;
    __global const activation *x = input + (image * H + h) * W * C + c;
    __global const activation *dy = doutput + (image * H + p) * W * O + o;
    // The window slides over doutput: four pixels at a time, six of their neighbours.
    float4 gradient[6];
    gradient[0] = (float4)(0.0f);
    gradient[1] = load_activation_quad(dy, O - o, ALIGNED(O));
    for (int w = 0; w < W; w += 4) {
      float4 pixel[4];
#pragma unroll
      for (int t = 0; t < 4; t++) pixel[t] = load_activation_quad(x + (w + t) * C, w + t < W ? C - c : 0, ALIGNED(C));
      if (normalized)
#pragma unroll
        for (int t = 0; t < 4; t++) {
          float4 value = fma(pixel[t], layer.scale, layer.shift);
          if (rectify) value = rectified(value);
          // Behind the edge there is still nothing.
          pixel[t] = w + t < W ? value : (float4)(0.0f);
        }
#pragma unroll
      for (int t = 1; t < 5; t++)
        gradient[t + 1] = load_activation_quad(dy + (w + t) * O, w + t < W ? O - o : 0, ALIGNED(O));
#pragma unroll
      for (int t = 0; t < 4; t++) {
        CONV_WEIGHTS_STEP(left, pixel[t], gradient[t + 2])
        CONV_WEIGHTS_STEP(middle, pixel[t], gradient[t + 1])
        CONV_WEIGHTS_STEP(right, pixel[t], gradient[t])
      }
      gradient[0] = gradient[4];
      gradient[1] = gradient[5];
    }
  }
  partials += (((chunk * PADDED(O) / LANES + block) * 9 + kh * 3) * C + c0) * LANES;
  conv_weights_reduce(left, memory, partials, C - c0);
  conv_weights_reduce(middle, memory, partials + C * LANES, C - c0);
  conv_weights_reduce(right, memory, partials + 2 * C * LANES, C - c0);
}

// Any filter, stride and padding; partials [chunk][PADDED(O)/16][KH][KW][C][16].
// Launch: (KH * KW * PADDED(C) / 16 * PADDED(O) / 16 groups, chunks).
__kernel void conv_backward_weights(
    __global const activation *restrict input, __global const activation *restrict doutput,
    __global float *restrict partials, int B, int H, int W, int C, int P, int Q, int O, int KH, int KW, int stride,
    int padding, int left, int images) {
  __local float4 memory[4 * GROUP_ITEMS];
  const int item = get_local_id(0), subset = item / 16, subsets = get_local_size(0) / 16;
  const int unit = get_group_id(0), chunk = get_group_id(1), taps = KH * KW, tap = unit % taps;
  const int kh = tap / KW, kw = tap % KW, tiles = PADDED(C) / LANES;
  const int c0 = unit / taps % tiles * LANES, block = unit / taps / tiles;
  const int c = c0 + item / 4 % 4 * 4, o = block * LANES + item % 4 * 4;
  const int rows = min(images, B - chunk * images) * P;
  float4 sums[4];
#pragma unroll
  for (int i = 0; i < 4; i++) sums[i] = (float4)(0.0f);
  for (int row = subset; row < rows; row += subsets) {
    const int image = chunk * images + row / P, p = row % P, h = p * stride + kh - padding;
    if (h < 0 || h >= H) continue;
    __global const activation *x = input + (image * H + h) * W * C + c;
    __global const activation *dy = doutput + (image * P + p) * Q * O + o;
    for (int q = 0; q < Q; q += 4) {
      float4 pixel[4], gradient[4];
#pragma unroll
      for (int t = 0; t < 4; t++) {
        const int w = (q + t) * stride + kw - left, inside = q + t < Q && w >= 0 && w < W;
        pixel[t] = load_activation_quad(x + (inside ? w * C : 0), inside ? C - c : 0, ALIGNED(C));
        gradient[t] = load_activation_quad(dy + (inside ? (q + t) * O : 0), inside ? O - o : 0, ALIGNED(O));
      }
#pragma unroll
      for (int t = 0; t < 4; t++) CONV_WEIGHTS_STEP(sums, pixel[t], gradient[t])
    }
  }
  partials += (((chunk * PADDED(O) / LANES + block) * taps + tap) * C + c0) * LANES;
  conv_weights_reduce(sums, memory, partials, C - c0);
}

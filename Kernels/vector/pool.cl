// Pooling for CPU-type devices. input [B, H, W, C], output [B, P, Q, C].

// Mean over all pixels: [B, H, W, C] -> [B, C]. Launch: (B).
__kernel void pool_global_forward(
    __global const activation *restrict input, __global float *restrict output, int M, int C) {
  const int image = get_global_id(0);
  input += image * M * C;
  for (int c = 0; c < C; c += LANES) {
    const int lanes = min(LANES, C - c);
    float16 sum = (float16)(0.0f);
    for (int m = 0; m < M; m++) sum += load_activations(input + m * C + c, lanes);
    store_lanes(sum * (float16)(1.0f / (float)M), output + image * C + c, lanes);
  }
}

// Launch: (B).
__kernel void pool_global_backward(
    __global const float *restrict doutput, __global activation *restrict dinput, int M, int C) {
  const int image = get_global_id(0);
  dinput += image * M * C;
  for (int c = 0; c < C; c += LANES) {
    const int lanes = min(LANES, C - c);
    const float16 share = load_lanes(doutput + image * C + c, lanes) * (float16)(1.0f / (float)M);
    for (int m = 0; m < M; m++) store_activations(share, dinput + m * C + c, lanes);
  }
}

// The first channel of the vector that begins at `c`, where C channels lie side by side: the last vector of a pixel
// begins earlier and does some of the channels again, so that only fewer than 16 channels are taken one by one.
FUNCTION int pool_channel(int c, int C) { return max(0, min(c, C - LANES)); }

// The largest (maximum = 1) or the mean (0) of size x size pixels; pixels outside of the image do not count towards the
// largest, and count as zeros towards the mean, as in PyTorch. Launch: (P, B).
__kernel void pool_forward(
    __global const activation *restrict input, __global activation *restrict output, int H, int W, int C, int P, int Q,
    int size, int stride, int padding, int maximum) {
  const int p = get_global_id(0), image = get_global_id(1), lanes = min(LANES, C);
  input += image * H * W * C;
  output += (image * P + p) * Q * C;
  for (int q = 0; q < Q; q++)
    for (int vector = 0; vector < C; vector += LANES) {
      const int c = pool_channel(vector, C);
      float16 value = (float16)(maximum ? -INFINITY : 0.0f);
      for (int h = max(0, p * stride - padding); h < min(H, p * stride - padding + size); h++)
        for (int w = max(0, q * stride - padding); w < min(W, q * stride - padding + size); w++) {
          const float16 pixel = load_activations(input + (h * W + w) * C + c, lanes);
          value = maximum ? fmax(value, pixel) : value + pixel;
        }
      if (!maximum) value *= (float16)(1.0f / (float)(size * size));
      store_activations(value, output + q * C + c, lanes);
    }
}

// The gradient of a window's largest pixel where pixel (h, w), whose value is `own`, is that; else zero. The window
// begins at (top, left), which may lie outside of the image. Of equal pixels the first in reading order is the largest,
// as in PyTorch.
FUNCTION float16 pool_largest_share(
    __global const activation *input, float16 share, float16 own, int top, int left, int size, int h, int w, int H,
    int W, int C, int lanes) {
  const float16 zero = (float16)(0.0f);
  const int first = max(0, left), last = min(W, left + size);
  for (int y = max(0, top); y < min(H, top + size); y++) {
    __global const activation *row = input + y * W * C;
    const int own_x = y < h ? last : y > h ? first : w;
    for (int x = first; x < own_x; x++) share = load_activations(row + x * C, lanes) >= own ? zero : share;
    for (int x = own_x + (y == h); x < last; x++) share = load_activations(row + x * C, lanes) > own ? zero : share;
  }
  return share;
}

// Gathers, so that nothing is added by two work-items: each input pixel looks at the windows that hold it.
// Launch: (H, B).
__kernel void pool_backward(
    __global const activation *restrict doutput, __global const activation *restrict input,
    __global activation *restrict dinput, int H, int W, int C, int P, int Q, int size, int stride, int padding,
    int maximum) {
  const int h = get_global_id(0), image = get_global_id(1), lanes = min(LANES, C);
  input += image * H * W * C;
  doutput += image * P * Q * C;
  dinput += (image * H + h) * W * C;
  const int first_p = max(0, (h + padding - size + stride) / stride), last_p = min(P - 1, (h + padding) / stride);
  for (int w = 0; w < W; w++) {
    const int first_q = max(0, (w + padding - size + stride) / stride), last_q = min(Q - 1, (w + padding) / stride);
    for (int vector = 0; vector < C; vector += LANES) {
      const int c = pool_channel(vector, C);
      const float16 own = load_activations(input + (h * W + w) * C + c, lanes);
      float16 sum = (float16)(0.0f);
      for (int p = first_p; p <= last_p; p++)
        for (int q = first_q; q <= last_q; q++) {
          const float16 share = load_activations(doutput + (p * Q + q) * C + c, lanes);
          sum += maximum ? pool_largest_share(
                               input + c, share, own, p * stride - padding, q * stride - padding, size, h, w, H, W, C,
                               lanes)
                         : share / (float16)((float)(size * size));
        }
      store_activations(sum, dinput + w * C + c, lanes);
    }
  }
}

// Pooling for GPU-type devices, see vector/pool.cl. input [B, H, W, C], output [B, P, Q, C]; one work-item: one element
// of what is written, unless stated.

// Mean over M pixels: [B, M, C] -> [B, C]. A group: one image, 16 channels. Launch: (B groups, PADDED(C) / 16 groups).
__kernel void pool_global_forward(
    __global const activation *restrict input, __global float *restrict output, int M, int C) {
  __local float4 memory[GROUP_ITEMS];
  const int item = get_local_id(0), size = get_local_size(0), image = get_group_id(0);
  const int c = get_group_id(1) * LANES + item % 4 * 4;
  float4 sum = (float4)(0.0f);
  for (int m = item / 4; m < M; m += size / 4)
    sum += load_activation_quad(input + (image * M + m) * C + c, C - c, ALIGNED(C));
  memory[item] = sum;
  group_sum(memory, 4, 1);
  if (item < 4) store_quad(memory[item] * (float4)(1.0f / (float)M), output + image * C + c, C - c, ALIGNED(C));
}

// n = B * M * C. Launch: (n, rounded up).
__kernel void pool_global_backward(
    __global const float *restrict doutput, __global activation *restrict dinput, int M, int C, int n) {
  const int index = get_global_id(0);
  if (index < n) store_activation(doutput[index / C / M * C + index % C] * (1.0f / (float)M), dinput + index);
}

// Launch: (B * P * Q * C, rounded up).
__kernel void pool_forward(
    __global const activation *restrict input, __global activation *restrict output, int B, int H, int W, int C, int P,
    int Q, int size, int stride, int padding, int maximum) {
  const int index = get_global_id(0), c = index % C;
  const int q = index / C % Q, p = index / C / Q % P, image = index / C / Q / P;
  if (image >= B) return;
  float value = maximum ? -INFINITY : 0.0f;
  for (int h = max(0, p * stride - padding); h < min(H, p * stride - padding + size); h++)
    for (int w = max(0, q * stride - padding); w < min(W, q * stride - padding + size); w++) {
      const float pixel = load_activation(input + ((image * H + h) * W + w) * C + c);
      value = maximum ? fmax(value, pixel) : value + pixel;
    }
  store_activation(maximum ? value : value * (1.0f / (float)(size * size)), output + index);
}

// Gathers: each input pixel looks at the windows that hold it; of equal largest pixels the first takes the gradient.
// Launch: (B * H * W * C, rounded up).
__kernel void pool_backward(
    __global const activation *restrict doutput, __global const activation *restrict input,
    __global activation *restrict dinput, int B, int H, int W, int C, int P, int Q, int size, int stride, int padding,
    int maximum) {
  const int index = get_global_id(0), c = index % C;
  const int w = index / C % W, h = index / C / W % H, image = index / C / W / H;
  if (image >= B) return;
  const int first_p = max(0, (h + padding - size + stride) / stride), last_p = min(P - 1, (h + padding) / stride);
  const int first_q = max(0, (w + padding - size + stride) / stride), last_q = min(Q - 1, (w + padding) / stride);
  const float own = load_activation(input + index);
  float sum = 0.0f;
  for (int p = first_p; p <= last_p; p++)
    for (int q = first_q; q <= last_q; q++) {
      float share = load_activation(doutput + ((image * P + p) * Q + q) * C + c);
      if (maximum) {
        for (int y = max(0, p * stride - padding); y < min(H, p * stride - padding + size); y++)
          for (int x = max(0, q * stride - padding); x < min(W, q * stride - padding + size); x++) {
            const float other = load_activation(input + ((image * H + y) * W + x) * C + c);
            const int earlier = y < h || (y == h && x < w);
            if (other > own || (earlier && other == own)) share = 0.0f;
          }
      } else {
        share /= (float)(size * size);
      }
      sum += share;
    }
  store_activation(sum, dinput + index);
}

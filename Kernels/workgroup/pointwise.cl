// Element by element, for GPU-type devices: addition, ReLU, four elements per work-item, launched over (ceil(n / 4),
// rounded up); and the parameter-free shortcut between two stages of a ResNet, see vector/pointwise.cl.

__kernel void add_forward(
    __global const activation *a, __global const activation *b, __global activation *output, int n) {
  const int i = get_global_id(0) * 4;
  if (i < n)
    store_activation_quad(
        load_activation_quad(a + i, n - i, 1) + load_activation_quad(b + i, n - i, 1), output + i, n - i, 1);
}

__kernel void rectify_forward(
    __global const activation *input, __global activation *output, float slope, float limit, int n) {
  const int i = get_global_id(0) * 4;
  if (i >= n) return;
  const float4 value = load_activation_quad(input + i, n - i, 1), zero = (float4)(0.0f);
  const float4 below = slope > 0.0f ? value * (float4)(slope) : zero;
  store_activation_quad(value < zero ? below : (value > (float4)(limit) ? (float4)(limit) : value), output + i, n - i, 1);
}

// The gradient passes where the output is positive and below the limit; slope times the gradient where it is not
// positive.
__kernel void rectify_backward(
    __global const activation *doutput, __global const activation *output, __global activation *dinput, float slope,
    float limit, int n) {
  const int i = get_global_id(0) * 4;
  if (i >= n) return;
  const float4 gradient = load_activation_quad(doutput + i, n - i, 1), zero = (float4)(0.0f);
  const float4 below = slope > 0.0f ? gradient * (float4)(slope) : zero;
  const float4 value = load_activation_quad(output + i, n - i, 1);
  const float4 passed = value < (float4)(limit) ? gradient : zero;
  store_activation_quad(value > zero ? passed : below, dinput + i, n - i, 1);
}

// [B, H, W, C] -> [B, P, Q, 2C]. One work-item: one output element. Launch: (B * P * Q * 2C, rounded up).
__kernel void shortcut_forward(
    __global const activation *restrict input, __global activation *restrict output, int B, int H, int W, int C, int P,
    int Q, int average) {
  const int index = get_global_id(0), c = index % (2 * C), pixel = index / (2 * C);
  const int q = pixel % Q, p = pixel / Q % P, image = pixel / Q / P;
  if (image >= B) return;
  float value = 0.0f;
  if (c < C) {
    __global const activation *from = input + ((image * H + 2 * p) * W + 2 * q) * C + c;
    value = load_activation(from);
    if (average)
      value = 0.25f * ((value + load_activation(from + C)) +
                       (load_activation(from + W * C) + load_activation(from + W * C + C)));
  }
  store_activation(value, output + index);
}

// doutput [B, P, Q, 2C] -> dinput [B, H, W, C]. One work-item: one input element. Launch: (B * H * W * C, rounded up).
__kernel void shortcut_backward(
    __global const activation *restrict doutput, __global activation *restrict dinput, int B, int H, int W, int C,
    int P, int Q, int average) {
  const int index = get_global_id(0), c = index % C;
  const int w = index / C % W, h = index / C / W % H, image = index / C / W / H;
  if (image >= B) return;
  const int p = h / 2, q = w / 2, reached = p < P && q < Q && (average || (h % 2 == 0 && w % 2 == 0));
  float value = 0.0f;
  if (reached) value = (average ? 0.25f : 1.0f) * load_activation(doutput + ((image * P + p) * Q + q) * 2 * C + c);
  store_activation(value, dinput + index);
}

// Element by element: addition, ReLU, and the parameter-free shortcut between two stages of a ResNet.
// Launches: (ceil(n / ELEMENTS_PER_ITEM)) unless stated.

__kernel void add_forward(
    __global const activation *a, __global const activation *b, __global activation *output, int n) {
  const int first = get_global_id(0) * ELEMENTS_PER_ITEM, last = min(n, first + ELEMENTS_PER_ITEM);
  for (int i = first; i < last; i++) store_activation(load_activation(a + i) + load_activation(b + i), output + i);
}

// Below zero, slope times the input; zero where the slope is. Above the limit, the limit.
__kernel void rectify_forward(
    __global const activation *input, __global activation *output, float slope, float limit, int n) {
  const int first = get_global_id(0) * ELEMENTS_PER_ITEM, last = min(n, first + ELEMENTS_PER_ITEM);
  for (int i = first; i < last; i++) {
    const float value = load_activation(input + i), below = slope > 0.0f ? slope * value : 0.0f;
    store_activation(value < 0.0f ? below : value > limit ? limit : value, output + i);
  }
}

// The gradient passes where the output is positive and below the limit; slope times the gradient where it is not
// positive.
__kernel void rectify_backward(
    __global const activation *doutput, __global const activation *output, __global activation *dinput, float slope,
    float limit, int n) {
  const int first = get_global_id(0) * ELEMENTS_PER_ITEM, last = min(n, first + ELEMENTS_PER_ITEM);
  for (int i = first; i < last; i++) {
    const float gradient = load_activation(doutput + i), below = slope > 0.0f ? slope * gradient : 0.0f;
    const float value = load_activation(output + i);
    store_activation(value > 0.0f ? (value < limit ? gradient : 0.0f) : below, dinput + i);
  }
}

// Halves height and width and doubles the channels, the new ones zero: [B, H, W, C] -> [B, P, Q, 2C].
// average: the mean of 2 x 2 pixels (Pleiss et al., 2020); else every second pixel (He et al., 2015, option A).
// Launch: (P, B).
__kernel void shortcut_forward(
    __global const activation *restrict input, __global activation *restrict output, int H, int W, int C, int P, int Q,
    int average) {
  const int p = get_global_id(0), image = get_global_id(1);
  __global const activation *top = input + (image * H + 2 * p) * W * C;
  output += (image * P + p) * Q * 2 * C;
  for (int q = 0; q < Q; q++) {
    for (int c = 0; c < C; c++) {
      const int at = 2 * q * C + c;
      float value = load_activation(top + at);
      if (average) {
        const float below = load_activation(top + at + W * C) + load_activation(top + at + W * C + C);
        value = 0.25f * ((value + load_activation(top + at + C)) + below);
      }
      store_activation(value, output + c);
      store_activation(0.0f, output + C + c);
    }
    output += 2 * C;
  }
}

// doutput [B, P, Q, 2C] -> dinput [B, H, W, C]. Launch: (H, B).
__kernel void shortcut_backward(
    __global const activation *restrict doutput, __global activation *restrict dinput, int H, int W, int C, int P,
    int Q, int average) {
  const int h = get_global_id(0), image = get_global_id(1), p = h / 2;
  dinput += (image * H + h) * W * C;
  for (int w = 0; w < W; w++) {
    const int q = w / 2, reached = p < P && q < Q && (average || (h % 2 == 0 && w % 2 == 0));
    __global const activation *from = doutput + ((image * P + p) * Q + q) * 2 * C;
    for (int c = 0; c < C; c++)
      store_activation(reached ? (average ? 0.25f : 1.0f) * load_activation(from + c) : 0.0f, dinput + w * C + c);
  }
}

// The layers of plain convolutional networks for GPU-type devices; see vector/layers.cl for what they compute.

// output [M, C] = input + bias, n = M * C. One work-item: four elements. Launch: (ceil(n / 4), rounded up).
__kernel void bias_forward(
    __global const activation *restrict input, __global const float *restrict parameters,
    __global activation *restrict output, int bias_at, int n, int C) {
  const int i = get_global_id(0) * 4;
  if (i >= n) return;
  const float4 bias = channel_quad(parameters + bias_at, i % C, C);
  store_activation_quad(load_activation_quad(input + i, n - i, 1) + bias, output + i, n - i, 1);
}

// partials [piece][PADDED(C)], which reduce_partials adds up. A group: `rows` rows of doutput [M, C], 16 channels.
// Launch: (ceil(M / rows) groups, PADDED(C) / 16 groups).
__kernel void bias_backward(
    __global const activation *restrict doutput, __global float *restrict partials, int M, int C, int rows) {
  __local float4 memory[GROUP_ITEMS];
  const int item = get_local_id(0), c = get_group_id(1) * LANES + item % 4 * 4;
  const int first = get_group_id(0) * rows, last = min(M, first + rows);
  float4 sum = (float4)(0.0f);
  for (int m = first + item / 4; m < last; m += get_local_size(0) / 4)
    sum += load_activation_quad(doutput + m * C + c, C - c, ALIGNED(C));
  memory[item] = sum;
  group_sum(memory, 4, 1);
  if (item < 4) *(__global float4 *)(partials + get_group_id(0) * PADDED(C) + c) = memory[item];
}

// One work-item: four numbers of one image of n, of which there are `quads`. Launch: (B * quads, rounded up).
__kernel void dropout_scale(
    __global const activation *restrict input, __global const int *restrict counters,
    __global activation *restrict output, int B, int quads, int n, int period, int layer, float rate, float scale,
    int peer) {
  const int image = get_global_id(0) / quads, first = get_global_id(0) % quads * 4;
  if (image >= B) return;
  input += image * n;
  output += image * n;
  int known = -1;
  uint4 words = (uint4)(0);
  for (int at = first; at < min(n, first + 4); at++) {
    const int place = at % period;
    if (place / 4 != known) {
      known = place / 4;
      words = random_words(
          (uint)counters[COUNTER_SEED_LOW], (uint)counters[COUNTER_SEED_HIGH],
          DROPOUT_PURPOSE(peer, counters), (uint)counters[COUNTER_EPOCH],
          (uint)(counters[COUNTER_OFFSET] + image), (uint)layer << 24 | (uint)known);
    }
    const uint low = place % 2 ? words.y : words.x, high = place % 2 ? words.w : words.z;
    const int kept = random_uniform(place % 4 < 2 ? low : high) >= rate;
    store_activation(kept ? load_activation(input + at) * scale : 0.0f, output + at);
  }
}

// [B, M, C] -> [B, C * M]. One work-item: one element, n = B * M * C. Launch: (n, rounded up).
__kernel void flatten_forward(
    __global const activation *restrict input, __global float *restrict output, int M, int C, int n) {
  const int index = get_global_id(0), m = index % M, c = index / M % C, image = index / M / C;
  if (index < n) output[index] = load_activation(input + (image * M + m) * C + c);
}

// doutput [B, C * M] -> dinput [B, M, C]. Launch: (n, rounded up).
__kernel void flatten_backward(
    __global const float *restrict doutput, __global activation *restrict dinput, int M, int C, int n) {
  const int index = get_global_id(0), c = index % C, m = index / C % M, image = index / C / M;
  if (index < n) store_activation(doutput[(image * C + c) * M + m], dinput + index);
}

// The layers of plain convolutional networks, for CPU-type devices: bias, dropout, and the step from pixels to a vector.

// output [M, C] = input + bias [C]. One work-item: `rows` rows. Launch: (ceil(M / rows)).
__kernel void bias_forward(
    __global const activation *restrict input, __global const float *restrict parameters,
    __global activation *restrict output, int bias_at, int M, int C, int rows) {
  const int first = get_global_id(0) * rows, last = min(M, first + rows);
  for (int c = 0; c < C; c += LANES) {
    const int lanes = min(LANES, C - c);
    const float16 bias = vload16(0, parameters + bias_at + c);
    for (int m = first; m < last; m++)
      store_activations(load_activations(input + m * C + c, lanes) + bias, output + m * C + c, lanes);
  }
}

// partials [piece][PADDED(C)] = sums over the rows of one piece of doutput [M, C], which reduce_partials adds up.
// Launch: (ceil(M / rows)).
__kernel void bias_backward(
    __global const activation *restrict doutput, __global float *restrict partials, int M, int C, int rows) {
  const int piece = get_global_id(0), first = piece * rows, last = min(M, first + rows);
  for (int c = 0; c < C; c += LANES) {
    const int lanes = min(LANES, C - c);
    float16 sum = (float16)(0.0f);
    for (int m = first; m < last; m++) sum += load_activations(doutput + m * C + c, lanes);
    vstore16(sum, 0, partials + piece * PADDED(C) + c);
  }
}

// Dropout, and its gradient: each number of an image is zero with probability `rate`, else `scale` times as large.
// What is drawn depends on seed, epoch, position in the epoch, `layer`, and the number's place among the image's n
// modulo `period`: n, or C where whole channels are dropped. One work-item: one image. Launch: (B).
__kernel void dropout_scale(
    __global const activation *restrict input, __global const int *restrict counters,
    __global activation *restrict output, int n, int period, int layer, float rate, float scale, int peer) {
  const int image = get_global_id(0);
  input += image * n;
  output += image * n;
  for (int first = 0; first < period; first += 4) {
    const uint4 words = random_words(
        (uint)counters[COUNTER_SEED_LOW], (uint)counters[COUNTER_SEED_HIGH],
        DROPOUT_PURPOSE(peer, counters), (uint)counters[COUNTER_EPOCH],
        (uint)(counters[COUNTER_OFFSET] + image), (uint)layer << 24 | (uint)first / 4);
    const int kept[4] = {
        random_uniform(words.x) >= rate, random_uniform(words.y) >= rate, random_uniform(words.z) >= rate,
        random_uniform(words.w) >= rate};
    for (int at = first; at < n; at += period)
      for (int i = 0; i < min(4, period - first); i++)
        store_activation(kept[i] ? load_activation(input + at + i) * scale : 0.0f, output + at + i);
  }
}

// [B, M, C] -> [B, C * M], channel by channel as PyTorch flattens. One work-item: one image. Launch: (B).
__kernel void flatten_forward(
    __global const activation *restrict input, __global float *restrict output, int M, int C) {
  const int image = get_global_id(0);
  input += image * M * C;
  output += image * M * C;
  for (int c = 0; c < C; c++)
    for (int m = 0; m < M; m++) output[c * M + m] = load_activation(input + m * C + c);
}

// doutput [B, C * M] -> dinput [B, M, C]. Launch: (B).
__kernel void flatten_backward(
    __global const float *restrict doutput, __global activation *restrict dinput, int M, int C) {
  const int image = get_global_id(0);
  doutput += image * M * C;
  dinput += image * M * C;
  for (int m = 0; m < M; m++)
    for (int c = 0; c < C; c++) store_activation(doutput[c * M + m], dinput + m * C + c);
}

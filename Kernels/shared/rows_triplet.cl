// Arithmetic on rows of features, as in rows.cl, for images whose labels say which belong together. One work-item per row;
// each looks at all rows of the batch, in their order.

// The squared distance of two rows of D features.
FUNCTION float rows_square(__global const float *a, __global const float *b, int D) {
  float sum = 0.0f;
  for (int k = 0; k < D; k++) {
    const float difference = a[k] - b[k];
    sum = fma(difference, difference, sum);
  }
  return sum;
}

// Batch-hard triplets: L = max(0, d(b, p) - d(b, n) + margin), p the farthest row with b's label, n the nearest with
// another, both among the rows whose sample is chosen (not 0). `farthest` and `nearest` [B] are the positions of p and n;
// -1 where L is 0, as without another label, and for rows that are not chosen. numbers[NUMBER_METHOD + slot]: the margin.
// (Hermans, Beyer and Leibe, In defense of the triplet loss, 2017; as in FlyingRoastDuck/ACT_AAAI20.)
__kernel void rows_triplet(
    __global const float *restrict features, __global const int *restrict labels, __global const int *restrict order,
    __global const int *restrict counters, __global const float *restrict numbers, __global const float *restrict chosen,
    __global float *restrict farthest, __global float *restrict nearest, __global float *restrict sample_loss, int B,
    int D, int slot) {
  const int b = get_global_id(0), first = counters[COUNTER_OFFSET], sample = order[first + b];
  float far = -1.0f, near = INFINITY;
  int p = -1, n = -1;
  for (int i = 0; i < B; i++) {
    const int other = order[first + i];
    if (chosen[other] == 0.0f) continue;
    const float square = rows_square(features + b * D, features + i * D, D);
    if (labels[other] == labels[sample]) {
      if (square > far) far = square, p = i;
    } else if (square < near) {
      near = square, n = i;
    }
  }
  const float distance = sqrt(fmax(far, 1e-12f)) - sqrt(fmax(near, 1e-12f)) + numbers[NUMBER_METHOD + slot];
  const int counts = chosen[sample] != 0.0f && n >= 0 && distance > 0.0f;
  farthest[b] = counts ? (float)p : -1.0f;
  nearest[b] = counts ? (float)n : -1.0f;
  sample_loss[sample] = counts ? distance : 0.0f;
}

// Adds scale * (x - y) / d(x, y) to the gradient of x; distances below 1e-6 have no slope.
FUNCTION void rows_pull(
    __global const float *x, __global const float *y, float scale, __global float *gradient, int D) {
  const float square = rows_square(x, y, D);
  if (square <= 1e-12f) return;
  const float slope = scale / sqrt(square);
  for (int k = 0; k < D; k++) gradient[k] = fma(slope, x[k] - y[k], gradient[k]);
}

// The gradient [B, D] of the mean of these losses over the rows that are chosen: of each row, what its own triplet and
// those in which it is the farthest or the nearest say.
__kernel void rows_triplet_backward(
    __global const float *restrict features, __global const float *restrict farthest,
    __global const float *restrict nearest, __global const int *restrict order, __global const int *restrict counters,
    __global const float *restrict chosen, __global float *restrict dfeatures, int B, int D) {
  const int b = get_global_id(0), first = counters[COUNTER_OFFSET];
  __global const float *x = features + b * D;
  __global float *gradient = dfeatures + b * D;
  for (int k = 0; k < D; k++) gradient[k] = 0.0f;
  int count = 0;
  for (int i = 0; i < B; i++) count += chosen[order[first + i]] != 0.0f;
  if (count == 0) return;
  const float scale = 1.0f / (float)count;
  for (int i = 0; i < B; i++) {
    const int p = (int)farthest[i], n = (int)nearest[i];
    if (n < 0) continue;
    if (i == b && p != b) rows_pull(x, features + p * D, scale, gradient, D);
    if (i == b) rows_pull(x, features + n * D, -scale, gradient, D);
    if (p == b && i != b) rows_pull(x, features + i * D, scale, gradient, D);
    if (n == b) rows_pull(x, features + i * D, -scale, gradient, D);
  }
}

// The inverse of the determinant loss's matrix (shared/loss_determinant.cl) for CPU-type devices.

// The inverse of U by elimination with the largest pivot of each column, and log |det U| behind it and behind K numbers
// of scratch; -infinity and an inverse of zeros if U is singular. Launch: (1).
__kernel void determinant_invert(
    __global const float *restrict probabilities, __global const int *restrict labels,
    __global const int *restrict order, __global const int *restrict counters, __global float *restrict matrix, int B,
    int K) {
  __global float *pivots = matrix + K * K;
  const int first = counters[COUNTER_OFFSET];
  for (int i = 0; i < K * K; i++) matrix[i] = 0.0f;
  for (int k = 0; k < K; k++) pivots[k] = 0.0f;
  for (int b = 0; b < B; b++) {
    const int label = labels[order[first + b]];
    pivots[label] = 1.0f;
    for (int k = 0; k < K; k++) matrix[label * K + k] += probabilities[b * K + k];
  }
  for (int k = 0; k < K; k++)
    if (pivots[k] == 0.0f) matrix[k * K + k] = 1.0f;
  float logarithm = 0.0f;
  for (int step = 0; step < K; step++) {
    int best = step;
    for (int i = step + 1; i < K; i++)
      if (fabs(matrix[i * K + step]) > fabs(matrix[best * K + step])) best = i;
    const float pivot = matrix[best * K + step], inverse = 1.0f / pivot;
    pivots[step] = (float)best;
    if (!(fabs(pivot) > DETERMINANT_MIN)) {
      logarithm = -INFINITY;
      break;
    }
    logarithm += log(fabs(pivot));
    __global float *row = matrix + step * K;
    for (int k = 0; k < K; k++) {
      const float value = matrix[best * K + k];
      matrix[best * K + k] = row[k];
      row[k] = (k == step ? 1.0f : value) * inverse;
    }
    for (int i = 0; i < K; i++) {
      if (i == step) continue;
      __global float *other = matrix + i * K;
      const float factor = other[step];
      other[step] = 0.0f;
      for (int k = 0; k < K; k++) other[k] -= factor * row[k];
    }
  }
  matrix[K * K + K] = logarithm;
  if (logarithm == -INFINITY) {
    for (int i = 0; i < K * K; i++) matrix[i] = 0.0f;
    return;
  }
  // Rows that changed places are columns of the inverse that do.
  for (int step = K - 1; step >= 0; step--) {
    const int best = (int)pivots[step];
    for (int i = 0; i < K && best != step; i++) {
      const float value = matrix[i * K + step];
      matrix[i * K + step] = matrix[i * K + best];
      matrix[i * K + best] = value;
    }
  }
}

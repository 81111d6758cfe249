// The inverse of the determinant loss's matrix (shared/loss_determinant.cl) for GPU-type devices.

// The same as vector/loss_determinant.cl, by one group of GROUP_ITEMS or fewer work-items. Launch: (1 group).
__kernel void determinant_invert(
    __global const float *restrict probabilities, __global const int *restrict labels,
    __global const int *restrict order, __global const int *restrict counters, __global float *restrict matrix, int B,
    int K) {
  __local float largest[GROUP_ITEMS];
  __local int where[GROUP_ITEMS];
  __global float *pivots = matrix + K * K;
  const int item = get_local_id(0), items = get_local_size(0), first = counters[COUNTER_OFFSET];
  // A work-item owns columns of U, so that nothing is added to by two.
  for (int k = item; k < K; k += items) {
    pivots[k] = 0.0f;
    for (int i = 0; i < K; i++) matrix[i * K + k] = 0.0f;
    for (int b = 0; b < B; b++) {
      const int label = labels[order[first + b]];
      matrix[label * K + k] += probabilities[b * K + k];
      if (label == k) pivots[k] = 1.0f;
    }
    if (pivots[k] == 0.0f) matrix[k * K + k] = 1.0f;
  }
  barrier(CLK_GLOBAL_MEM_FENCE);
  float logarithm = 0.0f;
  for (int step = 0; step < K; step++) {
    float size = -1.0f;
    int best = step;
    for (int i = step + item; i < K; i += items)
      if (fabs(matrix[i * K + step]) > size) {
        size = fabs(matrix[i * K + step]);
        best = i;
      }
    largest[item] = size;
    where[item] = best;
    LOCAL_BARRIER;
    for (int span = items / 2; span > 0; span /= 2) {
      const int other = item + span;
      // Of equal ones the first, as one work-item alone would find it.
      if (item < span && (largest[other] > largest[item] ||
                          (largest[other] == largest[item] && where[other] < where[item]))) {
        largest[item] = largest[other];
        where[item] = where[other];
      }
      LOCAL_BARRIER;
    }
    best = where[0];
    const float pivot = matrix[best * K + step];
    // All work-items have read before any of them writes, here and below.
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    if (!(fabs(pivot) > DETERMINANT_MIN)) {
      logarithm = -INFINITY;
      break;
    }
    logarithm += log(fabs(pivot));
    if (item == 0) pivots[step] = (float)best;
    const float inverse = 1.0f / pivot;
    for (int k = item; k < K; k += items) {
      const float value = matrix[best * K + k];
      matrix[best * K + k] = matrix[step * K + k];
      matrix[step * K + k] = (k == step ? 1.0f : value) * inverse;
    }
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (int i = 0; i < K; i++)
      for (int k = item; k < K && i != step; k += items)
        if (k != step) matrix[i * K + k] -= matrix[i * K + step] * matrix[step * K + k];
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (int i = item; i < K; i += items)
      if (i != step) matrix[i * K + step] *= -matrix[step * K + step];
    barrier(CLK_GLOBAL_MEM_FENCE);
  }
  if (item == 0) matrix[K * K + K] = logarithm;
  for (int i = item; i < K; i += items) {
    if (logarithm == -INFINITY) {
      for (int k = 0; k < K; k++) matrix[i * K + k] = 0.0f;
      continue;
    }
    for (int step = K - 1; step >= 0; step--) {
      const int best = (int)pivots[step];
      const float value = matrix[i * K + step];
      matrix[i * K + step] = matrix[i * K + best];
      matrix[i * K + best] = value;
    }
  }
}

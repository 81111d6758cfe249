// Weights of samples: what a batch's loss gives to each of its rows.

// Turns the gradient of a batch's mean loss into that of its weighted mean: row b of dlogits [B, K] times
// weight_b · B / (sum of the batch's weights); 0 where that sum is 0. One work-item per row. Launch: (B).
__kernel void weights_scale_rows(
    __global const float *restrict weights, __global const int *restrict order, __global const int *restrict counters,
    __global float *restrict dlogits, int B, int K) {
  const int b = get_global_id(0), first = counters[COUNTER_OFFSET];
  // Every row adds up all weights, in the same order: B is small, and there is no barrier.
  float sum = 0.0f;
  for (int i = 0; i < B; i++) sum += weights[order[first + i]];
  const float scale = sum > 0.0f ? weights[order[first + b]] * (float)B / sum : 0.0f;
  for (int k = 0; k < K; k++) dlogits[b * K + k] *= scale;
}

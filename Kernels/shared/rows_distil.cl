// Arithmetic on rows, as in rows.cl, for networks that learn from what others predict. One work-item per row.

// Adds weight * T^2 * KL(t || q) to the loss of each row and its gradient to dlogits, with t = softmax(other / T) of another
// network's logits, which counts as a constant, and q = softmax(logits / T): dL/dz_k = weight * T * (q_k - t_k).
// (Hinton, Vinyals and Dean, 2015; with T = 1 mutual learning, Zhang et al., 2018.)
// numbers from NUMBER_METHOD on: weight, temperature T. `scratch` is [B, K]. Launch: (B).
__kernel void rows_distil(
    __global const float *restrict logits, __global const float *restrict other, __global const int *restrict order,
    __global const int *restrict counters, __global const float *restrict numbers, __global float *restrict scratch,
    __global float *restrict dlogits, __global float *restrict sample_loss, int B, int K) {
  const int b = get_global_id(0), sample = order[counters[COUNTER_OFFSET] + b];
  const float weight = numbers[NUMBER_METHOD], temperature = numbers[NUMBER_METHOD + 1];
  const float sharpness = 1.0f / temperature, scale = weight * temperature / (float)B;
  __global const float *z = logits + b * K, *w = other + b * K;
  __global float *q = scratch + b * K;
  // The probabilities of the other network are not kept: their logarithms are needed, too.
  const LossRow theirs = loss_softmax(w, 0, K, sharpness, q), own = loss_softmax(z, 0, K, sharpness, q);
  float divergence = 0.0f;
  for (int k = 0; k < K; k++) {
    const float log_t = loss_log(theirs, w, k), t = exp(log_t);
    divergence = fma(t, log_t - loss_log(own, z, k), divergence);
    dlogits[b * K + k] = fma(scale, q[k] - t, dlogits[b * K + k]);
  }
  sample_loss[sample] += weight * temperature * temperature * divergence;
}

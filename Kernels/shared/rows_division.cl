// Arithmetic on rows, as in rows.cl, for DivideMix (Li, Socher and Hoi, 2020): labels are believed of some samples, and
// guessed for the others, whose rows come first. A step has B rows: twice B / 4 samples without a label, in two views,
// then twice B / 4 samples with one. Launch of all: (B) work-items, one for each row.
// numbers from NUMBER_METHOD on: temperature, weight of the unlabelled rows, the share of it at the epoch's first step and
// what each step adds to it, weight of the prior, weight of the entropy.

// A part of a guess: softmax(logits) / parts, which is added to guesses [B, K], or stands there alone where it is the
// first. `scratch` is [B, K].
__kernel void rows_guess(
    __global const float *restrict logits, __global float *restrict scratch, __global float *restrict guesses, int K,
    int parts, int first) {
  const int b = get_global_id(0);
  __global float *p = scratch + b * K, *guess = guesses + b * K;
  loss_softmax(logits + b * K, 0, K, 1.0f, p);
  const float factor = 1.0f / (float)parts;
  for (int k = 0; k < K; k++) guess[k] = first ? p[k] * factor : fma(p[k], factor, guess[k]);
}

// What is believed of class k before sharpening: share [k = label] + (1 - share) guess.
FUNCTION float division_belief(__global const float *guess, float share, int label, int k) {
  return fma(1.0f - share, guess[k], k == label ? share : 0.0f);
}

// x^power of an x from 0 to 1.
FUNCTION float division_power(float x, float power) { return x > 0.0f ? exp(power * log(x)) : 0.0f; }

// Adds factor times the sharpened belief, belief^power / (sum of belief^power), to a target, or begins it.
FUNCTION void division_add(
    __global const float *guess, float share, int label, float power, float factor, int begins,
    __global float *target, int K) {
  float most = 0.0f, sum = 0.0f;
  for (int k = 0; k < K; k++) most = fmax(most, division_belief(guess, share, label, k));
  // As parts of the largest one, so that no power of all of them vanishes.
  for (int k = 0; k < K; k++) sum += division_power(division_belief(guess, share, label, k) / most, power);
  for (int k = 0; k < K; k++) {
    const float sharp = division_power(division_belief(guess, share, label, k) / most, power), part = factor * (sharp / sum);
    target[k] = begins ? part : target[k] + part;
  }
}

// The targets [B, K] of mixed rows: f of the own one and 1 - f of the partner's. That of a sample with a label is the
// label by its chance `clean` [N] to be right, and else the guess; that of a sample without is the guess; both sharpened.
// partners: positions of the order. unlabelled, labelled: guesses [B / 4, K].
__kernel void rows_divided_targets(
    __global const float *restrict unlabelled, __global const float *restrict labelled,
    __global const float *restrict clean, __global const int *restrict labels, __global const int *restrict order,
    __global const int *restrict partners, __global const float *restrict factors,
    __global const int *restrict counters, __global const float *restrict numbers, __global float *restrict targets,
    int B, int K) {
  const int b = get_global_id(0), first = counters[COUNTER_OFFSET], quarter = B / 4;
  const float power = 1.0f / numbers[NUMBER_METHOD], factor = factors[first + b];
  for (int side = 0; side < 2; side++) {
    const int row = side == 0 ? b : partners[first + b] - first, sample = order[first + row];
    const int has_label = row >= 2 * quarter;
    division_add(
        (has_label ? labelled : unlabelled) + row % quarter * K, has_label ? clean[sample] : 0.0f, labels[sample], power,
        side == 0 ? factor : 1.0f - factor, side == 0, targets + b * K, K);
  }
}

// The gradient of the mean cross entropy over the rows of samples with a label, against targets [B, K] that sum to 1, and
// of weight times the mean of (p_k - t_k)^2 over classes and rows of samples without one, whose weight rises from step to
// step. probabilities [B, K]: softmax(logits).
__kernel void rows_divided_loss(
    __global const float *restrict logits, __global const float *restrict targets, __global const int *restrict counters,
    __global const float *restrict numbers, __global float *restrict probabilities, __global float *restrict dlogits,
    int B, int K) {
  const int b = get_global_id(0), half_rows = B / 2;
  __global const float *t = targets + b * K, *parameters = numbers + NUMBER_METHOD;
  __global float *p = probabilities + b * K, *gradient = dlogits + b * K;
  int largest = 0;
  for (int k = 1; k < K; k++)
    if (t[k] > t[largest]) largest = k;
  loss_softmax(logits + b * K, largest, K, 1.0f, p);
  if (b < half_rows) {
    const int step = counters[COUNTER_OFFSET] / B;
    const float weight = parameters[1] * fmin(fmax(fma((float)step, parameters[3], parameters[2]), 0.0f), 1.0f);
    const float scale = 2.0f * weight / ((float)half_rows * (float)K);
    float along = 0.0f;
    for (int k = 0; k < K; k++) along = fma(p[k], p[k] - t[k], along);
    for (int k = 0; k < K; k++) gradient[k] = scale * p[k] * (p[k] - t[k] - along);
    return;
  }
  const float factor = 1.0f / (float)half_rows;
  float sum_of_others = 0.0f;
  for (int k = 0; k < K; k++)
    if (k != largest) {
      gradient[k] = (p[k] - t[k]) * factor;
      sum_of_others += gradient[k];
    }
  gradient[largest] = -sum_of_others;
}

// mean [K]: the mean of probabilities [B, K] over the batch. A work-item takes every B-th class.
__kernel void rows_mean(__global const float *restrict probabilities, __global float *restrict mean, int B, int K) {
  for (int k = get_global_id(0); k < K; k += B) {
    float sum = 0.0f;
    for (int i = 0; i < B; i++) sum += probabilities[i * K + k];
    mean[k] = sum / (float)B;
  }
}

// Adds the gradient of weight times KL(uniform || mean), sum of (1 / K) log((1 / K) / mean_k): what keeps all samples from
// becoming one class. dL/dz_k = -weight / (K B) (p_k / mean_k - p_k sum of p_j / mean_j).
__kernel void rows_prior(
    __global const float *restrict probabilities, __global const float *restrict mean,
    __global const float *restrict numbers, __global float *restrict dlogits, int B, int K) {
  const int b = get_global_id(0);
  __global const float *p = probabilities + b * K;
  const float scale = numbers[NUMBER_METHOD + 4] / ((float)K * (float)B);
  // A class that no row has anything of has no slope in these digits.
  float along = 0.0f;
  for (int k = 0; k < K; k++) along += mean[k] > 0.0f ? p[k] / mean[k] : 0.0f;
  for (int k = 0; k < K; k++) {
    const float share = mean[k] > 0.0f ? p[k] / mean[k] : 0.0f;
    dlogits[b * K + k] -= scale * (share - p[k] * along);
  }
}

// Adds weight times the negative entropy, sum of p_k log p_k = -H, to the loss of each row and its gradient,
// p_k (log p_k + H), to dlogits: predictions that are less sure, whose losses tell wrong labels apart. `scratch` is
// [B, K].
__kernel void rows_entropy(
    __global const float *restrict logits, __global const int *restrict order, __global const int *restrict counters,
    __global const float *restrict numbers, __global float *restrict scratch, __global float *restrict dlogits,
    __global float *restrict sample_loss, int B, int K) {
  const int b = get_global_id(0), sample = order[counters[COUNTER_OFFSET] + b];
  const float weight = numbers[NUMBER_METHOD + 5], factor = weight / (float)B;
  __global const float *z = logits + b * K;
  __global float *p = scratch + b * K;
  // Without it the loss keeps its bits.
  if (weight == 0.0f) return;
  const LossRow row = loss_softmax(z, 0, K, 1.0f, p);
  float sum = 0.0f;
  for (int k = 0; k < K; k++) sum = fma(p[k], loss_log(row, z, k), sum);
  sample_loss[sample] = fma(weight, sum, sample_loss[sample]);
  for (int k = 0; k < K; k++) dlogits[b * K + k] = fma(factor * p[k], loss_log(row, z, k) - sum, dlogits[b * K + k]);
}

// Arithmetic on rows, as in rows.cl, for methods in which a sample has more than its label: an offset or a target, both
// columns [N, K] that its own row moves, or the label of a partner. One work-item per row. Launch of all: (B).

// What the loss of AUX sees: shifted = logits + lambda * offset, with lambda = numbers[NUMBER_METHOD]. (Hu, Li and Yu,
// 2020.)
__kernel void rows_shift(
    __global const float *restrict logits, __global const int *restrict order, __global const int *restrict counters,
    __global const float *restrict numbers, __global const float *restrict offset, __global float *restrict shifted,
    int K) {
  const int b = get_global_id(0);
  const ulong first = (ulong)order[counters[COUNTER_OFFSET] + b] * K;
  const float lambda = numbers[NUMBER_METHOD];
  for (int k = 0; k < K; k++) shifted[b * K + k] = fma(lambda, offset[first + k], logits[b * K + k]);
}

// One step of plain gradient descent of the offsets: the loss depends on them as on the logits, times lambda. A row moves
// once an epoch, so it has neither momentum nor weight decay. Prediction and margin are those of the network itself,
// since the loss noted those of the shifted logits.
__kernel void rows_offset(
    __global const float *restrict logits, __global const int *restrict labels, __global const int *restrict order,
    __global const int *restrict counters, __global const float *restrict numbers,
    __global const float *restrict dlogits, __global float *restrict offset, __global int *restrict sample_prediction,
    __global float *restrict margin_sum, __global float *restrict margin_lost, __global int *restrict margin_count,
    int K) {
  const int b = get_global_id(0), sample = order[counters[COUNTER_OFFSET] + b];
  __global const float *z = logits + b * K;
  const ulong first = (ulong)sample * K;
  const float rate = numbers[NUMBER_LEARNING_RATE] * numbers[NUMBER_METHOD];
  int top = 0;
  for (int k = 0; k < K; k++) {
    if (z[k] > z[top]) top = k;
    offset[first + k] -= rate * dlogits[b * K + k];
  }
  sample_prediction[sample] = top;
  if (!counters[COUNTER_DYNAMICS]) return;
  add_compensated(loss_margin(z, labels[sample], K), margin_sum + sample, margin_lost + sample);
  margin_count[sample] += 1;
}

// Between these bounds the authors keep probabilities; beyond them the regulariser has no slope.
#define EARLY_LEARNING_LEAST 1e-4f
#define EARLY_LEARNING_MOST 0.9999f

FUNCTION float early_learning_bounded(float p) {
  return p < EARLY_LEARNING_LEAST ? EARLY_LEARNING_LEAST : p > EARLY_LEARNING_MOST ? EARLY_LEARNING_MOST : p;
}

// Early-learning regularisation (Liu et al., 2020): with q the bounded p, target = momentum * target + (1 - momentum) *
// q / sum of q, then lambda * log(1 - sum of target_k q_k) is added to the loss; the target counts as a constant.
// dL/dz_k = -lambda / (1 - s) p_k (t_k - sum of t_j p_j), where classes beyond the bounds count as t = 0. With 1 - s near
// 0 the slope turns against the given label, once prediction and target agree on another.
// numbers from NUMBER_METHOD on: momentum, lambda. `scratch` is [B, K].
__kernel void rows_early_learning(
    __global const float *restrict logits, __global const int *restrict order, __global const int *restrict counters,
    __global const float *restrict numbers, __global float *restrict scratch, __global float *restrict target,
    __global float *restrict dlogits, __global float *restrict sample_loss, int B, int K) {
  const int b = get_global_id(0), sample = order[counters[COUNTER_OFFSET] + b];
  const float momentum = numbers[NUMBER_METHOD], lambda = numbers[NUMBER_METHOD + 1];
  __global float *p = scratch + b * K, *t = target + (ulong)sample * K;
  loss_softmax(logits + b * K, 0, K, 1.0f, p);
  float sum = 0.0f;
  for (int k = 0; k < K; k++) sum += early_learning_bounded(p[k]);
  float agreement = 0.0f, along = 0.0f;
  for (int k = 0; k < K; k++) {
    const float q = early_learning_bounded(p[k]), moved = fma(momentum, t[k], (1.0f - momentum) * (q / sum));
    t[k] = moved;
    agreement = fma(moved, q, agreement);
    if (q == p[k]) along = fma(moved, q, along);
  }
  // Without it the loss keeps its bits.
  if (lambda == 0.0f) return;
  const float rest = 1.0f - agreement, scale = lambda / (rest * (float)B);
  sample_loss[sample] += lambda * log(rest);
  for (int k = 0; k < K; k++) {
    const float own = early_learning_bounded(p[k]) == p[k] ? t[k] : 0.0f;
    dlogits[b * K + k] -= scale * p[k] * (own - along);
  }
}

// The targets [B, K] of images that are mixed with their partners: factor [k = y] + (1 - factor) [k = y of the partner].
// (Zhang et al., mixup, 2018.)
__kernel void rows_mixed_targets(
    __global const int *restrict labels, __global const int *restrict order, __global const int *restrict partners,
    __global const float *restrict factors, __global const int *restrict counters, __global float *restrict targets,
    int K) {
  const int b = get_global_id(0), position = counters[COUNTER_OFFSET] + b;
  const int own = labels[order[position]], other = labels[partners[position]];
  const float factor = own == other ? 1.0f : factors[position];
  for (int k = 0; k < K; k++) targets[b * K + k] = k == own ? factor : k == other ? 1.0f - factor : 0.0f;
}

// Cross entropy against targets [B, K] that sum to 1, L = -sum of t_k log p_k, in place of a loss by labels.
// dL/dz_k = p_k - t_k, but for the largest target minus the sum of the others: with one class as target it is the
// gradient of loss_ce_rows, bit by bit.
__kernel void rows_soft_loss(
    __global const float *restrict logits, __global const float *restrict targets, __global const int *restrict order,
    __global const int *restrict counters, __global float *restrict dlogits, __global float *restrict sample_loss, int B,
    int K) {
  const int b = get_global_id(0), sample = order[counters[COUNTER_OFFSET] + b];
  __global const float *z = logits + b * K, *t = targets + b * K;
  __global float *gradient = dlogits + b * K;
  int largest = 0;
  for (int k = 1; k < K; k++)
    if (t[k] > t[largest]) largest = k;
  const LossRow row = loss_softmax(z, largest, K, 1.0f, gradient);
  const float factor = 1.0f / (float)B;
  float loss = 0.0f, sum_of_others = 0.0f;
  for (int k = 0; k < K; k++) {
    loss = fma(t[k], loss_distance(row, z, k) + row.log_others, loss);
    if (k != largest) {
      gradient[k] = (gradient[k] - t[k]) * factor;
      sum_of_others += gradient[k];
    }
  }
  gradient[largest] = -sum_of_others;
  sample_loss[sample] = loss;
}

// Below these a target and a mixed prediction are not let.
#define CONFIDENCE_TARGET_LEAST 1e-4f
#define CONFIDENCE_MIXED_LEAST 1e-7f

// Confidence-adaptive regularisation, as the code of its authors' next paper has it (Lu, Bo and He, NAL, 2022): with the
// confidence tau = sigmoid(indicator), s = [k = y] or later the sample's target, and q = tau p + (1 - tau) s,
// L = -sum of s log q - lambda log tau - beta sum of q log s. A target moves before it is used: t = momentum t +
// (1 - momentum) p, where tau is above the threshold. Both are kept above 1e-4, and q within 1e-7 and 1, where it has no
// slope outside. Takes the place of the loss that was there. numbers from NUMBER_METHOD on: lambda, beta, momentum,
// threshold, whether targets move, whether they are used, whether tau is learned or 1. `indicator` and `dindicator` are
// [B], `scratch` is [B, K].
__kernel void rows_confidence(
    __global const float *restrict logits, __global const float *restrict indicator, __global const int *restrict labels,
    __global const int *restrict order, __global const int *restrict counters, __global const float *restrict numbers,
    __global float *restrict scratch, __global float *restrict target, __global float *restrict confidence,
    __global float *restrict dlogits, __global float *restrict dindicator, __global float *restrict sample_loss, int B,
    int K) {
  const int b = get_global_id(0), sample = order[counters[COUNTER_OFFSET] + b], label = labels[sample];
  __global const float *parameters = numbers + NUMBER_METHOD;
  const float lambda = parameters[0], beta = parameters[1], momentum = parameters[2];
  const int isLearned = parameters[6] > 0.0f, isLate = parameters[5] > 0.0f;
  __global float *p = scratch + b * K, *t = target + (ulong)sample * K, *gradient = dlogits + b * K;
  loss_softmax(logits + b * K, label, K, 1.0f, p);
  // tau, 1 - tau and log tau, each with all its digits.
  const float u = indicator[b], e = exp(-fabs(u)), small = e / (1.0f + e), large = 1.0f / (1.0f + e);
  const float tau = !isLearned ? 1.0f : u >= 0.0f ? large : small;
  const float rest = !isLearned ? 0.0f : u >= 0.0f ? small : large;
  const float log_tau = !isLearned ? 0.0f : -(log1p(e) + (u < 0.0f ? -u : 0.0f));
  confidence[sample] = tau;
  if (parameters[4] > 0.0f && tau > parameters[3])
    for (int k = 0; k < K; k++) t[k] = fmax(fma(momentum, t[k], (1.0f - momentum) * p[k]), CONFIDENCE_TARGET_LEAST);
  float loss = 0.0f, along = 0.0f, apart = 0.0f;
  for (int k = 0; k < K; k++) {
    const float s = isLate ? t[k] : k == label ? 1.0f : CONFIDENCE_TARGET_LEAST;
    const float mixed = fma(tau, p[k], rest * s), q = fmin(fmax(mixed, CONFIDENCE_MIXED_LEAST), 1.0f);
    const float log_s = log(s);
    loss -= s * log(q) + beta * q * log_s;
    const float slope = q == mixed ? -s / q - beta * log_s : 0.0f;
    along = fma(p[k], slope, along);
    apart = fma(p[k] - s, slope, apart);
    gradient[k] = slope;
  }
  const float factor = 1.0f / (float)B;
  for (int k = 0; k < K; k++) gradient[k] = factor * tau * p[k] * (gradient[k] - along);
  dindicator[b] = factor * rest * (tau * apart - lambda);
  sample_loss[sample] = loss - lambda * log_tau;
}

// What a mean teacher predicts of a batch, into guesses [B, K], and of each sample over the epochs, into ensemble [N, K]:
// the first prediction, for which a negative number waits there, then momentum * ensemble + (1 - momentum) * p, with
// momentum = numbers[NUMBER_METHOD]. (Nguyen et al., SELF, 2020.)
__kernel void rows_ensemble(
    __global const float *restrict logits, __global const int *restrict order, __global const int *restrict counters,
    __global const float *restrict numbers, __global float *restrict guesses, __global float *restrict ensemble, int K) {
  const int b = get_global_id(0);
  __global float *p = guesses + b * K, *own = ensemble + (ulong)order[counters[COUNTER_OFFSET] + b] * K;
  loss_softmax(logits + b * K, 0, K, 1.0f, p);
  const float momentum = own[0] < 0.0f ? 0.0f : numbers[NUMBER_METHOD];
  for (int k = 0; k < K; k++) own[k] = fma(momentum, own[k], (1.0f - momentum) * p[k]);
}

// Consistency with a teacher's guesses [B, K]: the loss counts by `weight` [N], divided by the whole batch all the same,
// and strength / K times the sum of (p_k - guess_k)^2 is added to it for every sample; guesses count as constants.
// dL/dz_k = 2 strength / K p_k (p_k - guess_k - sum of p_j (p_j - guess_j)). strength = numbers[NUMBER_METHOD + 1].
// `scratch` is [B, K]. (Tarvainen and Valpola, Mean teachers, 2017.)
__kernel void rows_consistency(
    __global const float *restrict logits, __global const float *restrict guesses, __global const int *restrict order,
    __global const int *restrict counters, __global const float *restrict numbers, __global const float *restrict weight,
    __global float *restrict scratch, __global float *restrict dlogits, __global float *restrict sample_loss, int B,
    int K) {
  const int b = get_global_id(0), sample = order[counters[COUNTER_OFFSET] + b];
  const float share = weight[sample], strength = numbers[NUMBER_METHOD + 1] / (float)K;
  __global float *p = scratch + b * K, *gradient = dlogits + b * K;
  __global const float *guess = guesses + b * K;
  sample_loss[sample] *= share;
  for (int k = 0; k < K; k++) gradient[k] *= share;
  // Without it what counts keeps its bits.
  if (strength == 0.0f) return;
  loss_softmax(logits + b * K, 0, K, 1.0f, p);
  float squares = 0.0f, along = 0.0f;
  for (int k = 0; k < K; k++) {
    const float away = p[k] - guess[k];
    squares = fma(away, away, squares);
    along = fma(p[k], away, along);
  }
  const float scale = 2.0f * strength / (float)B;
  for (int k = 0; k < K; k++) gradient[k] = fma(scale * p[k], p[k] - guess[k] - along, gradient[k]);
  sample_loss[sample] = fma(strength, squares, sample_loss[sample]);
}

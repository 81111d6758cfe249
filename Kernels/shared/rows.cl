// Arithmetic on the rows of a batch between loss and backward pass: what a loss gives to each row, and what training
// methods note of each sample. One work-item per row, without barriers; the same kernels on all devices. Columns have
// length N and are indexed by sample id, which occurs once in a batch. Launch of all: (B).

// Turns the gradient of a batch's mean loss into that of its weighted mean: row b of dlogits [B, K] times
// weight_b * B / (sum of the batch's weights); 0 where that sum is 0.
__kernel void rows_scale(
    __global const float *restrict weights, __global const int *restrict order, __global const int *restrict counters,
    __global float *restrict dlogits, int B, int K) {
  const int b = get_global_id(0), first = counters[COUNTER_OFFSET];
  // Every row adds up all weights, in the same order: B is small, and there is no barrier.
  float sum = 0.0f;
  for (int i = 0; i < B; i++) sum += weights[order[first + i]];
  const float scale = sum > 0.0f ? weights[order[first + b]] * (float)B / sum : 0.0f;
  for (int k = 0; k < K; k++) dlogits[b * K + k] *= scale;
}

// kept = 1 for the rows whose loss is among the smallest of the batch, 0 for the others; numbers[NUMBER_METHOD + slot]
// says how many. Of equal losses the earlier row counts as smaller, and one that is not a number as the largest.
// `losses` may be another network's. (Han et al., Co-teaching, 2018.)
__kernel void rows_smallest(
    __global const float *restrict losses, __global const int *restrict order, __global const int *restrict counters,
    __global const float *restrict numbers, __global float *restrict kept, int B, int slot) {
  const int b = get_global_id(0), first = counters[COUNTER_OFFSET], sample = order[first + b];
  const float own = losses[sample] == losses[sample] ? losses[sample] : INFINITY;
  int smaller = 0;
  for (int i = 0; i < B; i++) {
    const float given = losses[order[first + i]], other = given == given ? given : INFINITY;
    smaller += other < own || (other == own && i < b);
  }
  kept[sample] = smaller < (int)numbers[NUMBER_METHOD + slot] ? 1.0f : 0.0f;
}

// kept = 1 for the first rows of the batch, and for those behind them whose loss is among the smallest there; 0 for the
// others. numbers[NUMBER_METHOD + slot] says how many the first rows are, the number after it how many are kept behind
// them. Ties, losses that are not numbers and `losses` as above. (Yang et al., Asymmetric co-teaching, 2020.)
__kernel void rows_smallest_after(
    __global const float *restrict losses, __global const int *restrict order, __global const int *restrict counters,
    __global const float *restrict numbers, __global float *restrict kept, int B, int slot) {
  const int b = get_global_id(0), first = counters[COUNTER_OFFSET], sample = order[first + b];
  const int begin = (int)numbers[NUMBER_METHOD + slot];
  const float own = losses[sample] == losses[sample] ? losses[sample] : INFINITY;
  int smaller = 0;
  for (int i = begin; i < B; i++) {
    const float given = losses[order[first + i]], other = given == given ? given : INFINITY;
    smaller += other < own || (other == own && i < b);
  }
  kept[sample] = b < begin || smaller < (int)numbers[NUMBER_METHOD + slot + 1] ? 1.0f : 0.0f;
}

// z_y minus the largest other logit, or with `softmax` the same of probabilities, without cancellation.
FUNCTION float rows_margin(__global const float *z, const LossRow row, int softmax) {
  const float margin = loss_margin(z, row.label, row.K);
  if (!softmax) return margin;
  if (margin >= 0.0f) return row.p * -expm1(-margin);
  // The largest other logit is the largest of all.
  return expm1(margin) / (1.0f + row.others);
}

// What training shows of every sample, from the logits before the step's update. In every epoch: the margin of this
// epoch, whether the sample is predicted as labelled, and how often it no longer was (forgetting events, Toneva et al.,
// 2019). In epochs that count: sums of margins (Pleiss et al., 2020), of the labels' cross entropies, of the lengths of
// softmax - one-hot (EL2N, Paul et al., 2021), each with what rounding has lost of it, and of the probabilities of the
// first `classes` outputs, probability_sum [N, classes]. `scratch` is [B, K].
__kernel void rows_dynamics(
    __global const float *restrict logits, __global const int *restrict labels, __global const int *restrict order,
    __global const int *restrict counters, __global float *restrict scratch, __global float *restrict margin_sum,
    __global float *restrict margin_lost, __global int *restrict margin_count, __global float *restrict loss_sum,
    __global float *restrict loss_lost, __global float *restrict error_sum, __global float *restrict error_lost,
    __global float *restrict probability_sum, __global int *restrict forgettings, __global int *restrict was_right,
    __global float *restrict epoch_margin, int K, int classes, int softmax) {
  const int b = get_global_id(0), sample = order[counters[COUNTER_OFFSET] + b];
  __global const float *z = logits + b * K;
  __global float *p = scratch + b * K;
  const LossRow row = loss_softmax(z, labels[sample], K, 1.0f, p);
  const int right = row.top == row.label;
  if (was_right[sample] && !right) forgettings[sample] += 1;
  was_right[sample] = right;
  const float margin = rows_margin(z, row, softmax);
  epoch_margin[sample] = margin;
  if (!counters[COUNTER_DYNAMICS]) return;
  float squares = row.other_p * row.other_p;
  for (int k = 0; k < K; k++)
    if (k != row.label) squares = fma(p[k], p[k], squares);
  for (int k = 0; k < classes; k++) probability_sum[sample * classes + k] += p[k];
  add_compensated(margin, margin_sum + sample, margin_lost + sample);
  add_compensated(-row.log_p, loss_sum + sample, loss_lost + sample);
  add_compensated(sqrt(squares), error_sum + sample, error_lost + sample);
  margin_count[sample] += 1;
}

// Abandons samples whose margin has been too small in consecutive epochs, for good (Lin and Bradic, MARVEL, 2021): streak
// counts epochs in a row in which the margin of probabilities is below a threshold; once it is as long as the
// patience, the sample's weight is 0. Others weigh 1 + gain * (1 - margin) / 2. Only in epochs that count.
// numbers from NUMBER_METHOD on: threshold, patience, gain. `scratch` is [B, K].
__kernel void rows_streak(
    __global const float *restrict logits, __global const int *restrict labels, __global const int *restrict order,
    __global const int *restrict counters, __global const float *restrict numbers, __global float *restrict scratch,
    __global int *restrict streak, __global float *restrict weight, int K) {
  const int b = get_global_id(0), sample = order[counters[COUNTER_OFFSET] + b];
  const LossRow row = loss_softmax(logits + b * K, labels[sample], K, 1.0f, scratch + b * K);
  if (!counters[COUNTER_DYNAMICS] || weight[sample] == 0.0f) return;
  __global const float *parameters = numbers + NUMBER_METHOD;
  const float margin = rows_margin(logits + b * K, row, 1);
  streak[sample] = margin < parameters[0] ? streak[sample] + 1 : 0;
  weight[sample] = streak[sample] >= (int)parameters[1] ? 0.0f : 1.0f + parameters[2] * (1.0f - margin) * 0.5f;
}

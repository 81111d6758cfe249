// The head of a training step: softmax, loss, gradient, margin and prediction of one row of logits in one kernel.

// What every loss kernel writes beside the gradient, per sample (columns of length N, indexed by sample id):
// loss, prediction, and while epochs count, the margin's compensated sum and count (AUM). Not in the peer pass, which
// adds to the loss alone.
FUNCTION void loss_record(
    __global const float *z, const LossRow row, float loss, int sample, int record, __global float *sample_loss,
    __global int *sample_prediction, __global float *margin_sum, __global float *margin_lost,
    __global int *margin_count) {
  sample_loss[sample] = loss;
  sample_prediction[sample] = row.top;
  if (record) {
    add_compensated(loss_margin(z, row.label, row.K), margin_sum + sample, margin_lost + sample);
    margin_count[sample] += 1;
  }
}

// One work-item per row. logits [B, K] -> dlogits [B, K], the gradient of the batch's mean loss. Launch: (B).
// order: sample ids of the epoch's positions; label_order: whose labels go with them: the same ids, but in the peer
// pass those of the peers, whose weighted loss is added to that of the sample at the same position.
#define LOSS_ARGUMENTS                                                                                               \
  __global const float *restrict logits, __global const int *restrict labels, __global const int *restrict order,   \
      __global const int *restrict label_order, __global const int *restrict counters,                              \
      __global const float *restrict numbers, __global float *restrict dlogits, __global float *restrict sample_loss, \
      __global int *restrict sample_prediction, __global float *restrict margin_sum,                                \
      __global float *restrict margin_lost, __global int *restrict margin_count, int B, int K, int peer

#define LOSS_LOGITS                                                                                    \
  const int b = get_global_id(0), position = counters[COUNTER_OFFSET] + b, sample = order[position];   \
  const int label = labels[label_order[position]];                                                     \
  const float factor = (peer ? numbers[NUMBER_PEER_WEIGHT] : 1.0f) / (float)B;                         \
  __global const float *z = logits + b * K;                                                            \
  __global float *gradient = dlogits + b * K;

#define LOSS_BEGIN \
  LOSS_LOGITS      \
  const LossRow row = loss_softmax(z, label, K, 1.0f, gradient);

#define LOSS_END                                                                                                    \
  float sum_of_others = 0.0f;                                                                                        \
  for (int k = 0; k < K; k++)                                                                                       \
    if (k != label) {                                                                                               \
      gradient[k] *= scale;                                                                                         \
      sum_of_others += gradient[k];                                                                                 \
    }                                                                                                               \
  gradient[label] = -sum_of_others;                                                                                 \
  if (peer)                                                                                                         \
    sample_loss[sample] += numbers[NUMBER_PEER_WEIGHT] * loss;                                                      \
  else                                                                                                              \
    loss_record(                                                                                                    \
        z, row, loss, sample, counters[COUNTER_RECORD], sample_loss, sample_prediction, margin_sum, margin_lost,    \
        margin_count);

#define LOSS_OF_PROBABILITY(name)                                 \
  {                                                               \
    LOSS_BEGIN                                                    \
    float weight;                                                 \
    const float loss = name(row, numbers + NUMBER_LOSS, &weight); \
    const float scale = weight * factor;                          \
    LOSS_END                                                      \
  }

#define LOSS_OF_ROW(name)                                                             \
  {                                                                                   \
    LOSS_BEGIN                                                                        \
    const LossTerms terms = name(row, z, numbers + NUMBER_LOSS, gradient);            \
    const float scale = factor, loss = terms.loss;                                    \
    for (int k = 0; k < K; k++) gradient[k] = loss_slope(terms, row, z, k, gradient[k]); \
    LOSS_END                                                                          \
  }

__kernel void loss_ce_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_ce)
__kernel void loss_mae_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_mae)
__kernel void loss_rce_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_rce)
__kernel void loss_sce_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_sce)
__kernel void loss_gce_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_gce)
__kernel void loss_agce_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_agce)
__kernel void loss_aul_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_aul)
__kernel void loss_ael_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_ael)
__kernel void loss_focal_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_focal)
__kernel void loss_polysoft_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_polysoft)
__kernel void loss_taylor_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_taylor)
__kernel void loss_esoftmax_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_esoftmax)
__kernel void loss_nmae_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_nmae)
__kernel void loss_peer_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_peer)
__kernel void loss_lsr_rows(LOSS_ARGUMENTS) LOSS_OF_ROW(loss_lsr)
__kernel void loss_nce_rows(LOSS_ARGUMENTS) LOSS_OF_ROW(loss_nce)
__kernel void loss_nfl_rows(LOSS_ARGUMENTS) LOSS_OF_ROW(loss_nfl)
__kernel void loss_ngce_rows(LOSS_ARGUMENTS) LOSS_OF_ROW(loss_ngce)
__kernel void loss_nnce_rows(LOSS_ARGUMENTS) LOSS_OF_ROW(loss_nnce)
__kernel void loss_bootsoft_rows(LOSS_ARGUMENTS) LOSS_OF_ROW(loss_bootsoft)
__kernel void loss_boothard_rows(LOSS_ARGUMENTS) LOSS_OF_ROW(loss_boothard)
__kernel void loss_cores2_rows(LOSS_ARGUMENTS) LOSS_OF_ROW(loss_cores2)
__kernel void loss_bitempered_rows(LOSS_ARGUMENTS) LOSS_OF_ROW(loss_bitempered)

// The largest sum of probabilities to a small power would come from the smallest: below this they count as equal.
#define LOSS_SPARSE_MIN 1e-7f

// The weighted sum of two losses, L = alpha first + beta second (no second where its number is negative), and around
// them, with a temperature above 0, sparse regularisation: p = softmax(z / temperature), where z is divided by its norm
// first if `normal` is set, and to L comes lambda times the sum of max(p_k, 1e-7)^power.
// parameters: from LOSS_ALPHA on in layout.h.
__kernel void loss_sum_rows(LOSS_ARGUMENTS) {
  LOSS_LOGITS
  __global const float *parameters = numbers + NUMBER_LOSS;
  const float alpha = parameters[LOSS_ALPHA], beta = parameters[LOSS_BETA];
  const float temperature = parameters[LOSS_TEMPERATURE], power = parameters[LOSS_POWER];
  const int sparse = temperature > 0.0f, normal = sparse && parameters[LOSS_NORMAL] > 0.0f;
  float sharpness = sparse ? 1.0f / temperature : 1.0f, inverse = 0.0f;
  if (normal) {
    float squares = 0.0f;
    for (int k = 0; k < K; k++) squares = fma(z[k], z[k], squares);
    inverse = 1.0f / fmax(sqrt(squares), 1e-12f);
    sharpness *= inverse;
  }
  const LossRow row = loss_softmax(z, label, K, sharpness, gradient);
  LossTerms first, second;
  // A loop, so that all the losses are there once; no array, which would not be kept in registers.
  for (int i = 0; i < 2; i++) {
    const LossTerms part = loss_part(
        (int)parameters[LOSS_FIRST_PART + i], row, z, parameters + (i == 0 ? LOSS_FIRST : LOSS_SECOND), gradient);
    if (i == 0)
      first = part;
    else
      second = part;
  }
  float loss = alpha * first.loss + beta * second.loss, sum_of_powers = 0.0f;
  // The regulariser does not depend on the label, so that there is nothing for peers to take from it.
  const float lambda = sparse && !peer ? parameters[LOSS_LAMBDA] : 0.0f;
  if (sparse) {
    float regularizer = 0.0f;
    for (int k = 0; k < K; k++) {
      const int counts = gradient[k] >= LOSS_SPARSE_MIN;
      const float term = exp(power * (counts ? loss_log(row, z, k) : log(LOSS_SPARSE_MIN)));
      regularizer += term;
      if (counts) sum_of_powers += term;
    }
    loss += lambda * regularizer;
  }
  const float pull = lambda * power;
  for (int k = 0; k < K; k++) {
    const float p = gradient[k];
    float slope = alpha * loss_slope(first, row, z, k, p) + beta * loss_slope(second, row, z, k, p);
    if (sparse) {
      const float term = p >= LOSS_SPARSE_MIN ? exp(power * loss_log(row, z, k)) : 0.0f;
      slope += pull * (term - p * sum_of_powers);
    }
    gradient[k] = slope;
  }
  const float scale = factor;
  LOSS_END
  if (sparse) {
    // What softmax got was z times the sharpness, which changes with z where z was divided by its norm.
    float along = 0.0f;
    for (int k = 0; k < K; k++) along = fma(gradient[k], z[k] * inverse, along);
    for (int k = 0; k < K; k++) gradient[k] = sharpness * (gradient[k] - z[k] * inverse * along);
  }
}

// Forward correction: L = -log q_y with q_y = sum of p_i T[i][y], T[i][j] the chance that a sample of class i has label
// j. dL/dz_k = p_k - p_k T[k][y] / q_y. `matrix`: T [K, K].
__kernel void loss_forward_rows(LOSS_ARGUMENTS, __global const float *restrict matrix) {
  LOSS_BEGIN
  // From the nearest class that can have the label, so that q_y / p_k is finite whatever the distances are.
  float nearest = INFINITY;
  for (int k = 0; k < K; k++)
    if (matrix[k * K + label] > 0.0f) nearest = fmin(nearest, loss_distance(row, z, k));
  float sum = 0.0f;
  for (int k = 0; k < K; k++) {
    const float chance = matrix[k * K + label];
    if (chance > 0.0f) sum = fma(chance, exp(nearest - loss_distance(row, z, k)), sum);
  }
  const float scale = factor, loss = nearest + row.log_others - log(sum);
  for (int k = 0; k < K; k++) {
    const float chance = matrix[k * K + label];
    if (chance > 0.0f) gradient[k] -= chance * exp(nearest - loss_distance(row, z, k)) / sum;
  }
  LOSS_END
}

// Backward correction: L = -sum of t_k log p_k, t the row y of the inverse of T, which may be negative.
// `matrix`: that inverse [K, K].
__kernel void loss_backward_rows(LOSS_ARGUMENTS, __global const float *restrict matrix) {
  LOSS_BEGIN
  __global const float *target = matrix + label * K;
  float loss = 0.0f, sum = 0.0f;
  for (int k = 0; k < K; k++) {
    loss -= target[k] * loss_log(row, z, k);
    sum += target[k];
  }
  const float scale = factor;
  for (int k = 0; k < K; k++) gradient[k] = sum * gradient[k] - target[k];
  LOSS_END
}

// The determinant loss (loss_determinant.cl), L = -log(|det U| + guard), which is that of every sample of the batch.
// dL/dz_k = p_k (G_k - sum of p_j G_j) with G_k = -|det U| / (|det U| + guard) inverse[k][y].
// parameters: guard, and whether the loss is still cross entropy.
__kernel void loss_dmi_rows(LOSS_ARGUMENTS, __global const float *restrict matrix) {
  LOSS_BEGIN
  __global const float *parameters = numbers + NUMBER_LOSS;
  float loss = -row.log_p, scale = factor;
  if (parameters[1] == 0.0f) {
    // log(|det U| + guard), from the larger of the two. Where both are 0 the batch does not count.
    const float logarithm = matrix[K * K + K], lowest = log(parameters[0]), larger = fmax(logarithm, lowest);
    const int counts = larger > -INFINITY;
    const float smaller = counts ? exp(-fabs(logarithm - lowest)) : 0.0f;
    loss = counts ? -(larger + log1p(smaller)) : 0.0f;
    scale = (logarithm > lowest ? 1.0f : smaller) / (1.0f + smaller);
    float mean = 0.0f;
    for (int k = 0; k < K; k++) mean = fma(gradient[k], matrix[k * K + label], mean);
    for (int k = 0; k < K; k++) gradient[k] *= mean - matrix[k * K + label];
  }
  LOSS_END
}

// Evaluation: cross entropy, prediction and probability of the label, per sample id. Launch: (B).
__kernel void loss_evaluate(
    __global const float *restrict logits, __global const int *restrict labels, __global const int *restrict order,
    __global const int *restrict counters, __global float *restrict scratch, __global float *restrict sample_loss,
    __global int *restrict sample_prediction, __global float *restrict sample_confidence, int K) {
  const int b = get_global_id(0), sample = order[counters[COUNTER_OFFSET] + b];
  const LossRow row = loss_softmax(logits + b * K, max(labels[sample], 0), K, 1.0f, scratch + b * K);
  sample_loss[sample] = -row.log_p;
  sample_prediction[sample] = row.top;
  sample_confidence[sample] = row.p;
}

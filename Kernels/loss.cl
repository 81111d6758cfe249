// The head of a training step: softmax, loss, gradient, margin and prediction of one row of logits in one kernel.
// A loss is one function (below) and one line LOSS_...(name) that makes its kernel; Sources/Losses has its catalogue
// entry, which also gives the order of its parameters.
//
// Letters: z logits, p = softmax(z), y the given label. Never log(p): with R the sum of exp(z_k - max) over all but the
// largest, log-sum-exp is max + log1p(R), which keeps the digits that 1 - p and log p lose as p goes to 1.

typedef struct {
  int K;        // classes
  int label;    // y
  int top;      // the (first) largest logit
  float largest;
  float others;     // R
  float log_p;      // log p_y
  float p;          // p_y
  float other_p;    // 1 - p_y, without cancellation
} LossRow;

// Leaves p in `probabilities` and returns what the losses need.
FUNCTION LossRow loss_softmax(__global const float *z, int label, int K, __global float *probabilities) {
  LossRow row;
  row.K = K;
  row.label = label;
  row.top = 0;
  for (int k = 1; k < K; k++)
    if (z[k] > z[row.top]) row.top = k;
  row.largest = z[row.top];
  row.others = 0.0f;
  for (int k = 0; k < K; k++) {
    const float e = exp(z[k] - row.largest);
    probabilities[k] = e;
    if (k != row.top) row.others += e;
  }
  const float scale = 1.0f / (1.0f + row.others);
  const float own = probabilities[label];
  row.log_p = (z[label] - row.largest) - log1p(row.others);
  row.p = own * scale;
  row.other_p = (label == row.top ? row.others : 1.0f + row.others - own) * scale;
  for (int k = 0; k < K; k++) probabilities[k] *= scale;
  return row;
}

// z_y minus the largest other logit.
FUNCTION float loss_margin(__global const float *z, int label, int K) {
  float other = -INFINITY;
  for (int k = 0; k < K; k++)
    if (k != label) other = fmax(other, z[k]);
  return z[label] - other;
}

// Losses that depend on p_y alone: the function returns the loss and sets weight = -dL/dp_y * p_y, so that
// dL/dz_k = weight * (p_k - [k = y]).

// Cross entropy: L = -log p_y.
FUNCTION float loss_ce(const LossRow row, __global const float *parameters, float *weight) {
  *weight = 1.0f;
  return -row.log_p;
}

// Mean absolute error: L = scale * (1 - p_y); |p - e_y|_1 is 2 (1 - p_y). parameters: scale.
FUNCTION float loss_mae(const LossRow row, __global const float *parameters, float *weight) {
  *weight = parameters[0] * row.p;
  return parameters[0] * row.other_p;
}

// Reverse cross entropy, log 0 read as A: L = -A (1 - p_y). parameters: A.
FUNCTION float loss_rce(const LossRow row, __global const float *parameters, float *weight) {
  *weight = -parameters[0] * row.p;
  return -parameters[0] * row.other_p;
}

// Symmetric cross entropy: L = alpha CE + beta RCE. parameters: alpha, beta, A.
FUNCTION float loss_sce(const LossRow row, __global const float *parameters, float *weight) {
  const float reverse = -parameters[1] * parameters[2];
  *weight = fma(reverse, row.p, parameters[0]);
  return reverse * row.other_p - parameters[0] * row.log_p;
}

// Generalised cross entropy: L = (1 - p_y^q) / q, with p_y^q = exp(q log p_y). parameters: q.
FUNCTION float loss_gce(const LossRow row, __global const float *parameters, float *weight) {
  const float q = parameters[0];
  *weight = exp(q * row.log_p);
  return -expm1(q * row.log_p) / q;
}

// Asymmetric generalised cross entropy: L = ((a + 1)^q - (a + p_y)^q) / q. parameters: a, q.
FUNCTION float loss_agce(const LossRow row, __global const float *parameters, float *weight) {
  const float a = parameters[0], q = parameters[1];
  *weight = row.p * exp((q - 1.0f) * log(a + row.p));
  return -exp(q * log1p(a)) * expm1(q * log1p(-row.other_p / (1.0f + a))) / q;
}

// Asymmetric unhinged loss: L = ((a - p_y)^q - (a - 1)^q) / q. parameters: a, q.
FUNCTION float loss_aul(const LossRow row, __global const float *parameters, float *weight) {
  const float rest = parameters[0] - 1.0f, q = parameters[1];
  *weight = row.p * exp((q - 1.0f) * log(rest + row.other_p));
  return exp(q * log(rest)) * expm1(q * log1p(row.other_p / rest)) / q;
}

// Asymmetric exponential loss: L = exp(-p_y / a). parameters: a.
FUNCTION float loss_ael(const LossRow row, __global const float *parameters, float *weight) {
  const float loss = exp(-row.p / parameters[0]);
  *weight = row.p / parameters[0] * loss;
  return loss;
}

// The cross entropy of peer loss, bounded by -log(guard): L = -log(p_y + guard). parameters: alpha (in the peer pass's
// factor, not used here), guard.
FUNCTION float loss_peer(const LossRow row, __global const float *parameters, float *weight) {
  const float guarded = row.p + parameters[1];
  *weight = row.p / guarded;
  // log(p + guard) = log p + log1p(guard / p) while p is not tiny: exact near p = 1, finite at p = 0.
  return row.p > 0.01f ? -(row.log_p + log1p(parameters[1] / row.p)) : -log(guarded);
}

// Losses of the whole row: the function returns the loss and turns `gradient`, which holds p, into dL/dz_k for k other
// than y; the label's own gradient is set by the caller to minus the sum of the others.

// Label smoothing: cross entropy against t = (1 - epsilon) [k = y] + epsilon / K. parameters: epsilon.
FUNCTION float loss_lsr(
    const LossRow row, __global const float *z, __global const float *parameters, __global float *gradient) {
  const float share = parameters[0] / (float)row.K;
  float sum = 0.0f;
  for (int k = 0; k < row.K; k++) {
    sum += z[k] - row.largest;
    gradient[k] -= share;
  }
  const float smooth = sum - (float)row.K * log1p(row.others);  // sum of log p_k
  return -(1.0f - parameters[0]) * row.log_p - share * smooth;
}

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
    const float margin = loss_margin(z, row.label, row.K) - margin_lost[sample];
    const float before = margin_sum[sample], after = before + margin;
    margin_lost[sample] = (after - before) - margin;
    margin_sum[sample] = after;
    margin_count[sample] += 1;
  }
}

// One work-item per row. logits [B, K] -> dlogits [B, K], the gradient of the batch's mean loss. Launch: (B).
// order: sample ids of the epoch's positions; label_order: whose labels go with them: the same ids, but in the peer pass
// those of the peers, whose weighted loss is added to that of the sample at the same position.
#define LOSS_ARGUMENTS                                                                                               \
  __global const float *restrict logits, __global const int *restrict labels, __global const int *restrict order,   \
      __global const int *restrict label_order, __global const int *restrict counters,                              \
      __global const float *restrict numbers, __global float *restrict dlogits, __global float *restrict sample_loss, \
      __global int *restrict sample_prediction, __global float *restrict margin_sum,                                \
      __global float *restrict margin_lost, __global int *restrict margin_count, int B, int K, int peer

#define LOSS_BEGIN                                                                                     \
  const int b = get_global_id(0), position = counters[COUNTER_OFFSET] + b, sample = order[position];   \
  const int label = labels[label_order[position]];                                                     \
  const float factor = (peer ? numbers[NUMBER_PEER_WEIGHT] : 1.0f) / (float)B;                         \
  __global const float *z = logits + b * K;                                                            \
  __global float *gradient = dlogits + b * K;                                                          \
  const LossRow row = loss_softmax(z, label, K, gradient);

#define LOSS_END                                                                                                    \
  float sum = 0.0f;                                                                                                 \
  for (int k = 0; k < K; k++)                                                                                       \
    if (k != label) {                                                                                               \
      gradient[k] *= scale;                                                                                         \
      sum += gradient[k];                                                                                           \
    }                                                                                                               \
  gradient[label] = -sum;                                                                                           \
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

#define LOSS_OF_ROW(name)                                             \
  {                                                                   \
    LOSS_BEGIN                                                        \
    const float loss = name(row, z, numbers + NUMBER_LOSS, gradient); \
    const float scale = factor;                                       \
    LOSS_END                                                          \
  }

__kernel void loss_ce_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_ce)
__kernel void loss_mae_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_mae)
__kernel void loss_rce_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_rce)
__kernel void loss_sce_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_sce)
__kernel void loss_gce_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_gce)
__kernel void loss_agce_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_agce)
__kernel void loss_aul_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_aul)
__kernel void loss_ael_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_ael)
__kernel void loss_peer_rows(LOSS_ARGUMENTS) LOSS_OF_PROBABILITY(loss_peer)
__kernel void loss_lsr_rows(LOSS_ARGUMENTS) LOSS_OF_ROW(loss_lsr)

// Evaluation: cross entropy, prediction and probability of the label, per sample id. Launch: (B).
__kernel void loss_evaluate(
    __global const float *restrict logits, __global const int *restrict labels, __global const int *restrict order,
    __global const int *restrict counters, __global float *restrict scratch, __global float *restrict sample_loss,
    __global int *restrict sample_prediction, __global float *restrict sample_confidence, int K) {
  const int b = get_global_id(0), sample = order[counters[COUNTER_OFFSET] + b];
  const LossRow row = loss_softmax(logits + b * K, max(labels[sample], 0), K, scratch + b * K);
  sample_loss[sample] = -row.log_p;
  sample_prediction[sample] = row.top;
  sample_confidence[sample] = row.p;
}

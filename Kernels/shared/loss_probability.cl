// Losses that depend on p_y alone, and what all losses begin with: softmax of a row of logits.
//
// A loss is one function, here or in loss_row.cl; its kernel, which is one line of loss.cl; and its place in
// LOSS_PARTS (layout.h). Sources/Losses has its catalogue entry, which also gives the order of its parameters.
//
// Letters: z logits, p = softmax(z), y the given label. Never log(p): with R the sum of exp(z_k - max) over all but the
// largest, log-sum-exp is max + log1p(R), which keeps the digits that 1 - p and log p lose as p goes to 1.

typedef struct {
  int K;        // classes
  int label;    // y
  int top;      // the (first) largest logit
  float largest;
  float sharpness;  // what logits are multiplied with before softmax: 1, but for losses with sharpened outputs
  float others;     // R
  float log_others; // log(1 + R)
  float log_p;      // log p_y
  float p;          // p_y
  float other_p;    // 1 - p_y, without cancellation
} LossRow;

// Leaves p in `probabilities` and returns what the losses need.
FUNCTION LossRow loss_softmax(
    __global const float *z, int label, int K, float sharpness, __global float *probabilities) {
  LossRow row;
  row.K = K;
  row.sharpness = sharpness;
  row.label = label;
  row.top = 0;
  for (int k = 1; k < K; k++)
    if (z[k] > z[row.top]) row.top = k;
  row.largest = z[row.top];
  row.others = 0.0f;
  for (int k = 0; k < K; k++) {
    const float e = exp(sharpness * (z[k] - row.largest));
    probabilities[k] = e;
    if (k != row.top) row.others += e;
  }
  const float scale = 1.0f / (1.0f + row.others);
  const float own = probabilities[label];
  row.log_others = log1p(row.others);
  row.log_p = sharpness * (z[label] - row.largest) - row.log_others;
  row.p = own * scale;
  row.other_p = (label == row.top ? row.others : 1.0f + row.others - own) * scale;
  for (int k = 0; k < K; k++) probabilities[k] *= scale;
  return row;
}

// How far the logit of class k is below the largest.
FUNCTION float loss_distance(const LossRow row, __global const float *z, int k) {
  return row.sharpness * (row.largest - z[k]);
}

// log p_k.
FUNCTION float loss_log(const LossRow row, __global const float *z, int k) {
  return -loss_distance(row, z, k) - row.log_others;
}

// 1 - p_k, without cancellation where p_k is near 1.
FUNCTION float loss_other(const LossRow row, __global const float *p, int k) {
  return k == row.top ? row.others / (1.0f + row.others) : 1.0f - p[k];
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

// Generalised cross entropy: L = (1 - p_y^q) / q, with p_y^q = exp(q log p_y); truncated: L at p_y = k for p_y <= k.
// parameters: q, k (0: not truncated).
FUNCTION float loss_gce(const LossRow row, __global const float *parameters, float *weight) {
  const float q = parameters[0], k = parameters[1];
  const int counts = row.p > k || k == 0.0f;
  *weight = counts ? exp(q * row.log_p) : 0.0f;
  return -expm1(q * (counts ? row.log_p : log(k))) / q;
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

// (1 - p)^gamma, and with own = 1 (own = 0 leaves it out) its own part of -d/dp[-(1 - p)^gamma log p] p:
// gamma p (1 - p)^(gamma - 1) (-log p), in which -log p / (1 - p) goes to 1 with p.
FUNCTION float loss_focus(float p, float other, float log_p, float gamma, float own) {
  const float ratio = other > 0.0f ? -log_p / other : 1.0f;
  return exp(gamma * log(other)) * (1.0f + own * gamma * p * ratio);
}

// Focal loss: L = -(1 - p_y)^gamma log p_y. parameters: gamma, detached (1: the factor counts as a constant).
FUNCTION float loss_focal(const LossRow row, __global const float *parameters, float *weight) {
  *weight = loss_focus(row.p, row.other_p, row.log_p, parameters[0], 1.0f - parameters[1]);
  return -row.log_p * exp(parameters[0] * log(row.other_p));
}

// Polynomial soft weighting of l = -log p_y: L = lambda / m (1 - (1 - l / lambda)^m), m = d / (d - 1), and lambda / m
// from l = lambda on. parameters: lambda, d.
FUNCTION float loss_polysoft(const LossRow row, __global const float *parameters, float *weight) {
  const float lambda = parameters[0], d = parameters[1], ratio = -row.log_p / lambda;
  const float most = (d - 1.0f) * lambda / d;
  *weight = 0.0f;
  if (ratio >= 1.0f) return most;
  const float logarithm = log1p(-ratio);
  *weight = exp(logarithm / (d - 1.0f));
  return -most * expm1(d / (d - 1.0f) * logarithm);
}

// Taylor cross entropy: L = sum of (1 - p_y)^i / i for i = 1 ... t. parameters: t.
FUNCTION float loss_taylor(const LossRow row, __global const float *parameters, float *weight) {
  const int t = (int)parameters[0];
  float power = 1.0f, loss = 0.0f, sum = 0.0f;
  for (int i = 1; i <= t; i++) {
    sum += power;
    power *= row.other_p;
    loss += power / (float)i;
  }
  *weight = row.p * sum;  // 1 - (1 - p)^t
  return loss;
}

// Cross entropy of epsilon-softmax: L = -log max((p_y + m [y is the prediction]) / (1 + m), least).
// parameters: m, least.
FUNCTION float loss_esoftmax(const LossRow row, __global const float *parameters, float *weight) {
  const float m = parameters[0], most = -log(parameters[1]);
  const int agrees = row.label == row.top;
  const float loss = agrees ? -log1p(-row.other_p / (1.0f + m)) : log1p(m) - row.log_p;
  *weight = loss >= most ? 0.0f : agrees ? row.p / (row.p + m) : 1.0f;
  return fmin(loss, most);
}

// Normalised mean absolute error, which is also normalised reverse cross entropy: L = (1 - p_y) / (K - 1).
FUNCTION float loss_nmae(const LossRow row, __global const float *parameters, float *weight) {
  const float scale = 1.0f / (float)(row.K - 1);
  *weight = scale * row.p;
  return scale * row.other_p;
}

// Losses of the whole row. The function returns the loss and what dL/dz_k for k other than y is made from,
// slope p_k + offset + extra * shape_k; the label's own gradient is minus the sum of the others. `p` holds p.
typedef enum {
  SHAPE_NONE,      // 0
  SHAPE_TOP,       // [k is the prediction]
  SHAPE_ENTROPY,   // p_k log p_k
  SHAPE_POWER,     // p_k^a
  SHAPE_FOCUS,     // loss_focus of p_k with gamma a, own b
  SHAPE_ABOVE,     // [log p_k > a]
  SHAPE_GUARDED,   // p_k / (p_k + a)
  SHAPE_TEMPERED,  // t_k^c - d t_k^b, with t_k the tempered softmax
} LossShape;

typedef struct {
  float loss;
  float slope, offset, extra;
  LossShape shape;
  float a, b, c, d, shift;
} LossTerms;

FUNCTION LossTerms loss_terms(float loss, float slope, float offset, float extra, LossShape shape, float a) {
  LossTerms terms;
  terms.loss = loss;
  terms.slope = slope;
  terms.offset = offset;
  terms.extra = extra;
  terms.shape = shape;
  terms.a = a;
  terms.b = terms.c = terms.d = terms.shift = 0.0f;
  return terms;
}

// log of exp_t(-distance) = (1 + (t - 1) distance)^(-1 / (t - 1)) with heat = t - 1 >= 0.
FUNCTION float loss_tempered(float distance, float heat) {
  return heat > 0.0f ? -log1p(heat * distance) / heat : -distance;
}

// dL/dz_k for k other than y.
FUNCTION float loss_slope(const LossTerms terms, const LossRow row, __global const float *z, int k, float p) {
  const float affine = fma(terms.slope, p, terms.offset);
  const float log_p = loss_log(row, z, k);
  float shape = 0.0f;
  switch (terms.shape) {
    case SHAPE_NONE: return affine;
    case SHAPE_TOP: shape = k == row.top ? 1.0f : 0.0f; break;
    case SHAPE_ENTROPY: shape = p * log_p; break;
    case SHAPE_POWER: shape = exp(terms.a * log_p); break;
    case SHAPE_FOCUS:
      shape = loss_focus(p, k == row.top ? row.others / (1.0f + row.others) : 1.0f - p, log_p, terms.a, terms.b);
      break;
    case SHAPE_ABOVE: shape = log_p > terms.a ? 1.0f : 0.0f; break;
    case SHAPE_GUARDED: shape = p / (p + terms.a); break;
    case SHAPE_TEMPERED: {
      const float tempered = loss_tempered(terms.shift + loss_distance(row, z, k), terms.a);
      shape = exp(terms.c * tempered) - terms.d * exp(terms.b * tempered);
      break;
    }
  }
  return fma(terms.extra, shape, affine);
}

#define LOSS_ROW_ARGUMENTS \
  const LossRow row, __global const float *z, __global const float *parameters, __global const float *p

// Label smoothing: cross entropy against t = (1 - epsilon) [k = y] + epsilon / K. parameters: epsilon.
FUNCTION LossTerms loss_lsr(LOSS_ROW_ARGUMENTS) {
  const float share = parameters[0] / (float)row.K;
  // Minus the sum of log p_k. Distances are added up: where they were subtracted, Intel's OpenCL compiler for CPUs
  // (2026.22) got one of 7 rows of 100 classes wrong.
  float sum = 0.0f;
  for (int k = 0; k < row.K; k++) sum += loss_distance(row, z, k);
  const float smooth = fma((float)row.K, row.log_others, sum);
  return loss_terms(fma(share, smooth, -(1.0f - parameters[0]) * row.log_p), 1.0f, -share, 0.0f, SHAPE_NONE, 0.0f);
}

// Normalised cross entropy: L = N / D, N = -log p_y, D = -sum of log p_k.
FUNCTION LossTerms loss_nce(LOSS_ROW_ARGUMENTS) {
  float sum = 0.0f;
  for (int k = 0; k < row.K; k++) sum += loss_distance(row, z, k);
  const float D = fma((float)row.K, row.log_others, sum), loss = -row.log_p / D;
  return loss_terms(loss, (1.0f - loss * (float)row.K) / D, loss / D, 0.0f, SHAPE_NONE, 0.0f);
}

// Normalised focal loss: L = N / D, N = -(1 - p_y)^gamma log p_y, D the sum of the same over all classes.
// parameters: gamma, detached (as of loss_focal).
FUNCTION LossTerms loss_nfl(LOSS_ROW_ARGUMENTS) {
  const float gamma = parameters[0], own = 1.0f - parameters[1];
  float N = 0.0f, D = 0.0f, focus = 0.0f, sum = 0.0f;
  for (int k = 0; k < row.K; k++) {
    const float log_p = loss_log(row, z, k), other = loss_other(row, p, k);
    const float term = -log_p * exp(gamma * log(other)), part = loss_focus(p[k], other, log_p, gamma, own);
    D += term;
    sum += part;
    if (k == row.label) {
      N = term;
      focus = part;
    }
  }
  const float loss = N / D;
  LossTerms terms = loss_terms(loss, (focus - loss * sum) / D, 0.0f, loss / D, SHAPE_FOCUS, gamma);
  terms.b = own;
  return terms;
}

// Normalised generalised cross entropy: L = (1 - p_y^q) / D, D = K - S, S = sum of p_k^q. parameters: q.
FUNCTION LossTerms loss_ngce(LOSS_ROW_ARGUMENTS) {
  const float q = parameters[0];
  float D = 0.0f, S = 0.0f;
  for (int k = 0; k < row.K; k++) {
    const float exponent = q * loss_log(row, z, k);
    D -= expm1(exponent);
    S += exp(exponent);
  }
  const float loss = -expm1(q * row.log_p) / D;
  return loss_terms(
      loss, q * (exp(q * row.log_p) - loss * S) / D, 0.0f, q * loss / D, SHAPE_POWER, q);
}

// Soft bootstrapping: L = -sum of t_k log p_k, t = beta [k = y] + (1 - beta) p, differentiated through t too.
// parameters: beta.
FUNCTION LossTerms loss_bootsoft(LOSS_ROW_ARGUMENTS) {
  const float beta = parameters[0], rest = 1.0f - beta;
  float entropy = 0.0f;
  for (int k = 0; k < row.K; k++) entropy -= p[k] * loss_log(row, z, k);
  return loss_terms(
      rest * entropy - beta * row.log_p, beta - rest * entropy, 0.0f, -rest, SHAPE_ENTROPY, 0.0f);
}

// Hard bootstrapping: the same with t = beta [k = y] + (1 - beta) [k is the prediction]. parameters: beta.
FUNCTION LossTerms loss_boothard(LOSS_ROW_ARGUMENTS) {
  const float beta = parameters[0], rest = 1.0f - beta;
  return loss_terms(rest * row.log_others - beta * row.log_p, 1.0f, 0.0f, -rest, SHAPE_TOP, 0.0f);
}

// log(p + guard), with the digits of log p while p is not tiny.
FUNCTION float loss_guarded(float p, float log_p, float guard) {
  return p > 0.01f ? log_p + log1p(guard / p) : log(p + guard);
}

// The regularised loss of CORES2, all classes alike: L = -log p_y + beta / K sum of log(p_k + guard); with the sieve 0
// where -log p_y is above the mean of -log(p_k + guard). parameters: beta, guard, sieve.
FUNCTION LossTerms loss_cores2(LOSS_ROW_ARGUMENTS) {
  const float share = parameters[0] / (float)row.K, guard = parameters[1];
  float sum = 0.0f, weights = 0.0f;
  for (int k = 0; k < row.K; k++) {
    const float log_p = loss_log(row, z, k);
    sum += loss_guarded(p[k], log_p, guard);
    weights += p[k] / (p[k] + guard);
  }
  if (parameters[2] > 0.0f && (float)row.K * row.log_p < sum) return loss_terms(0.0f, 0.0f, 0.0f, 0.0f, SHAPE_NONE, 0.0f);
  return loss_terms(share * sum - row.log_p, 1.0f - share * weights, 0.0f, share, SHAPE_GUARDED, guard);
}

// Normalised negative cross entropy: L = 1 - v_y / V, v_k = max(log p_k - log least, 0), V = sum of v_k.
// parameters: least.
FUNCTION LossTerms loss_nnce(LOSS_ROW_ARGUMENTS) {
  const float lowest = log(parameters[0]);
  float others = 0.0f, count = 0.0f;
  for (int k = 0; k < row.K; k++) {
    const float above = loss_log(row, z, k) - lowest;
    if (above > 0.0f) {
      if (k != row.label) others += above;
      count += 1.0f;
    }
  }
  const float own = fmax(row.log_p - lowest, 0.0f), V = others + own, share = own / V;
  return loss_terms(
      others / V, ((own > 0.0f ? 1.0f : 0.0f) - count * share) / V, 0.0f, share / V, SHAPE_ABOVE, lowest);
}

// Bi-tempered logistic loss: with t = exp_t2(z - shift), which sums to 1,
// L = -log_t1(t_y) - (1 - sum of t_k^(2 - t1)) / (2 - t1). parameters: t1, t2.
FUNCTION LossTerms loss_bitempered(LOSS_ROW_ARGUMENTS) {
  const float cold = 1.0f - parameters[0], heat = parameters[1] - 1.0f;
  // Newton's method for (sum of t_k)^-heat = 1: a power mean of functions that are linear in the shift, so that it is
  // concave and the steps come from below, and one of them is enough where one class or all alike make up the sum.
  float shift = heat > 0.0f ? 0.0f : row.log_others, before = INFINITY;
  for (int i = 0; i < 40 && heat > 0.0f; i++) {
    float sum = 0.0f, slope = 0.0f;
    for (int k = 0; k < row.K; k++) {
      const float log_t = loss_tempered(shift + loss_distance(row, z, k), heat);
      sum += exp(log_t);
      slope += exp((1.0f + heat) * log_t);
    }
    const float step = sum * expm1(heat * log(sum)) / (heat * slope);
    shift += step;
    // Near the end a step that is no shorter than the one before is rounding.
    if (step <= 1e-6f * shift + 1e-7f || (step >= before && step <= 1e-4f * shift)) break;
    before = step;
  }
  float powers = 0.0f, escort = 0.0f, sum = 0.0f, other = 0.0f;
  for (int k = 0; k < row.K; k++) {
    const float log_t = loss_tempered(shift + loss_distance(row, z, k), heat);
    powers += exp((1.0f + cold) * log_t);
    escort += exp((1.0f + heat) * log_t);
    if (k != row.label) {
      other += exp(log_t);
      sum += exp((1.0f + heat + cold) * log_t);
    }
  }
  const float log_t = loss_tempered(shift + loss_distance(row, z, row.label), heat);
  sum -= other * exp((heat + cold) * log_t);
  const float own = cold > 0.0f ? expm1(cold * log_t) / cold : log_t;
  LossTerms terms = loss_terms(
      -own - (1.0f - powers) / (1.0f + cold), 0.0f, 0.0f, 1.0f, SHAPE_TEMPERED, heat);
  terms.b = 1.0f + heat;
  terms.c = 1.0f + heat + cold;
  terms.d = sum / escort;
  terms.shift = shift;
  return terms;
}

#define LOSS_PART_OF_PROBABILITY(name)                             \
  case LOSS_PART_##name: {                                         \
    float weight;                                                  \
    const float loss = loss_##name(row, parameters, &weight);      \
    return loss_terms(loss, weight, 0.0f, 0.0f, SHAPE_NONE, 0.0f); \
  }
#define LOSS_PART_OF_ROW(name) \
  case LOSS_PART_##name: return loss_##name(row, z, parameters, p);

// The part of a weighted sum that has this number; nothing for a negative one.
FUNCTION LossTerms loss_part(int number, LOSS_ROW_ARGUMENTS) {
  switch (number) { LOSS_PARTS(LOSS_PART_OF_PROBABILITY, LOSS_PART_OF_ROW) }
  return loss_terms(number < 0 ? 0.0f : NAN, 0.0f, 0.0f, 0.0f, SHAPE_NONE, 0.0f);
}

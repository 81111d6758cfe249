// Optimisers, and what methods do with all parameters alike, for CPU-type devices; shared/optimizer.cl says what they
// compute.

// The sums of squares that reduce_squares left, in their order.
FUNCTION float optimizer_squares(__global const float *squares, int pieces) {
  float sum = 0.0f;
  for (int i = 0; i < pieces; i++) sum += squares[i];
  return sum;
}

FUNCTION float optimizer_clip(__global const float *numbers, __global const float *squares, int pieces) {
  return optimizer_scale(numbers, optimizer_squares(squares, pieces));
}

// Gradients are scaled by min(1, clip / (norm + 1e-6)), norm = sqrt of the sum of `squares` (see reduce_squares), where
// clip = numbers[NUMBER_CLIP_NORM] is above 0. Launch: (ceil(n / ELEMENTS_PER_ITEM)).
__kernel void optimizer_sgd(
    __global float *restrict parameters, __global const float *restrict gradients, __global float *restrict momenta,
    __global const float *restrict numbers, __global const float *restrict squares, int n, int pieces) {
  const int first = get_global_id(0) * ELEMENTS_PER_ITEM, last = min(n, first + ELEMENTS_PER_ITEM);
  const SgdStep step = sgd_step(numbers, optimizer_clip(numbers, squares, pieces));
  for (int i = first; i < last; i++) {
    float w = parameters[i], v = momenta[i];
    SGD_MOVE(float, step, optimizer_rate(step.rates, i), w, gradients[i], v)
    momenta[i] = v;
    parameters[i] = w;
  }
}

// Adam over all parameters; gradients are clipped as for optimizer_sgd. Launch: (ceil(n / ELEMENTS_PER_ITEM)).
__kernel void optimizer_adam(
    __global float *restrict parameters, __global const float *restrict gradients, __global float *restrict momenta,
    __global float *restrict second_moments, __global const int *restrict counters,
    __global const float *restrict numbers, __global const float *restrict squares, int n, int pieces) {
  const int first = get_global_id(0) * ELEMENTS_PER_ITEM, last = min(n, first + ELEMENTS_PER_ITEM);
  const AdamStep step = adam_step(numbers, counters, optimizer_clip(numbers, squares, pieces));
  for (int i = first; i < last; i++)
    adam_move(step, optimizer_rate(step.rates, i), parameters + i, gradients[i], momenta + i, second_moments + i);
}

// gradients += c (parameters - anchor), the gradient of c / 2 |parameters - anchor|^2, c = numbers[NUMBER_METHOD + slot].
// Launch: (ceil(n / ELEMENTS_PER_ITEM)).
__kernel void flat_pull(
    __global const float *restrict parameters, __global const float *restrict anchor,
    __global float *restrict gradients, __global const float *restrict numbers, int n, int slot) {
  const int first = get_global_id(0) * ELEMENTS_PER_ITEM, last = min(n, first + ELEMENTS_PER_ITEM);
  const float c = numbers[NUMBER_METHOD + slot];
  // Without it the gradients keep their bits.
  if (c == 0.0f) return;
  for (int i = first; i < last; i++) gradients[i] = fma(c, parameters[i] - anchor[i], gradients[i]);
}

// average += rate (parameters - average), after the update, with the rate of numbers[NUMBER_METHOD + slot] and of the
// updates so far. Launch: (ceil(n / ELEMENTS_PER_ITEM)).
__kernel void flat_average(
    __global const float *restrict parameters, __global float *restrict average, __global const int *restrict counters,
    __global const float *restrict numbers, int n, int slot) {
  const int first = get_global_id(0) * ELEMENTS_PER_ITEM, last = min(n, first + ELEMENTS_PER_ITEM);
  const float rate = average_rate(numbers[NUMBER_METHOD + slot], counters[COUNTER_UPDATES]);
  for (int i = first; i < last; i++) average[i] = fma(rate, parameters[i] - average[i], average[i]);
}

// to = from - rate * along, at the learning rate of each parameter. Where there are sums of the squares of `along`, only its
// direction counts, along / |along|, and |along| is left in norm[0]; a vector of zeros has none, and moves nothing.
// Launch: (ceil(n / ELEMENTS_PER_ITEM)).
__kernel void flat_step(
    __global const float *restrict from, __global const float *restrict along, __global float *restrict to,
    __global float *restrict norm, __global const float *restrict numbers, __global const float *restrict squares,
    int n, int pieces) {
  const int first = get_global_id(0) * ELEMENTS_PER_ITEM, last = min(n, first + ELEMENTS_PER_ITEM);
  const OptimizerRates rates = optimizer_rates(numbers);
  const float length = sqrt(optimizer_squares(squares, pieces));
  const float scale = pieces == 0 ? 1.0f : step_scale(length);
  if (pieces > 0 && first == 0) norm[0] = length;
  for (int i = first; i < last; i++) to[i] = fma(-scale * optimizer_rate(rates, i), along[i], from[i]);
}

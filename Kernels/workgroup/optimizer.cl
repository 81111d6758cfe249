// Optimisers, and what methods do with all parameters alike, for GPU-type devices; shared/optimizer.cl says what they
// compute.

// Every group adds the `pieces` sums of squares up in the same order; without any, gradients are not clipped.
FUNCTION float optimizer_squares(__global const float *squares, int pieces, __local float4 *memory) {
  float4 sum = (float4)(0.0f);
  for (int i = get_local_id(0); i < pieces; i += get_local_size(0)) sum.s0 += squares[i];
  memory[get_local_id(0)] = sum;
  group_sum(memory, 1, 1);
  return memory[0].s0;
}

FUNCTION float optimizer_clip(
    __global const float *numbers, __global const float *squares, int pieces, __local float4 *memory) {
  return pieces == 0 ? 1.0f : optimizer_scale(numbers, optimizer_squares(squares, pieces, memory));
}

// Four parameters per work-item. Launch: (ceil(n / 4), rounded up).
__kernel void optimizer_sgd(
    __global float *restrict parameters, __global const float *restrict gradients, __global float *restrict momenta,
    __global const float *restrict numbers, __global const float *restrict squares, int n, int pieces) {
  __local float4 memory[GROUP_ITEMS];
  const SgdStep step = sgd_step(numbers, optimizer_clip(numbers, squares, pieces, memory));
  const int i = get_global_id(0) * 4;
  if (i >= n) return;
  float4 w = load_quad(parameters + i, n - i, 1), v = load_quad(momenta + i, n - i, 1);
  SGD_MOVE(float4, step, optimizer_rate(step.rates, i), w, load_quad(gradients + i, n - i, 1), v)
  store_quad(v, momenta + i, n - i, 1);
  store_quad(w, parameters + i, n - i, 1);
}

// Four parameters per work-item. Launch: (ceil(n / 4), rounded up).
__kernel void optimizer_adam(
    __global float *restrict parameters, __global const float *restrict gradients, __global float *restrict momenta,
    __global float *restrict second_moments, __global const int *restrict counters,
    __global const float *restrict numbers, __global const float *restrict squares, int n, int pieces) {
  __local float4 memory[GROUP_ITEMS];
  const AdamStep step = adam_step(numbers, counters, optimizer_clip(numbers, squares, pieces, memory));
  const int first = get_global_id(0) * 4;
  for (int i = first; i < min(n, first + 4); i++)
    adam_move(step, optimizer_rate(step.rates, i), parameters + i, gradients[i], momenta + i, second_moments + i);
}

// gradients += c (parameters - anchor), as in vector/optimizer.cl. Four parameters per work-item.
// Launch: (ceil(n / 4), rounded up).
__kernel void flat_pull(
    __global const float *restrict parameters, __global const float *restrict anchor,
    __global float *restrict gradients, __global const float *restrict numbers, int n, int slot) {
  const int i = get_global_id(0) * 4;
  const float c = numbers[NUMBER_METHOD + slot];
  if (i >= n || c == 0.0f) return;
  const float4 away = load_quad(parameters + i, n - i, 1) - load_quad(anchor + i, n - i, 1);
  store_quad(fma((float4)(c), away, load_quad(gradients + i, n - i, 1)), gradients + i, n - i, 1);
}

// average += rate (parameters - average), as in vector/optimizer.cl. Four parameters per work-item.
// Launch: (ceil(n / 4), rounded up).
__kernel void flat_average(
    __global const float *restrict parameters, __global float *restrict average, __global const int *restrict counters,
    __global const float *restrict numbers, int n, int slot) {
  const int i = get_global_id(0) * 4;
  if (i >= n) return;
  const float rate = average_rate(numbers[NUMBER_METHOD + slot], counters[COUNTER_UPDATES]);
  const float4 before = load_quad(average + i, n - i, 1);
  store_quad(fma((float4)(rate), load_quad(parameters + i, n - i, 1) - before, before), average + i, n - i, 1);
}

// to = from - rate * along, or by its direction alone, as in vector/optimizer.cl. Four parameters per work-item.
// Launch: (ceil(n / 4), rounded up).
__kernel void flat_step(
    __global const float *restrict from, __global const float *restrict along, __global float *restrict to,
    __global float *restrict norm, __global const float *restrict numbers, __global const float *restrict squares,
    int n, int pieces) {
  __local float4 memory[GROUP_ITEMS];
  const float length = pieces == 0 ? 0.0f : sqrt(optimizer_squares(squares, pieces, memory));
  const float scale = pieces == 0 ? 1.0f : step_scale(length);
  const int i = get_global_id(0) * 4;
  if (pieces > 0 && i == 0) norm[0] = length;
  if (i >= n) return;
  // The slowed parameters end with a whole vector.
  const float4 rate = (float4)(-scale * optimizer_rate(optimizer_rates(numbers), i));
  store_quad(fma(rate, load_quad(along + i, n - i, 1), load_quad(from + i, n - i, 1)), to + i, n - i, 1);
}

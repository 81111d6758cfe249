// optimizer_clip for work-groups: each adds the `pieces` sums of squares up in the same order.
FUNCTION float optimizer_clip_gpu(
    __global const float *numbers, __global const float *squares, int pieces, __local float4 *memory) {
  if (pieces == 0) return 1.0f;
  float4 sum = (float4)(0.0f);
  for (int i = get_local_id(0); i < pieces; i += get_local_size(0)) sum.s0 += squares[i];
  memory[get_local_id(0)] = sum;
  group_sum(memory, 1, 1);
  const float clip = numbers[NUMBER_CLIP_NORM];
  return clip > 0.0f ? fmin(1.0f, clip / (sqrt(memory[0].s0) + 1e-6f)) : 1.0f;
}

// optimizer_sgd for GPU-type devices: see optimizer.cl for what it computes. Four parameters per work-item.
// Launch: (ceil(n / 4), rounded up).
__kernel void optimizer_sgd_gpu(
    __global float *restrict parameters, __global const float *restrict gradients, __global float *restrict momenta,
    __global const float *restrict numbers, __global const float *restrict squares, int n, int pieces) {
  __local float4 memory[GPU_ITEMS];
  const float rate = numbers[NUMBER_LEARNING_RATE], momentum = numbers[NUMBER_MOMENTUM];
  const float decay = numbers[NUMBER_WEIGHT_DECAY], l1 = numbers[NUMBER_L1];
  const int nesterov = numbers[NUMBER_NESTEROV] > 0.0f;
  const float scale = optimizer_clip_gpu(numbers, squares, pieces, memory);
  const int i = get_global_id(0) * 4;
  if (i >= n) return;
  const float4 parameter = load_quad(parameters + i, n - i, 1);
  const float4 clipped = (float4)(scale)*load_quad(gradients + i, n - i, 1);
  const float4 g = fma((float4)(l1), sign(parameter), fma((float4)(decay), parameter, clipped));
  const float4 v = fma((float4)(momentum), load_quad(momenta + i, n - i, 1), g);
  const float4 direction = nesterov ? fma((float4)(momentum), v, g) : v;
  store_quad(v, momenta + i, n - i, 1);
  store_quad(parameter - (float4)(rate)*direction, parameters + i, n - i, 1);
}

// optimizer_adam for GPU-type devices. Four parameters per work-item. Launch: (ceil(n / 4), rounded up).
__kernel void optimizer_adam_gpu(
    __global float *restrict parameters, __global const float *restrict gradients, __global float *restrict momenta,
    __global float *restrict second_moments, __global const int *restrict counters,
    __global const float *restrict numbers, __global const float *restrict squares, int n, int pieces) {
  __local float4 memory[GPU_ITEMS];
  const AdamStep step = adam_step(numbers, counters, optimizer_clip_gpu(numbers, squares, pieces, memory));
  const int first = get_global_id(0) * 4;
  for (int i = first; i < min(n, first + 4); i++)
    adam_move(step, parameters + i, gradients[i], momenta + i, second_moments + i);
}

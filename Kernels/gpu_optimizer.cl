// optimizer_sgd for GPU-type devices: see optimizer.cl for what it computes. Four parameters per work-item.
// Each group adds `pieces` sums of squares up in the same order. Launch: (ceil(n / 4), rounded up).
__kernel void optimizer_sgd_gpu(
    __global float *restrict parameters, __global const float *restrict gradients, __global float *restrict momenta,
    __global const float *restrict numbers, __global const float *restrict squares, int n, int pieces) {
  __local float4 memory[GPU_ITEMS];
  const float rate = numbers[NUMBER_LEARNING_RATE], momentum = numbers[NUMBER_MOMENTUM];
  const float decay = numbers[NUMBER_WEIGHT_DECAY], clip = numbers[NUMBER_CLIP_NORM];
  const float l1 = numbers[NUMBER_L1];
  const int nesterov = numbers[NUMBER_NESTEROV] > 0.0f;
  float scale = 1.0f;
  if (pieces > 0) {
    float4 sum = (float4)(0.0f);
    for (int i = get_local_id(0); i < pieces; i += get_local_size(0)) sum.s0 += squares[i];
    memory[get_local_id(0)] = sum;
    group_sum(memory, 1, 1);
    if (clip > 0.0f) scale = fmin(1.0f, clip / (sqrt(memory[0].s0) + 1e-6f));
  }
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

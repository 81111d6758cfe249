// What `gpunoisy bench` measures a CPU-type device by: the most that it can multiply and copy, and what a launch costs.
// The numbers that the kernels compute with are arguments, so that no compiler can do the work beforehand.

// Independent sums of 16 floats: as many as hide the latency of a multiply-add and still fit into registers.
#undef BENCH_CHAINS
#if defined(CONV_PIXELS) && CONV_PIXELS < 8
#define BENCH_CHAINS 4
#else
#define BENCH_CHAINS 8
#endif

// Hardly any work: what is left is the launch. Launch: any.
__kernel void bench_empty(__global float *target) { target[get_global_id(0)] = 0.0f; }

// rounds * BENCH_MULTIPLY_ADDS multiply-adds in registers; target [items, 16] keeps them from being left out. Launch:
// (items).
__kernel void bench_multiply_add(__global float *target, int rounds, float factor, float addend) {
  float16 sums[BENCH_CHAINS];
#pragma unroll
  for (int i = 0; i < BENCH_CHAINS; i++) sums[i] = (float16)(addend * (float)i);
  for (int round = 0; round < rounds * (BENCH_MULTIPLY_ADDS / LANES / BENCH_CHAINS); round++) {
#pragma unroll
    for (int i = 0; i < BENCH_CHAINS; i++) sums[i] = fma(sums[i], (float16)(factor), (float16)(addend));
  }
  float16 sum = sums[0];
#pragma unroll
  for (int i = 1; i < BENCH_CHAINS; i++) sum += sums[i];
  vstore16(sum, get_global_id(0), target);
}

// target[i] = factor * source[i]: with a factor, because a plain copy may become another routine than kernels can use.
// n is a multiple of 16. Launch: (ceil(n / ELEMENTS_PER_ITEM)).
__kernel void bench_copy(__global const float *restrict source, __global float *restrict target, int n, float factor) {
  const int first = get_global_id(0) * ELEMENTS_PER_ITEM, last = min(n, first + ELEMENTS_PER_ITEM);
  for (int i = first; i < last; i += LANES) vstore16((float16)(factor)*vload16(0, source + i), 0, target + i);
}

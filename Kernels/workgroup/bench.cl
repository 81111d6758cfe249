// What `gpunoisy bench` measures a GPU-type device by; see vector/bench.cl.

// Launch: any.
__kernel void bench_empty(__global float *target) { target[get_global_id(0)] = 0.0f; }

// rounds * BENCH_MULTIPLY_ADDS multiply-adds in registers, in 16 independent sums; target [items, 4]. Launch: (items).
__kernel void bench_multiply_add(__global float *target, int rounds, float factor, float addend) {
  const float4 factors = (float4)(factor), addends = (float4)(addend);
  float4 a = addends, b = 2.0f * addends, c = 3.0f * addends, d = 4.0f * addends;
  for (int round = 0; round < rounds; round++) {
#pragma unroll
    for (int step = 0; step < BENCH_MULTIPLY_ADDS / 16; step++) {
      a = fma(a, factors, addends);
      b = fma(b, factors, addends);
      c = fma(c, factors, addends);
      d = fma(d, factors, addends);
    }
  }
  *(__global float4 *)(target + 4 * get_global_id(0)) = (a + b) + (c + d);
}

// target[i] = factor * source[i], four elements per work-item. n is a multiple of four. Launch: (n / 4, rounded up).
__kernel void bench_copy(
    __global const float *restrict source, __global float *restrict target, int n, float factor) {
  const int i = get_global_id(0) * 4;
  if (i < n) *(__global float4 *)(target + i) = factor * QUAD(source + i);
}

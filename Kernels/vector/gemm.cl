// Matrix products for CPU-type devices, as a linear layer needs them; weights packed [N/16][K][16] like a 1x1 filter.

// output [M, N] = input [M, K] * weights + bias. One work-item: GEMM_ROWS rows. Launch: (ceil(M / GEMM_ROWS)).
__kernel void gemm_forward(
    __global const float *restrict input, __global const float *restrict weights, __global const float *restrict bias,
    __global float *restrict output, int weights_at, int bias_at, int M, int N, int K, int has_bias) {
  const int first = get_global_id(0) * GEMM_ROWS, valid = min(GEMM_ROWS, M - first);
  int row[GEMM_ROWS];
#pragma unroll
  for (int i = 0; i < GEMM_ROWS; i++) row[i] = (first + min(i, valid - 1)) * K;
  for (int n = 0; n < N; n += LANES) {
    __global const float *w = weights + weights_at + n * K;
    const float16 start = has_bias ? vload16(0, bias + bias_at + n) : (float16)(0.0f);
    float16 sums[GEMM_ROWS];
#pragma unroll
    for (int i = 0; i < GEMM_ROWS; i++) sums[i] = start;
#pragma unroll 1
    for (int k = 0; k < K; k++) {
      const float16 weight = vload16(k, w);
#pragma unroll
      for (int i = 0; i < GEMM_ROWS; i++) sums[i] = fma((float16)(input[row[i] + k]), weight, sums[i]);
    }
#pragma unroll
    for (int i = 0; i < GEMM_ROWS; i++)
      if (i < valid) store_lanes(sums[i], output + (first + i) * N + n, min(LANES, N - n));
  }
}

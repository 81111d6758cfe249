// Sums in a fixed order, so that the same inputs give the same bits whatever the number of threads.

// gradients[at + i] (+)= sum over chunks of partials[chunk * n + i]. n is a multiple of 16. Launch: (ceil(n /
// REDUCE_PIECE)).
__kernel void reduce_partials(
    __global const float *restrict partials, __global float *restrict gradients, int at, int n, int chunks,
    int accumulate) {
  const int first = get_global_id(0) * REDUCE_PIECE, last = min(n, first + REDUCE_PIECE);
  for (int i = first; i < last; i += LANES) {
    float16 sum = accumulate ? vload16(0, gradients + at + i) : (float16)(0.0f);
    for (int chunk = 0; chunk < chunks; chunk++) sum += vload16(0, partials + chunk * n + i);
    vstore16(sum, 0, gradients + at + i);
  }
}

// gradients[at + i] (+)= sum over the rows of input [M, N] (the gradient of a bias). Launch: (ceil(N / 16)).
__kernel void reduce_rows(
    __global const float *restrict input, __global float *restrict gradients, int at, int M, int N, int accumulate) {
  const int n = get_global_id(0) * LANES, lanes = min(LANES, N - n);
  float16 sum = accumulate ? vload16(0, gradients + at + n) : (float16)(0.0f);
  for (int m = 0; m < M; m++) sum += load_lanes(input + m * N + n, lanes);
  vstore16(sum, 0, gradients + at + n);
}

// partials[piece] = sum of squares of ELEMENTS_PER_ITEM elements. Launch: (ceil(n / ELEMENTS_PER_ITEM)).
__kernel void reduce_squares(__global const float *restrict input, __global float *restrict partials, int n) {
  const int piece = get_global_id(0);
  const int first = piece * ELEMENTS_PER_ITEM, last = min(n, first + ELEMENTS_PER_ITEM);
  float sum = 0.0f;
  for (int i = first; i < last; i++) sum = fma(input[i], input[i], sum);
  partials[piece] = sum;
}

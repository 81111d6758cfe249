// Sums over chunks, rows and everything, for GPU-type devices, in an order that shapes alone decide.

// gradients[at + i] (+)= sum over chunks of partials[chunk * n + i]. n is a multiple of 16. A group: REDUCE_GROUP_PIECE
// elements, every size / 16-th chunk in one work-item. Launch: (ceil(n / REDUCE_GROUP_PIECE) groups).
__kernel void reduce_partials(
    __global const float *restrict partials, __global float *restrict gradients, int at, int n, int chunks,
    int accumulate) {
  __local float4 memory[GROUP_ITEMS];
  const int item = get_local_id(0), i = get_group_id(0) * REDUCE_GROUP_PIECE + item % 16 * 4;
  float4 sum = (float4)(0.0f);
  if (i < n)
    for (int chunk = item / 16; chunk < chunks; chunk += get_local_size(0) / 16) sum += QUAD(partials + chunk * n + i);
  memory[item] = sum;
  group_sum(memory, 16, 1);
  if (item < 16 && i < n) {
    __global float4 *gradient = (__global float4 *)(gradients + at + i);
    *gradient = accumulate ? *gradient + memory[item] : memory[item];
  }
}

// gradients[at + i] (+)= sum over the rows of input [M, N] (the gradient of a bias). Launch: (PADDED(N) / 16 groups).
__kernel void reduce_rows(
    __global const float *restrict input, __global float *restrict gradients, int at, int M, int N, int accumulate) {
  __local float4 memory[GROUP_ITEMS];
  const int item = get_local_id(0), n = get_group_id(0) * LANES + item % 4 * 4;
  float4 sum = (float4)(0.0f);
  for (int m = item / 4; m < M; m += get_local_size(0) / 4) sum += load_quad(input + m * N + n, N - n, ALIGNED(N));
  memory[item] = sum;
  group_sum(memory, 4, 1);
  if (item < 4) {
    __global float4 *gradient = (__global float4 *)(gradients + at + n);
    *gradient = accumulate ? *gradient + memory[item] : memory[item];
  }
}

// partials[group] = sum of the squares of `piece` elements (a multiple of 4). Launch: (ceil(n / piece) groups).
__kernel void reduce_squares(
    __global const float *restrict input, __global float *restrict partials, int n, int piece) {
  __local float4 memory[GROUP_ITEMS];
  const int item = get_local_id(0), first = get_group_id(0) * piece, last = min(n, first + piece);
  float4 sum = (float4)(0.0f);
  for (int i = first + 4 * item; i < last; i += 4 * get_local_size(0)) {
    const float4 value = load_quad(input + i, last - i, 1);
    sum = fma(value, value, sum);
  }
  memory[item] = sum;
  group_sum(memory, 1, 1);
  if (item == 0) partials[get_group_id(0)] = (memory[0].s0 + memory[0].s1) + (memory[0].s2 + memory[0].s3);
}

// Batch normalisation for GPU-type devices; formulas and layouts are those of vector/batchnorm.cl. Tensors are [M, C].
//
// Sums over pixels: a group takes `rows` pixels of 16 channels, four channels per work-item, and leaves them as one
// piece; a second kernel, one group per four channels, combines the pieces. Element by element: four per work-item.

// Mean and sum of squared deviations of `rows` pixels, partials [piece][2][PADDED(C)].
// Launch: (ceil(M / rows) groups, PADDED(C) / 16 groups).
__kernel void batchnorm_statistics(
    __global const activation *restrict input, __global float *restrict partials, int M, int C, int rows) {
  __local float4 memory[2 * GROUP_ITEMS];
  const int item = get_local_id(0), size = get_local_size(0), c = get_group_id(1) * LANES + item % 4 * 4;
  const int first = get_group_id(0) * rows, count = min(rows, M - first);
  input += first * C + c;
  const float4 origin = load_activation_quad(input, C - c, ALIGNED(C));
  float4 sum = (float4)(0.0f), squares = (float4)(0.0f);
  for (int m = item / 4; m < count; m += size / 4) {
    const float4 difference = load_activation_quad(input + m * C, C - c, ALIGNED(C)) - origin;
    sum += difference;
    squares = fma(difference, difference, squares);
  }
  memory[item] = sum;
  memory[size + item] = squares;
  group_sum(memory, 4, 2);
  if (item < 4) {
    const float4 total = memory[item], n = (float4)(1.0f / (float)count);
    partials += get_group_id(0) * 2 * PADDED(C) + c;
    *(__global float4 *)partials = origin + total * n;
    *(__global float4 *)(partials + PADDED(C)) = memory[size + item] - total * total * n;
  }
}

// Chan's formula: adds the mean and sum of squared deviations of `count` pixels to those of `total` pixels.
#define BATCHNORM_MERGE(total, average, squares, count, other_average, other_squares) \
  {                                                                                   \
    const float merged = total + (count), share = (count) / merged;                   \
    const float4 difference = (other_average) - average;                              \
    average = fma(difference, (float4)(share), average);                              \
    squares += (other_squares) + difference * difference * (float4)(total * share);   \
    total = merged;                                                                   \
  }

// Combines the pieces, moves the running statistics (unbiased variance), and leaves the batch's mean and
// 1 / sqrt(variance + epsilon). Pieces are tiles of `rows` x `columns` pixels of an image of H x W, in reading order,
// image after image. Launch: (PADDED(C) / 4 groups).
__kernel void batchnorm_combine(
    __global const float *restrict partials, __global float *restrict running, __global float *restrict mean,
    __global float *restrict inverse, int running_mean_at, int running_variance_at, float epsilon, int C, int pieces,
    int rows, int columns, int H, int W) {
  __local float4 averages[GROUP_ITEMS], deviations[GROUP_ITEMS];
  __local float totals[GROUP_ITEMS];
  const int item = get_local_id(0), size = get_local_size(0), c = get_group_id(0) * 4;
  const int across = (W + columns - 1) / columns, down = (H + rows - 1) / rows;
  float4 average = (float4)(0.0f), squares = (float4)(0.0f);
  float total = 0.0f;
  for (int i = item; i < pieces; i += size) {
    __global const float *piece = partials + i * 2 * PADDED(C) + c;
    const float count = (float)(min(rows, H - i / across % down * rows) * min(columns, W - i % across * columns));
    BATCHNORM_MERGE(total, average, squares, count, QUAD(piece), QUAD(piece + PADDED(C)))
  }
  averages[item] = average;
  deviations[item] = squares;
  totals[item] = total;
  LOCAL_BARRIER;
  for (int step = size / 2; step > 0; step /= 2) {
    if (item < step && totals[item + step] > 0.0f) {
      BATCHNORM_MERGE(total, average, squares, totals[item + step], averages[item + step], deviations[item + step])
      averages[item] = average;
      deviations[item] = squares;
      totals[item] = total;
    }
    LOCAL_BARRIER;
  }
  if (item == 0) {
    const float4 variance = squares * (float4)(1.0f / total);
    const float4 unbiased = squares * (float4)(1.0f / max(total - 1.0f, 1.0f));
    *(__global float4 *)(mean + c) = average;
    inverse[c] = 1.0f / sqrt(variance.s0 + epsilon);
    inverse[c + 1] = 1.0f / sqrt(variance.s1 + epsilon);
    inverse[c + 2] = 1.0f / sqrt(variance.s2 + epsilon);
    inverse[c + 3] = 1.0f / sqrt(variance.s3 + epsilon);
    __global float4 *running_mean = (__global float4 *)(running + running_mean_at + c);
    __global float4 *running_variance = (__global float4 *)(running + running_variance_at + c);
    const float4 momentum = (float4)(BATCHNORM_MOMENTUM);
    *running_mean = fma(average - *running_mean, momentum, *running_mean);
    *running_variance = fma(unbiased - *running_variance, momentum, *running_variance);
  }
}

// The running statistics in the form that batchnorm_normalize reads. n = PADDED(C). Launch: (n, rounded up).
__kernel void batchnorm_inference(
    __global const float *restrict running, __global float *restrict mean, __global float *restrict inverse,
    int running_mean_at, int running_variance_at, float epsilon, int n) {
  const int c = get_global_id(0);
  if (c >= n) return;
  mean[c] = running[running_mean_at + c];
  inverse[c] = 1.0f / sqrt(running[running_variance_at + c] + epsilon);
}

// output = gamma * (input - mean) * inverse + beta [+ residual] [max 0, min limit], over n = M * C elements.
// Launch: (ceil(n / 4), rounded up).
__kernel void batchnorm_normalize(
    __global const activation *restrict input, __global const activation *residual, __global const float *restrict mean,
    __global const float *restrict inverse, __global const float *restrict parameters, __global activation *output,
    int gamma_at, int beta_at, int n, int C, int has_residual, int rectify, float limit) {
  const int i = get_global_id(0) * 4, c = i % C;
  if (i >= n) return;
  const float4 scale = channel_quad(parameters + gamma_at, c, C) * channel_quad(inverse, c, C);
  const float4 shift = channel_quad(parameters + beta_at, c, C) - channel_quad(mean, c, C) * scale;
  float4 value = fma(load_activation_quad(input + i, n - i, 1), scale, shift);
  if (has_residual) value += load_activation_quad(residual + i, n - i, 1);
  // Not fmax: a NaN must stay one, so that divergence is seen.
  if (rectify) value = rectified4(value, limit);
  store_activation_quad(value, output + i, n - i, 1);
}

// Per piece the sums over pixels of g and g * (input - mean), where g = doutput, zero where the ReLU was off or at its limit.
// partials [piece][2][PADDED(C)]. Launch: (ceil(M / rows) groups, PADDED(C) / 16 groups).
__kernel void batchnorm_backward_sums(
    __global const activation *restrict doutput, __global const activation *restrict output,
    __global const activation *restrict input, __global const float *restrict mean, __global float *restrict partials,
    int M, int C, int rows, int rectify, float limit) {
  __local float4 memory[2 * GROUP_ITEMS];
  const int item = get_local_id(0), size = get_local_size(0), c = get_group_id(1) * LANES + item % 4 * 4;
  const int first = get_group_id(0) * rows, last = min(M, first + rows);
  const float4 center = QUAD(mean + c), zero = (float4)(0.0f);
  float4 sum = zero, product = zero;
  for (int m = first + item / 4; m < last; m += size / 4) {
    const int at = m * C + c;
    float4 gradient = load_activation_quad(doutput + at, C - c, ALIGNED(C));
    if (rectify) gradient = rectified_gradient4(gradient, load_activation_quad(output + at, C - c, ALIGNED(C)), limit);
    sum += gradient;
    product = fma(gradient, load_activation_quad(input + at, C - c, ALIGNED(C)) - center, product);
  }
  memory[item] = sum;
  memory[size + item] = product;
  group_sum(memory, 4, 2);
  if (item < 4) {
    partials += get_group_id(0) * 2 * PADDED(C) + c;
    *(__global float4 *)partials = memory[item];
    *(__global float4 *)(partials + PADDED(C)) = memory[size + item];
  }
}

// Adds the pieces up, writes or adds to dgamma and dbeta, and leaves in `means` the two numbers per channel that
// batchnorm_backward_apply needs: mean of g, and mean of g * (input - mean) times inverse squared.
// Both are 0 with constant statistics, which no pixel changes.
// Launch: (PADDED(C) / 4 groups).
__kernel void batchnorm_backward_combine(
    __global const float *restrict partials, __global const float *restrict inverse, __global float *restrict gradients,
    __global float *restrict means, int gamma_at, int beta_at, int M, int C, int pieces, int accumulate,
    int is_constant) {
  __local float4 memory[2 * GROUP_ITEMS];
  const int item = get_local_id(0), size = get_local_size(0), c = get_group_id(0) * 4;
  float4 sum = (float4)(0.0f), product = (float4)(0.0f);
  for (int i = item; i < pieces; i += size) {
    __global const float *piece = partials + i * 2 * PADDED(C) + c;
    sum += QUAD(piece);
    product += QUAD(piece + PADDED(C));
  }
  memory[item] = sum;
  memory[size + item] = product;
  group_sum(memory, 1, 2);
  if (item == 0) {
    const float4 scale = QUAD(inverse + c), n = (float4)(is_constant ? 0.0f : 1.0f / (float)M);
    sum = memory[0];
    product = memory[size];
    *(__global float4 *)(means + c) = sum * n;
    *(__global float4 *)(means + PADDED(C) + c) = product * scale * scale * n;
    __global float4 *dgamma = (__global float4 *)(gradients + gamma_at + c);
    __global float4 *dbeta = (__global float4 *)(gradients + beta_at + c);
    *dgamma = accumulate ? *dgamma + product * scale : product * scale;
    *dbeta = accumulate ? *dbeta + sum : sum;
  }
}

// dinput = gamma * inverse * (g - mean of g - (input - mean) * means[1]) over n = M * C elements; where there was a
// residual, its gradient is g. Launch: (ceil(n / 4), rounded up). dresidual may be doutput itself.
__kernel void batchnorm_backward_apply(
    __global const activation *doutput, __global const activation *restrict output,
    __global const activation *restrict input, __global const float *restrict mean,
    __global const float *restrict inverse, __global const float *restrict parameters,
    __global const float *restrict means, __global activation *restrict dinput, __global activation *dresidual,
    int gamma_at, int n, int C, int has_residual, int rectify, float limit) {
  const int i = get_global_id(0) * 4, c = i % C;
  if (i >= n) return;
  const float4 scale = channel_quad(parameters + gamma_at, c, C) * channel_quad(inverse, c, C);
  float4 gradient = load_activation_quad(doutput + i, n - i, 1);
  if (rectify) gradient = rectified_gradient4(gradient, load_activation_quad(output + i, n - i, 1), limit);
  const float4 value = load_activation_quad(input + i, n - i, 1) - channel_quad(mean, c, C);
  const float4 change = channel_quad(means, c, C) + value * channel_quad(means + PADDED(C), c, C);
  store_activation_quad(scale * (gradient - change), dinput + i, n - i, 1);
  if (has_residual) store_activation_quad(gradient, dresidual + i, n - i, 1);
}

// Batch normalisation for CPU-type devices (Ioffe and Szegedy, 2015), with the residual addition and the ReLU that
// follow it in a ResNet in the same pass.
//
// Tensors are [M, C], M = B * H * W. Statistics per channel are combined from pieces by Chan's formula in a fixed
// order. Vectors of channels (mean, inverse, gamma, ...) are PADDED(C) long.

// Mean and sum of squared deviations of `rows` pixels. Launch: (ceil(M / rows)). partials [piece][2][PADDED(C)].
__kernel void batchnorm_statistics(
    __global const activation *restrict input, __global float *restrict partials, int M, int C, int rows) {
  const int piece = get_global_id(0), count = min(rows, M - piece * rows);
  input += piece * rows * C;
  partials += piece * 2 * PADDED(C);
  const float16 n = (float16)(1.0f / (float)count);
  for (int c = 0; c < C; c += LANES) {
    const int lanes = min(LANES, C - c);
    const float16 origin = load_activations(input + c, lanes);
    float16 sum = (float16)(0.0f), squares = (float16)(0.0f);
    for (int m = 0; m < count; m++) {
      const float16 difference = load_activations(input + m * C + c, lanes) - origin;
      sum += difference;
      squares = fma(difference, difference, squares);
    }
    vstore16(origin + sum * n, 0, partials + c);
    vstore16(squares - sum * sum * n, 0, partials + PADDED(C) + c);
  }
}

// Statistics of `total` pixels so far.
typedef struct {
  float16 mean, squares;
  float total;
} batchnorm_sums;

// Adds a piece of `count` pixels.
FUNCTION void batchnorm_add(batchnorm_sums *sums, __global const float *piece, int C, float count) {
  const float sum = sums->total + count;
  const float16 difference = vload16(0, piece) - sums->mean;
  sums->mean = fma(difference, (float16)(count / sum), sums->mean);
  sums->squares +=
      vload16(0, piece + PADDED(C)) + difference * difference * (float16)(sums->total * (count / sum));
  sums->total = sum;
}

// Moves the running statistics (unbiased variance, as PyTorch does), and leaves the batch's mean and 1 / sqrt(variance
// + epsilon), of sixteen channels.
FUNCTION void batchnorm_leave(
    const batchnorm_sums *sums, __global float *running_mean, __global float *running_variance, __global float *mean,
    __global float *inverse, float epsilon) {
  const float16 variance = sums->squares * (float16)(1.0f / sums->total);
  vstore16(sums->mean, 0, mean);
  for (int i = 0; i < LANES; i++)  // by element: sqrt of a vector is not the same function everywhere
    inverse[i] = 1.0f / sqrt(variance[i] + epsilon);
  const float16 momentum = (float16)(BATCHNORM_MOMENTUM);
  const float16 unbiased = sums->squares * (float16)(1.0f / max(sums->total - 1.0f, 1.0f));
  const float16 old_mean = vload16(0, running_mean), old_variance = vload16(0, running_variance);
  vstore16(fma(sums->mean - old_mean, momentum, old_mean), 0, running_mean);
  vstore16(fma(unbiased - old_variance, momentum, old_variance), 0, running_variance);
}

// Combines the pieces. Piece i covers min(rows, H - (i % per_image) * rows) * Q pixels. Launch: (PADDED(C) / 16).
__kernel void batchnorm_combine(
    __global const float *restrict partials, __global float *restrict running, __global float *restrict mean,
    __global float *restrict inverse, int running_mean_at, int running_variance_at, float epsilon, int C, int pieces,
    int per_image, int rows, int H, int Q) {
  const int c = get_global_id(0) * LANES;
  batchnorm_sums sums;
  sums.mean = sums.squares = (float16)(0.0f);
  sums.total = 0.0f;
  for (int i = 0; i < pieces; i++)
    batchnorm_add(
        &sums, partials + i * 2 * PADDED(C) + c, C, (float)(min(rows, H - i % per_image * rows) * Q));
  batchnorm_leave(
      &sums, running + running_mean_at + c, running + running_variance_at + c, mean + c, inverse + c, epsilon);
}

// Pixels of the first `count` of the tiles of winograd_wide.cl.
FUNCTION int batchnorm_tiles(int count, int P, int Q, int tile) {
  const int across = (Q + tile - 1) / tile, down = (P + tile - 1) / tile;
  const int image = count / (across * down), y = count / across % down * tile, x = count % across * tile;
  return (image * P + min(y, P)) * Q + min(tile, P - y) * min(x, Q);
}

// The same of pieces that cover T tiles of tile x tile pixels each, of B images. Launch: (PADDED(C) / 16).
__kernel void batchnorm_combine_tiles(
    __global const float *restrict partials, __global float *restrict running, __global float *restrict mean,
    __global float *restrict inverse, int running_mean_at, int running_variance_at, float epsilon, int B, int C, int P,
    int Q, int T, int tile) {
  const int c = get_global_id(0) * LANES;
  const int tiles = B * ((Q + tile - 1) / tile) * ((P + tile - 1) / tile);
  batchnorm_sums sums;
  sums.mean = sums.squares = (float16)(0.0f);
  sums.total = 0.0f;
  for (int first = 0; first < tiles; first += T) {
    const int count = batchnorm_tiles(min(tiles, first + T), P, Q, tile) - batchnorm_tiles(first, P, Q, tile);
    batchnorm_add(&sums, partials + first / T * 2 * PADDED(C) + c, C, (float)count);
  }
  batchnorm_leave(
      &sums, running + running_mean_at + c, running + running_variance_at + c, mean + c, inverse + c, epsilon);
}

// The running statistics in the form that batchnorm_normalize reads. Launch: (PADDED(C)).
__kernel void batchnorm_inference(
    __global const float *restrict running, __global float *restrict mean, __global float *restrict inverse,
    int running_mean_at, int running_variance_at, float epsilon) {
  const int c = get_global_id(0);
  mean[c] = running[running_mean_at + c];
  inverse[c] = 1.0f / sqrt(running[running_variance_at + c] + epsilon);
}

// output = gamma * (input - mean) * inverse + beta [+ residual] [max 0, min limit]. Launch: (ceil(M / rows)).
__kernel void batchnorm_normalize(
    __global const activation *restrict input, __global const activation *residual, __global const float *restrict mean,
    __global const float *restrict inverse, __global const float *restrict parameters, __global activation *output,
    int gamma_at, int beta_at, int M, int C, int rows, int has_residual, int rectify, float limit) {
  const int first = get_global_id(0) * rows, count = min(rows, M - first);
  for (int c = 0; c < C; c += LANES) {
    const int lanes = min(LANES, C - c);
    const float16 scale = vload16(0, parameters + gamma_at + c) * vload16(0, inverse + c);
    const float16 shift = vload16(0, parameters + beta_at + c) - vload16(0, mean + c) * scale;
    for (int m = first; m < first + count; m++) {
      float16 value = fma(load_activations(input + m * C + c, lanes), scale, shift);
      if (has_residual) value += load_activations(residual + m * C + c, lanes);
      if (rectify) value = rectified16(value, limit);
      store_activations(value, output + m * C + c, lanes);
    }
  }
}

// Per piece: the sums over pixels of g and g * (input - mean), where g = doutput, zero where the ReLU was off or at its
// limit. Launch: (ceil(M / rows)). partials [piece][2][PADDED(C)].
__kernel void batchnorm_backward_sums(
    __global const activation *restrict doutput, __global const activation *restrict output,
    __global const activation *restrict input, __global const float *restrict mean, __global float *restrict partials,
    int M, int C, int rows, int rectify, float limit) {
  const int piece = get_global_id(0), first = piece * rows, count = min(rows, M - first);
  partials += piece * 2 * PADDED(C);
  const float16 zero = (float16)(0.0f);
  for (int c = 0; c < C; c += LANES) {
    const int lanes = min(LANES, C - c);
    const float16 center = vload16(0, mean + c);
    float16 sum = zero, product = zero;
    for (int m = first; m < first + count; m++) {
      float16 gradient = load_activations(doutput + m * C + c, lanes);
      if (rectify) gradient = rectified_gradient16(gradient, load_activations(output + m * C + c, lanes), limit);
      sum += gradient;
      product = fma(gradient, load_activations(input + m * C + c, lanes) - center, product);
    }
    vstore16(sum, 0, partials + c);
    vstore16(product, 0, partials + PADDED(C) + c);
  }
}

// batchnorm_backward_sums that also leaves the masked gradient (in `gradient`, which may be doutput itself). Without
// `has_output` the mask is computed again. Launch: (ceil(M / rows)).
__kernel void batchnorm_backward_mask_sums(
    __global const activation *doutput, __global const activation *restrict output,
    __global const activation *restrict input, __global const float *restrict mean,
    __global const float *restrict inverse, __global const float *restrict parameters, __global activation *gradient,
    __global float *restrict partials, int gamma_at, int beta_at, int M, int C, int rows, int has_output, int rectify) {
  const int piece = get_global_id(0), first = piece * rows, count = min(rows, M - first);
  partials += piece * 2 * PADDED(C);
  const float16 zero = (float16)(0.0f);
  for (int c = 0; c < C; c += LANES) {
    const int lanes = min(LANES, C - c);
    const float16 center = vload16(0, mean + c);
    const float16 scale = vload16(0, parameters + gamma_at + c) * vload16(0, inverse + c);
    const float16 shift = vload16(0, parameters + beta_at + c) - center * scale;
    float16 sum = zero, product = zero;
    for (int m = first; m < first + count; m++) {
      float16 value = load_activations(doutput + m * C + c, lanes);
      const float16 x = load_activations(input + m * C + c, lanes);
      if (rectify)
        value = (has_output ? load_activations(output + m * C + c, lanes) : fma(x, scale, shift)) > zero ? value : zero;
      sum += value;
      product = fma(value, x - center, product);
      store_activations(value, gradient + m * C + c, lanes);
    }
    vstore16(sum, 0, partials + c);
    vstore16(product, 0, partials + PADDED(C) + c);
  }
}

// Adds the pieces up in order (compensated), writes or adds to dgamma and dbeta, and leaves in `means` the two numbers
// per channel that batchnorm_backward_apply needs: mean of g, and mean of g * (input - mean) times inverse squared.
// Both are 0 with constant statistics, which no pixel changes.
// Launch: (PADDED(C) / 16).
__kernel void batchnorm_backward_combine(
    __global const float *restrict partials, __global const float *restrict inverse, __global float *restrict gradients,
    __global float *restrict means, int gamma_at, int beta_at, int M, int C, int pieces, int accumulate,
    int is_constant) {
  const int c = get_global_id(0) * LANES;
  float16 sum = (float16)(0.0f), sum_lost = sum, product = sum, product_lost = sum;
  for (int i = 0; i < pieces; i++) {
    __global const float *piece = partials + i * 2 * PADDED(C) + c;
    const float16 a = vload16(0, piece) - sum_lost, next = sum + a;
    sum_lost = (next - sum) - a;
    sum = next;
    const float16 b = vload16(0, piece + PADDED(C)) - product_lost, following = product + b;
    product_lost = (following - product) - b;
    product = following;
  }
  const float16 scale = vload16(0, inverse + c), n = (float16)(is_constant ? 0.0f : 1.0f / (float)M);
  vstore16(sum * n, 0, means + c);
  vstore16(product * scale * scale * n, 0, means + PADDED(C) + c);
  float16 dgamma = product * scale, dbeta = sum;
  if (accumulate) {
    dgamma += vload16(0, gradients + gamma_at + c);
    dbeta += vload16(0, gradients + beta_at + c);
  }
  vstore16(dgamma, 0, gradients + gamma_at + c);
  vstore16(dbeta, 0, gradients + beta_at + c);
}

// dinput = gamma * inverse * (g - mean of g - (input - mean) * means[1]); where there was a residual, its gradient is
// g. Launch: (ceil(M / rows)). dresidual may be doutput itself.
__kernel void batchnorm_backward_apply(
    __global const activation *doutput, __global const activation *restrict output,
    __global const activation *restrict input, __global const float *restrict mean,
    __global const float *restrict inverse, __global const float *restrict parameters,
    __global const float *restrict means, __global activation *restrict dinput, __global activation *dresidual,
    int gamma_at, int M, int C, int rows, int has_residual, int rectify, float limit) {
  const int first = get_global_id(0) * rows, count = min(rows, M - first);
  for (int c = 0; c < C; c += LANES) {
    const int lanes = min(LANES, C - c);
    // gamma * inverse * (g - a - (x - m) * b) = scale * g + slope * x + constant
    const float16 scale = vload16(0, parameters + gamma_at + c) * vload16(0, inverse + c);
    const float16 offset = vload16(0, means + c), slope = vload16(0, means + PADDED(C) + c);
    const float16 center = vload16(0, mean + c);
    for (int m = first; m < first + count; m++) {
      float16 gradient = load_activations(doutput + m * C + c, lanes);
      if (rectify) gradient = rectified_gradient16(gradient, load_activations(output + m * C + c, lanes), limit);
      const float16 value = load_activations(input + m * C + c, lanes) - center;
      store_activations(scale * (gradient - offset - value * slope), dinput + m * C + c, lanes);
      if (has_residual) store_activations(gradient, dresidual + m * C + c, lanes);
    }
  }
}

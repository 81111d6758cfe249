// One launch updates all parameters of a network: they lie side by side in one buffer, as do gradients and momenta.

#define OPTIMIZER_PIECE 4096

// Stochastic gradient descent with (Nesterov) momentum and weight decay on every parameter, as torch.optim.SGD:
// g = gradient + weight_decay * w + l1 * sign(w);  v = momentum * v + g;  w = w - rate * (nesterov ? g + momentum * v : v).
// (Sutskever et al., 2013.) v = 0 before the first step gives PyTorch's first step.
// With NUMBER_CLIP_NORM > 0 gradients are first scaled by min(1, clip / (norm + 1e-6)), norm = sqrt of the sum of
// `squares` (see reduce_squares). Launch: (ceil(n / 4096)).
__kernel void optimizer_sgd(
    __global float *restrict parameters, __global const float *restrict gradients, __global float *restrict momenta,
    __global const float *restrict numbers, __global const float *restrict squares, int n, int pieces) {
  const int first = get_global_id(0) * OPTIMIZER_PIECE, last = min(n, first + OPTIMIZER_PIECE);
  const float rate = numbers[NUMBER_LEARNING_RATE], momentum = numbers[NUMBER_MOMENTUM];
  const float decay = numbers[NUMBER_WEIGHT_DECAY], clip = numbers[NUMBER_CLIP_NORM];
  const float l1 = numbers[NUMBER_L1];
  const int nesterov = numbers[NUMBER_NESTEROV] > 0.0f;
  float scale = 1.0f;
  if (clip > 0.0f) {
    float sum = 0.0f;
    for (int i = 0; i < pieces; i++) sum += squares[i];
    scale = fmin(1.0f, clip / (sqrt(sum) + 1e-6f));
  }
  for (int i = first; i < last; i++) {
    const float w = parameters[i], sign = (float)((w > 0.0f) - (w < 0.0f));
    const float g = fma(l1, sign, fma(decay, w, scale * gradients[i]));
    const float v = fma(momentum, momenta[i], g);
    momenta[i] = v;
    parameters[i] = w - rate * (nesterov ? fma(momentum, v, g) : v);
  }
}

// Moves the plan on to the next batch of the epoch. Launch: (1).
__kernel void advance_step(__global int *counters, int B) { counters[COUNTER_OFFSET] += B; }

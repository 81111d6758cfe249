// The formulas of one step of an optimiser. Parameters of a network lie side by side in one buffer, as do gradients and
// momenta, so that one launch of a family's kernel updates them all.

// What gradients are multiplied with so that their norm is at most numbers[NUMBER_CLIP_NORM], if that is above 0.
FUNCTION float optimizer_scale(__global const float *numbers, float squares) {
  const float clip = numbers[NUMBER_CLIP_NORM];
  return clip > 0.0f ? fmin(1.0f, clip / (sqrt(squares) + 1e-6f)) : 1.0f;
}

// Learning rates: the first `slowed` parameters have one of their own, those of pretrained layers, which need less than
// what comes new behind them.
typedef struct {
  float slow, rate;
  int slowed;  // a multiple of LANES
} OptimizerRates;

FUNCTION OptimizerRates optimizer_rates(__global const float *numbers) {
  OptimizerRates rates;
  rates.rate = numbers[NUMBER_LEARNING_RATE];
  rates.slow = rates.rate * numbers[NUMBER_SLOWED_RATE];
  rates.slowed = LANES * (int)numbers[NUMBER_SLOWED];
  return rates;
}

// The learning rate of parameter i.
FUNCTION float optimizer_rate(const OptimizerRates rates, int i) { return i < rates.slowed ? rates.slow : rates.rate; }

// Stochastic gradient descent with (Nesterov) momentum and weight decay on every parameter, as torch.optim.SGD:
// g = gradient + weight_decay * w + l1 * sign(w);  v = momentum * v + g;
// w = w - rate * (nesterov ? g + momentum * v : v). (Sutskever et al., 2013.) v = 0 before the first step gives
// PyTorch's first step.
typedef struct {
  OptimizerRates rates;
  float momentum, decay, l1;
  float scale;  // of gradients, by clipping
  int nesterov;
} SgdStep;

FUNCTION SgdStep sgd_step(__global const float *numbers, float scale) {
  SgdStep step;
  step.rates = optimizer_rates(numbers);
  step.momentum = numbers[NUMBER_MOMENTUM];
  step.decay = numbers[NUMBER_WEIGHT_DECAY];
  step.l1 = numbers[NUMBER_L1];
  step.scale = scale;
  step.nesterov = numbers[NUMBER_NESTEROV] > 0.0f;
  return step;
}

// Moves weights and velocities of the type T, float or a vector, at a learning rate. A macro, because a function of one float that is
// called four times takes PoCL's work-groups twice as long.
#define SGD_MOVE(T, step, rate, w, gradient, v)                                                                \
  {                                                                                                            \
    const T zero_ = (T)(0.0f), one_ = (T)(1.0f), sign_ = (w > zero_ ? one_ : zero_) - (w < zero_ ? one_ : zero_); \
    const T g_ = fma((T)((step).l1), sign_, fma((T)((step).decay), w, (T)((step).scale) * (gradient)));        \
    v = fma((T)((step).momentum), v, g_);                                                                      \
    w = w - (T)(rate) * ((step).nesterov ? fma((T)((step).momentum), v, g_) : v);                              \
  }

// One parameter by Adam (Kingma and Ba, 2015), as torch.optim.Adam:
// g = gradient + weight_decay * w + l1 * sign(w);  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;
// w = w - rate / (1 - b1^t) * m / (sqrt(v / (1 - b2^t)) + epsilon), with t the number of this update, from 1.
typedef struct {
  OptimizerRates rates;
  float decay, l1, first_decay, second_decay, epsilon;
  float scale;            // of gradients, by clipping
  float first, second;  // 1 - b1^t and 1 - b2^t, without cancellation
} AdamStep;

FUNCTION AdamStep adam_step(__global const float *numbers, __global const int *counters, float scale) {
  const float t = (float)(counters[COUNTER_UPDATES] + 1);
  AdamStep step;
  step.rates = optimizer_rates(numbers);
  step.decay = numbers[NUMBER_WEIGHT_DECAY];
  step.l1 = numbers[NUMBER_L1];
  step.first_decay = numbers[NUMBER_MOMENTUM];
  step.second_decay = numbers[NUMBER_SECOND_DECAY];
  step.epsilon = numbers[NUMBER_EPSILON];
  step.scale = scale;
  step.first = -expm1(t * log(step.first_decay));
  step.second = -expm1(t * log(step.second_decay));
  return step;
}

FUNCTION void adam_move(
    const AdamStep step, float rate, __global float *parameter, float gradient, __global float *mean,
    __global float *square) {
  const float w = *parameter, sign = (float)((w > 0.0f) - (w < 0.0f));
  const float g = fma(step.l1, sign, fma(step.decay, w, step.scale * gradient));
  const float m = fma(1.0f - step.first_decay, g - *mean, *mean);
  const float v = fma(step.second_decay, *square, (1.0f - step.second_decay) * g * g);
  *mean = m;
  *square = v;
  *parameter = w - rate / step.first * m / (sqrt(v / step.second) + step.epsilon);
}

// The share of the parameters that goes into their moving average after so many updates: a plain mean of them until that
// is the smaller share (Tarvainen and Valpola, 2017).
FUNCTION float average_rate(float least, int updates) { return fmax(least, 1.0f / (float)(updates + 1)); }

// What a vector of a length is multiplied with to be of length 1; 0 for one of zeros.
FUNCTION float step_scale(float length) { return length > 0.0f ? 1.0f / length : 0.0f; }

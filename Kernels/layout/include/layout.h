// The numbers that Swift, C++ and OpenCL C share: positions in the small buffers that a plan reads, purposes of random
// draws, losses by number, and what a grid and its kernel must both know. Each has this one home, and one name.
//
// OpenCL programs begin with this text, native.cpp includes it, and Swift imports it as CLayout: enumerators as Int.
// So it holds enumerators and macros alone; layout.c checks what must not change.
#ifndef GPUNOISY_LAYOUT
#define GPUNOISY_LAYOUT

// What a plan reads instead of kernel arguments, so that it can be replayed (Compute/StepState.swift): whole numbers.
enum {
  COUNTER_OFFSET,  // position of this step's first sample in the epoch's order
  COUNTER_EPOCH,   // epoch, from 0; keys the random numbers of the augmentation
  COUNTER_SEED_LOW,
  COUNTER_SEED_HIGH,
  COUNTER_RECORD,    // 1: margins of this epoch count towards the AUM statistics
  COUNTER_DYNAMICS,  // 1: this epoch counts in rows_dynamics, and as a method takes it
  COUNTER_UPDATES,   // updates before this one: Adam's time
  COUNTER_MEMBER,    // number of the network among those of its method; keys dropout
  COUNTER_PART_IMAGES,  // images of the data set in each of the buffers that hold it, but for the last
  COUNTER_VIEW,      // which view of the images: keys their crops and flips
  COUNTER_COUNT
};

// The same in floats: what changes from epoch to epoch.
enum {
  NUMBER_LEARNING_RATE,
  NUMBER_MOMENTUM,  // of Adam, the decay of the mean of gradients
  NUMBER_WEIGHT_DECAY,
  NUMBER_NESTEROV,     // above 0: look ahead
  NUMBER_CLIP_NORM,    // 0: gradients are not clipped
  NUMBER_PEER_WEIGHT,  // factor of the peer pass's gradient (peer loss: -alpha)
  NUMBER_L1,           // factor of the sum of |w| that the optimiser adds to the loss
  NUMBER_LOSS = 8,     // the loss's own parameters, in the order of its catalogue entry
  NUMBER_SECOND_DECAY = 24,  // Adam's decay of the mean of squared gradients
  NUMBER_EPSILON,            // what Adam adds to its square root
  NUMBER_SLOWED,             // how many of the flat parameters move at a rate of their own, in blocks of LANES
  NUMBER_SLOWED_RATE,        // the factor of their learning rate
  NUMBER_METHOD = 28,        // a training method's own numbers
  NUMBER_COUNT = 40,
  NUMBER_LOSS_COUNT = NUMBER_SECOND_DECAY - NUMBER_LOSS,
  NUMBER_METHOD_COUNT = NUMBER_COUNT - NUMBER_METHOD
};

// What random words are drawn for (Statistics/CounterRandom.swift, random.cl). Append only: draws depend on the number.
enum {
  PURPOSE_SHUFFLE = 1,
  PURPOSE_AUGMENT = 2,
  PURPOSE_NOISE = 3,
  PURPOSE_INITIALIZATION = 4,
  PURPOSE_PEER_IMAGE = 5,
  PURPOSE_PEER_LABEL = 6,
  PURPOSE_PEER_AUGMENT = 7,
  PURPOSE_THRESHOLD_SAMPLE = 8,
  PURPOSE_SHAPES = 9,
  PURPOSE_SPLIT = 10,
  PURPOSE_BLIND_CHECK = 11,
  PURPOSE_REPORT_SAMPLE = 12,
  PURPOSE_MADE_UP_LABEL = 13,
  PURPOSE_PATCH = 14,
  PURPOSE_DROPOUT = 16,
  PURPOSE_PEER_DROPOUT = 17,
  PURPOSE_MIX_FACTOR = 18,
  PURPOSE_MIX_PARTNER = 19,
  PURPOSE_TRUSTED_SAMPLE = 24,
  PURPOSE_TRUSTED_ORDER = 25,
  PURPOSE_LABELLED_ORDER = 26,
  PURPOSE_UNLABELLED_ORDER = 27
};

// What happens to a convolution's input on its way into Winograd's tiles: nothing; the batch norm above it, of which it is
// the input; or, where it is the gradient of that batch norm's output, that of its input.
enum { WINOGRAD_PLAIN, WINOGRAD_NORMALIZED, WINOGRAD_GRADIENT };

// The losses that can be parts of a weighted sum: functions of p_y alone (loss_probability.cl), or of the whole row
// (loss_row.cl). Append only: the place is the number by which a sum names its parts.
#define LOSS_PARTS(PROBABILITY, ROW)                                                                                 \
  PROBABILITY(ce) ROW(lsr) PROBABILITY(mae) PROBABILITY(rce) PROBABILITY(sce) PROBABILITY(gce) PROBABILITY(agce)     \
  PROBABILITY(aul) PROBABILITY(ael) PROBABILITY(focal) PROBABILITY(polysoft) PROBABILITY(taylor)                     \
  PROBABILITY(esoftmax) PROBABILITY(nmae) ROW(nce) ROW(nfl) ROW(ngce) ROW(nnce) ROW(bootsoft) ROW(boothard)          \
  ROW(cores2) ROW(bitempered)

#define LOSS_PART_NUMBER(name) LOSS_PART_##name,
enum { LOSS_PARTS(LOSS_PART_NUMBER, LOSS_PART_NUMBER) LOSS_PART_COUNT };

// The parameters of a weighted sum of one or two losses with sparse regularisation (loss_sum_rows).
enum {
  LOSS_ALPHA,
  LOSS_BETA,
  LOSS_FIRST_PART,   // the parts by number; negative for none
  LOSS_SECOND_PART,
  LOSS_FIRST,        // each part's own parameters
  LOSS_SECOND = LOSS_FIRST + 4,
  LOSS_SPARSE = LOSS_SECOND + 4,
  LOSS_TEMPERATURE = LOSS_SPARSE,  // 0: no regularisation
  LOSS_POWER,
  LOSS_LAMBDA,
  LOSS_NORMAL,  // above 0: logits are divided by their norm
  LOSS_SUM_COUNT,
  LOSS_SLOTS = LOSS_SECOND - LOSS_FIRST  // the most parameters of a part
};

// What is added to a variance before its root is taken, unless a network says otherwise, and the share of a new batch
// in the running statistics.
#define BATCHNORM_EPSILON 1e-5f
#define BATCHNORM_MOMENTUM 0.1f

// Output pixels of a register tile of conv.cl, at most: builds for narrower machines define CONV_PIXELS themselves.
// A macro, because #if reads it.
#define CONV_PIXELS_MAX 8

// What a grid and its kernel must both know: a wrong one leaves work undone, silently.
enum {
  LANES = 16,  // channels that lie side by side in packed weights; elements of a vector
  // Vectors (CPUs).
  ELEMENTS_PER_ITEM = 4096,   // elements of one work-item where there is nothing but elements
  REDUCE_PIECE = 256,         // elements of one work-item that adds up partial sums
  GEMM_ROWS = 8,              // rows of one work-item of a matrix product
  PANEL_ROWS = 128,           // rows of a panel of gemm_backward_weights
  PANEL_COLUMNS = 48,         // its columns: whole tiles of 8, 6 and 4
  PANEL_OUTPUTS = 64,         // outputs of one work-item of panel_weights.cl: whole tiles of 32
  PANEL_TAPS = 1024,          // the most columns of conv_backward_weights_panel: taps of the filter times channels
  CONV_SCRATCH = 16384,       // floats of private scratch for a padded piece of the input: 64 KB, within the
                              // second-level cache
  CONV_1X1_ROWS = 48,         // pixels of one work-item of conv_forward_1x1: whole tiles of 8, 6 and 4
  CONV_1X1_COLUMNS = 256,     // output channels of one work-item, whole tiles of 32
  DEPTHWISE_CHANNELS = 64,    // channels of one work-item of depthwise_backward_weights
  WINOGRAD_STAGED = 16384,    // floats of private scratch for staged input
  WINOGRAD_CHANNELS = 64,     // the most channels of winograd_narrow.cl,
  WINOGRAD_CHANNELS_4X4 = 32, // and of its tiles of 4x4 pixels
  WINOGRAD_TRANSFORMED = 36 * WINOGRAD_CHANNELS_4X4,  // the most floats of a transformed tile there,
  WINOGRAD_TILES = 8,         // tiles that are transformed together and multiplied with weights,
  WINOGRAD_LONG = 16,         // and with those of the gradient
  WIDE_GROUP = 48,            // the most tiles of a group: whole register tiles of 8, 6 and 4;
  WIDE_GROUP_4X4 = 24,        // of tiles of 4x4 pixels
  WIDE_RUN = 8,               // tiles of one work-item of winograd_wide_input, a divisor of both,
  WIDE_CHANNELS = 64,         // and its channels
  WIDE_STAGED = 6 * (4 * WIDE_RUN + 2) * LANES,            // floats of private scratch for staged input,
  WIDE_PRODUCTS = 36 * 2 * (WIDE_GROUP_4X4 + 1) * LANES,   // and for the products of two blocks of a group
  GATHER_SLICE = 1024,        // the most numbers of a row that one work-item of gather_input copies
  // Work-groups (GPUs).
  GROUP_ITEMS = 256,          // the most work-items of a group
  REDUCE_GROUP_PIECE = 64,    // elements of one group that adds up partial sums
  CONV_GROUP_PIXELS = 128,    // the most pixels, and work-items, of a group of conv_forward
  // Matrix units.
  MATRIX_ITEMS = 128,         // work-items of a group
  MATRIX_ROWS = 8,            // rows of a group's tile of pixels
  // Measurements.
  BENCH_MULTIPLY_ADDS = 512   // multiply-adds of one round of bench_multiply_add
};

#endif

// What must not change in layout.h, and what must fit.
#include "CLayout.h"

#include <string.h>

// Checkpoints hold no draws, but a run that is resumed repeats them; papers' noise is drawn by them.
static_assert(PURPOSE_SHUFFLE == 1 && PURPOSE_AUGMENT == 2 && PURPOSE_NOISE == 3 && PURPOSE_INITIALIZATION == 4);
static_assert(PURPOSE_PEER_IMAGE == 5 && PURPOSE_PEER_LABEL == 6 && PURPOSE_PEER_AUGMENT == 7);
static_assert(PURPOSE_THRESHOLD_SAMPLE == 8 && PURPOSE_SHAPES == 9 && PURPOSE_SPLIT == 10);
static_assert(PURPOSE_BLIND_CHECK == 11 && PURPOSE_REPORT_SAMPLE == 12);
static_assert(PURPOSE_DROPOUT == 16 && PURPOSE_PEER_DROPOUT == 17);
static_assert(PURPOSE_MIX_FACTOR == 18 && PURPOSE_MIX_PARTNER == 19);
static_assert(PURPOSE_TRUSTED_SAMPLE == 24 && PURPOSE_TRUSTED_ORDER == 25);
static_assert(PURPOSE_LABELLED_ORDER == 26 && PURPOSE_UNLABELLED_ORDER == 27);
// Dropout has the network's number in the bits above (random.cl).
static_assert(PURPOSE_PEER_DROPOUT < 256);

static_assert(LOSS_PART_ce == 0 && LOSS_PART_nce == 14 && LOSS_PART_bitempered == 21);

// One region of numbers after the other.
static_assert(NUMBER_L1 < NUMBER_LOSS && NUMBER_SLOWED_RATE < NUMBER_METHOD);
static_assert(NUMBER_LOSS_COUNT >= LOSS_SUM_COUNT && LOSS_SPARSE - LOSS_SECOND == LOSS_SLOTS);

// Pieces are whole vectors; the trees that add up a group's sums halve it.
static_assert(ELEMENTS_PER_ITEM % LANES == 0 && REDUCE_PIECE % LANES == 0 && REDUCE_GROUP_PIECE % LANES == 0);
static_assert(CONV_SCRATCH % LANES == 0 && WINOGRAD_STAGED % LANES == 0 && WINOGRAD_CHANNELS % LANES == 0);
static_assert(GATHER_SLICE % (2 * LANES) == 0);
static_assert(WIDE_PRODUCTS >= 16 * 2 * (WIDE_GROUP + 1) * LANES);
static_assert(WIDE_GROUP % WIDE_GROUP_4X4 == 0 && WIDE_GROUP_4X4 % WIDE_RUN == 0 && WIDE_RUN % 2 == 0);
static_assert((GROUP_ITEMS & (GROUP_ITEMS - 1)) == 0 && CONV_GROUP_PIXELS <= GROUP_ITEMS);

int gpunoisy_loss_part(const char *name) {
#define NAME(part) #part,
  static const char *const names[LOSS_PART_COUNT] = {LOSS_PARTS(NAME, NAME)};
  for (int part = 0; part < LOSS_PART_COUNT; part++)
    if (strcmp(names[part], name) == 0) return part;
  return -1;
}

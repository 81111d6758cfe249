// The kernels that multiply words of factor.cl, and what they need; native.cpp includes this file inside of a namespace for
// each format of activations and words.
#undef load_activation
#undef store_activation
#undef load_activation16
#undef store_activation16
#undef load_activations
#undef store_activations
#undef FACTOR_PAIR
#include "../shared/words.cl"
#include "../shared/activation.cl"
#include "../vector/factor.cl"
#include "../vector/winograd.cl"
#include "../vector/winograd_weights.cl"
#include "../vector/winograd_narrow.cl"
#include "../vector/winograd_narrow_weights.cl"
#ifdef PANEL_AMX
#include "panel_multiply_amx.h"
#else
#include "../vector/panel_multiply.cl"
#endif
#include "../vector/panel.cl"
#include "../vector/gather.cl"
#include "../vector/conv_taps.cl"
#include "../vector/winograd_wide.cl"
#include "../vector/winograd_wide_output.cl"
#include "../vector/winograd_wide_gradient.cl"

#undef FACTOR_ENTRIES
#undef PRODUCT_ENTRIES
#define FACTOR_ENTRIES \
  ENTRY(winograd_weights), \
  ENTRY(winograd_forward), \
  ENTRY(winograd_backward_data), \
  ENTRY(winograd_backward_weights), \
  ENTRY(winograd_reduce_weights), \
  ENTRY(winograd_wide_input), \
  ENTRY(winograd_wide_gradient), \
  ENTRY(gather_input), \
  ENTRY(gather_forward_weights), \
  ENTRY(gather_weights), \
  ENTRY(conv_taps), \
  PRODUCT_ENTRIES
// Those that call panel_multiply and panel_accumulate_block.
#define PRODUCT_ENTRIES \
  ENTRY(winograd_wide_output), \
  ENTRY(gather_output), \
  ENTRY(panel_accumulate),

// The kernels that multiply words of factor.cl, where these hold bfloat16; native.cpp includes this file once for each
// format of activations, inside of a namespace.
#include "native_undefine.h"
#include "../shared/words.cl"
#include "../shared/activation.cl"
#include "../vector/factor.cl"
#include "../vector/winograd.cl"
#include "../vector/winograd_weights.cl"
#include "../vector/panel.cl"
#include "../vector/gather.cl"
#include "../vector/winograd_wide.cl"
#include "../vector/winograd_wide_output.cl"
#include "../vector/winograd_wide_weights.cl"
#include "../vector/winograd_wide_gradient.cl"

static const Entry entries[] = {
    ENTRY(winograd_weights),
    ENTRY(winograd_forward),
    ENTRY(winograd_backward_data),
    ENTRY(winograd_backward_weights),
    ENTRY(winograd_wide_weights),
    ENTRY(winograd_wide_input),
    ENTRY(winograd_wide_output),
    ENTRY(winograd_wide_gradient),
    ENTRY(panel_accumulate),
    ENTRY(gather_input),
    ENTRY(gather_forward_weights),
    ENTRY(gather_weights),
    ENTRY(gather_output),
};

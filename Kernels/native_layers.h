// The kernels of layers that ResNets have no use for; native.cpp includes this file behind native_set.h, once for each
// instruction set and format of activations, inside of a namespace.
#include "layers.cl"

static const Entry layer_entries[] = {
    ENTRY(bias_forward), ENTRY(bias_backward), ENTRY(dropout_scale), ENTRY(flatten_forward), ENTRY(flatten_backward),
};

// The kernel files as text, in the order of compilation. The folder, by which families of kernels are
// chosen, is part of a file's name.
#include "CKernels.h"

static const gpunoisy_source sources[] = {
    {"layout/include/layout.h", (const char[]){
#embed "layout/include/layout.h"
    , 0}},
    {"shared/words.cl", (const char[]){
#embed "shared/words.cl"
    , 0}},
    {"shared/activation.cl", (const char[]){
#embed "shared/activation.cl"
    , 0}},
    {"shared/random.cl", (const char[]){
#embed "shared/random.cl"
    , 0}},
    {"shared/augment.cl", (const char[]){
#embed "shared/augment.cl"
    , 0}},
    {"shared/optimizer.cl", (const char[]){
#embed "shared/optimizer.cl"
    , 0}},
    {"shared/step.cl", (const char[]){
#embed "shared/step.cl"
    , 0}},
    {"shared/loss_probability.cl", (const char[]){
#embed "shared/loss_probability.cl"
    , 0}},
    {"shared/loss_row.cl", (const char[]){
#embed "shared/loss_row.cl"
    , 0}},
    {"shared/loss_determinant.cl", (const char[]){
#embed "shared/loss_determinant.cl"
    , 0}},
    {"shared/loss.cl", (const char[]){
#embed "shared/loss.cl"
    , 0}},
    {"shared/rows.cl", (const char[]){
#embed "shared/rows.cl"
    , 0}},
    {"shared/rows_targets.cl", (const char[]){
#embed "shared/rows_targets.cl"
    , 0}},
    {"shared/rows_distil.cl", (const char[]){
#embed "shared/rows_distil.cl"
    , 0}},
    {"shared/rows_division.cl", (const char[]){
#embed "shared/rows_division.cl"
    , 0}},
    {"shared/rows_triplet.cl", (const char[]){
#embed "shared/rows_triplet.cl"
    , 0}},
    {"vector/augment.cl", (const char[]){
#embed "vector/augment.cl"
    , 0}},
    {"vector/conv.cl", (const char[]){
#embed "vector/conv.cl"
    , 0}},
    {"vector/panel_weights.cl", (const char[]){
#embed "vector/panel_weights.cl"
    , 0}},
    {"vector/conv_1x1.cl", (const char[]){
#embed "vector/conv_1x1.cl"
    , 0}},
    {"vector/depthwise.cl", (const char[]){
#embed "vector/depthwise.cl"
    , 0}},
    {"vector/factor.cl", (const char[]){
#embed "vector/factor.cl"
    , 0}},
    {"vector/winograd.cl", (const char[]){
#embed "vector/winograd.cl"
    , 0}},
    {"vector/winograd_weights.cl", (const char[]){
#embed "vector/winograd_weights.cl"
    , 0}},
    {"vector/winograd_narrow.cl", (const char[]){
#embed "vector/winograd_narrow.cl"
    , 0}},
    {"vector/winograd_narrow_weights.cl", (const char[]){
#embed "vector/winograd_narrow_weights.cl"
    , 0}},
    {"vector/panel_multiply.cl", (const char[]){
#embed "vector/panel_multiply.cl"
    , 0}},
    {"vector/panel.cl", (const char[]){
#embed "vector/panel.cl"
    , 0}},
    {"vector/gather.cl", (const char[]){
#embed "vector/gather.cl"
    , 0}},
    {"vector/conv_taps.cl", (const char[]){
#embed "vector/conv_taps.cl"
    , 0}},
    {"vector/winograd_wide.cl", (const char[]){
#embed "vector/winograd_wide.cl"
    , 0}},
    {"vector/winograd_wide_output.cl", (const char[]){
#embed "vector/winograd_wide_output.cl"
    , 0}},
    {"vector/winograd_wide_gradient.cl", (const char[]){
#embed "vector/winograd_wide_gradient.cl"
    , 0}},
    {"vector/gemm.cl", (const char[]){
#embed "vector/gemm.cl"
    , 0}},
    {"vector/batchnorm.cl", (const char[]){
#embed "vector/batchnorm.cl"
    , 0}},
    {"vector/pointwise.cl", (const char[]){
#embed "vector/pointwise.cl"
    , 0}},
    {"vector/pool.cl", (const char[]){
#embed "vector/pool.cl"
    , 0}},
    {"vector/layers.cl", (const char[]){
#embed "vector/layers.cl"
    , 0}},
    {"vector/reduce.cl", (const char[]){
#embed "vector/reduce.cl"
    , 0}},
    {"vector/loss_determinant.cl", (const char[]){
#embed "vector/loss_determinant.cl"
    , 0}},
    {"vector/optimizer.cl", (const char[]){
#embed "vector/optimizer.cl"
    , 0}},
    {"vector/bench.cl", (const char[]){
#embed "vector/bench.cl"
    , 0}},
    {"workgroup/group.cl", (const char[]){
#embed "workgroup/group.cl"
    , 0}},
    {"workgroup/fusion.cl", (const char[]){
#embed "workgroup/fusion.cl"
    , 0}},
    {"workgroup/augment.cl", (const char[]){
#embed "workgroup/augment.cl"
    , 0}},
    {"workgroup/conv.cl", (const char[]){
#embed "workgroup/conv.cl"
    , 0}},
    {"workgroup/conv_fused.cl", (const char[]){
#embed "workgroup/conv_fused.cl"
    , 0}},
    {"workgroup/depthwise.cl", (const char[]){
#embed "workgroup/depthwise.cl"
    , 0}},
    {"workgroup/conv_weights.cl", (const char[]){
#embed "workgroup/conv_weights.cl"
    , 0}},
    {"workgroup/batchnorm.cl", (const char[]){
#embed "workgroup/batchnorm.cl"
    , 0}},
    {"workgroup/pointwise.cl", (const char[]){
#embed "workgroup/pointwise.cl"
    , 0}},
    {"workgroup/pool.cl", (const char[]){
#embed "workgroup/pool.cl"
    , 0}},
    {"workgroup/layers.cl", (const char[]){
#embed "workgroup/layers.cl"
    , 0}},
    {"workgroup/reduce.cl", (const char[]){
#embed "workgroup/reduce.cl"
    , 0}},
    {"workgroup/loss_determinant.cl", (const char[]){
#embed "workgroup/loss_determinant.cl"
    , 0}},
    {"workgroup/optimizer.cl", (const char[]){
#embed "workgroup/optimizer.cl"
    , 0}},
    {"workgroup/bench.cl", (const char[]){
#embed "workgroup/bench.cl"
    , 0}},
    {"matrix/fragment.cl", (const char[]){
#embed "matrix/fragment.cl"
    , 0}},
    {"matrix/conv.cl", (const char[]){
#embed "matrix/conv.cl"
    , 0}},
    {"matrix/conv_backward.cl", (const char[]){
#embed "matrix/conv_backward.cl"
    , 0}},
    {"matrix/conv_weights.cl", (const char[]){
#embed "matrix/conv_weights.cl"
    , 0}},
};

const gpunoisy_source *gpunoisy_source_at(int index) {
  return index >= 0 && index < (int)(sizeof(sources) / sizeof(*sources)) ? &sources[index] : 0;
}

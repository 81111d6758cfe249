// The kernel files as text, in the order of compilation. A file is known by its name here.
#include "CKernels.h"

static const gpunoisy_source sources[] = {
    {"layout/include/layout.h", (const char[]){
#embed "layout/include/layout.h"
    , 0}},
    {"common.cl", (const char[]){
#embed "common.cl"
    , 0}},
    {"random.cl", (const char[]){
#embed "random.cl"
    , 0}},
    {"augment_draw.cl", (const char[]){
#embed "augment_draw.cl"
    , 0}},
    {"augment.cl", (const char[]){
#embed "augment.cl"
    , 0}},
    {"conv.cl", (const char[]){
#embed "conv.cl"
    , 0}},
    {"conv_weights.cl", (const char[]){
#embed "conv_weights.cl"
    , 0}},
    {"winograd.cl", (const char[]){
#embed "winograd.cl"
    , 0}},
    {"winograd_weights.cl", (const char[]){
#embed "winograd_weights.cl"
    , 0}},
    {"gemm.cl", (const char[]){
#embed "gemm.cl"
    , 0}},
    {"batchnorm.cl", (const char[]){
#embed "batchnorm.cl"
    , 0}},
    {"pointwise.cl", (const char[]){
#embed "pointwise.cl"
    , 0}},
    {"pool.cl", (const char[]){
#embed "pool.cl"
    , 0}},
    {"layers.cl", (const char[]){
#embed "layers.cl"
    , 0}},
    {"reduce.cl", (const char[]){
#embed "reduce.cl"
    , 0}},
    {"loss_probability.cl", (const char[]){
#embed "loss_probability.cl"
    , 0}},
    {"loss_row.cl", (const char[]){
#embed "loss_row.cl"
    , 0}},
    {"loss_determinant.cl", (const char[]){
#embed "loss_determinant.cl"
    , 0}},
    {"loss.cl", (const char[]){
#embed "loss.cl"
    , 0}},
    {"optimizer.cl", (const char[]){
#embed "optimizer.cl"
    , 0}},
    {"rows.cl", (const char[]){
#embed "rows.cl"
    , 0}},
    {"bench.cl", (const char[]){
#embed "bench.cl"
    , 0}},
    {"gpu_common.cl", (const char[]){
#embed "gpu_common.cl"
    , 0}},
    {"gpu_fusion.cl", (const char[]){
#embed "gpu_fusion.cl"
    , 0}},
    {"gpu_augment.cl", (const char[]){
#embed "gpu_augment.cl"
    , 0}},
    {"gpu_conv.cl", (const char[]){
#embed "gpu_conv.cl"
    , 0}},
    {"gpu_conv_fused.cl", (const char[]){
#embed "gpu_conv_fused.cl"
    , 0}},
    {"gpu_conv_weights.cl", (const char[]){
#embed "gpu_conv_weights.cl"
    , 0}},
    {"gpu_batchnorm.cl", (const char[]){
#embed "gpu_batchnorm.cl"
    , 0}},
    {"gpu_pointwise.cl", (const char[]){
#embed "gpu_pointwise.cl"
    , 0}},
    {"gpu_pool.cl", (const char[]){
#embed "gpu_pool.cl"
    , 0}},
    {"gpu_layers.cl", (const char[]){
#embed "gpu_layers.cl"
    , 0}},
    {"gpu_reduce.cl", (const char[]){
#embed "gpu_reduce.cl"
    , 0}},
    {"gpu_loss.cl", (const char[]){
#embed "gpu_loss.cl"
    , 0}},
    {"gpu_optimizer.cl", (const char[]){
#embed "gpu_optimizer.cl"
    , 0}},
    {"gpu_bench.cl", (const char[]){
#embed "gpu_bench.cl"
    , 0}},
    {"gpu_fragment.cl", (const char[]){
#embed "gpu_fragment.cl"
    , 0}},
    {"gpu_conv_mma.cl", (const char[]){
#embed "gpu_conv_mma.cl"
    , 0}},
    {"gpu_conv_mma_backward.cl", (const char[]){
#embed "gpu_conv_mma_backward.cl"
    , 0}},
    {"gpu_conv_mma_weights.cl", (const char[]){
#embed "gpu_conv_mma_weights.cl"
    , 0}},
};

const gpunoisy_source *gpunoisy_source_at(int index) {
  return index >= 0 && index < (int)(sizeof(sources) / sizeof(*sources)) ? &sources[index] : 0;
}

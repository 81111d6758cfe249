// The kernel files as text; the order is the order of compilation.
#include "CKernels.h"

static const char common[] = {
#embed "common.cl"
    , 0};
static const char random[] = {
#embed "random.cl"
    , 0};
static const char augment[] = {
#embed "augment.cl"
    , 0};
static const char conv[] = {
#embed "conv.cl"
    , 0};
static const char conv_weights[] = {
#embed "conv_weights.cl"
    , 0};
static const char winograd[] = {
#embed "winograd.cl"
    , 0};
static const char winograd_weights[] = {
#embed "winograd_weights.cl"
    , 0};
static const char gemm[] = {
#embed "gemm.cl"
    , 0};
static const char batchnorm[] = {
#embed "batchnorm.cl"
    , 0};
static const char pointwise[] = {
#embed "pointwise.cl"
    , 0};
static const char pool[] = {
#embed "pool.cl"
    , 0};
static const char layers[] = {
#embed "layers.cl"
    , 0};
static const char reduce[] = {
#embed "reduce.cl"
    , 0};
static const char loss_probability[] = {
#embed "loss_probability.cl"
    , 0};
static const char loss_row[] = {
#embed "loss_row.cl"
    , 0};
static const char loss_determinant[] = {
#embed "loss_determinant.cl"
    , 0};
static const char loss[] = {
#embed "loss.cl"
    , 0};
static const char optimizer[] = {
#embed "optimizer.cl"
    , 0};
static const char rows[] = {
#embed "rows.cl"
    , 0};
static const char bench[] = {
#embed "bench.cl"
    , 0};
static const char gpu_common[] = {
#embed "gpu_common.cl"
    , 0};
static const char gpu_fusion[] = {
#embed "gpu_fusion.cl"
    , 0};
static const char gpu_augment[] = {
#embed "gpu_augment.cl"
    , 0};
static const char gpu_conv[] = {
#embed "gpu_conv.cl"
    , 0};
static const char gpu_conv_fused[] = {
#embed "gpu_conv_fused.cl"
    , 0};
static const char gpu_conv_weights[] = {
#embed "gpu_conv_weights.cl"
    , 0};
static const char gpu_batchnorm[] = {
#embed "gpu_batchnorm.cl"
    , 0};
static const char gpu_pointwise[] = {
#embed "gpu_pointwise.cl"
    , 0};
static const char gpu_pool[] = {
#embed "gpu_pool.cl"
    , 0};
static const char gpu_layers[] = {
#embed "gpu_layers.cl"
    , 0};
static const char gpu_reduce[] = {
#embed "gpu_reduce.cl"
    , 0};
static const char gpu_loss[] = {
#embed "gpu_loss.cl"
    , 0};
static const char gpu_optimizer[] = {
#embed "gpu_optimizer.cl"
    , 0};
static const char gpu_bench[] = {
#embed "gpu_bench.cl"
    , 0};
static const char gpu_fragment[] = {
#embed "gpu_fragment.cl"
    , 0};
static const char gpu_conv_mma[] = {
#embed "gpu_conv_mma.cl"
    , 0};
static const char gpu_conv_mma_backward[] = {
#embed "gpu_conv_mma_backward.cl"
    , 0};
static const char gpu_conv_mma_weights[] = {
#embed "gpu_conv_mma_weights.cl"
    , 0};

static const gpunoisy_source sources[] = {
    {"common.cl", common},
    {"random.cl", random},
    {"augment.cl", augment},
    {"conv.cl", conv},
    {"conv_weights.cl", conv_weights},
    {"winograd.cl", winograd},
    {"winograd_weights.cl", winograd_weights},
    {"gemm.cl", gemm},
    {"batchnorm.cl", batchnorm},
    {"pointwise.cl", pointwise},
    {"pool.cl", pool},
    {"layers.cl", layers},
    {"reduce.cl", reduce},
    {"loss_probability.cl", loss_probability},
    {"loss_row.cl", loss_row},
    {"loss_determinant.cl", loss_determinant},
    {"loss.cl", loss},
    {"optimizer.cl", optimizer},
    {"rows.cl", rows},
    {"bench.cl", bench},
    {"gpu_common.cl", gpu_common},
    {"gpu_fusion.cl", gpu_fusion},
    {"gpu_augment.cl", gpu_augment},
    {"gpu_conv.cl", gpu_conv},
    {"gpu_conv_fused.cl", gpu_conv_fused},
    {"gpu_conv_weights.cl", gpu_conv_weights},
    {"gpu_batchnorm.cl", gpu_batchnorm},
    {"gpu_pointwise.cl", gpu_pointwise},
    {"gpu_pool.cl", gpu_pool},
    {"gpu_layers.cl", gpu_layers},
    {"gpu_reduce.cl", gpu_reduce},
    {"gpu_loss.cl", gpu_loss},
    {"gpu_optimizer.cl", gpu_optimizer},
    {"gpu_bench.cl", gpu_bench},
    {"gpu_fragment.cl", gpu_fragment},
    {"gpu_conv_mma.cl", gpu_conv_mma},
    {"gpu_conv_mma_backward.cl", gpu_conv_mma_backward},
    {"gpu_conv_mma_weights.cl", gpu_conv_mma_weights},
};

const gpunoisy_source *gpunoisy_source_at(int index) {
  return index >= 0 && index < (int)(sizeof(sources) / sizeof(*sources)) ? &sources[index] : 0;
}

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
static const char reduce[] = {
#embed "reduce.cl"
    , 0};
static const char loss[] = {
#embed "loss.cl"
    , 0};
static const char optimizer[] = {
#embed "optimizer.cl"
    , 0};

static const gpunoisy_source sources[] = {
    {"common.cl", common},
    {"random.cl", random},
    {"augment.cl", augment},
    {"conv.cl", conv},
    {"gemm.cl", gemm},
    {"batchnorm.cl", batchnorm},
    {"pointwise.cl", pointwise},
    {"pool.cl", pool},
    {"reduce.cl", reduce},
    {"loss.cl", loss},
    {"optimizer.cl", optimizer},
};

const gpunoisy_source *gpunoisy_source_at(int index) {
  return index >= 0 && index < (int)(sizeof(sources) / sizeof(*sources)) ? &sources[index] : 0;
}

// The kernels of one instruction set and one format of activations; native.cpp includes this file once for each, inside
// of a namespace.
#include "native_factors.h"
#include "../shared/random.cl"
#include "../shared/augment.cl"
#include "../shared/optimizer.cl"
#include "../shared/step.cl"
#include "../shared/loss_probability.cl"
#include "../shared/loss_row.cl"
#include "../shared/loss_determinant.cl"
#include "../shared/loss.cl"
#include "../shared/rows.cl"
#include "../shared/rows_targets.cl"
#include "../shared/rows_distil.cl"
#include "../shared/rows_division.cl"
#include "../shared/rows_triplet.cl"
#include "../vector/augment.cl"
#include "../vector/conv.cl"
#include "../vector/panel_weights.cl"
#include "../vector/conv_1x1.cl"
#include "../vector/depthwise.cl"
#include "../vector/gemm.cl"
#include "../vector/batchnorm.cl"
#include "../vector/pointwise.cl"
#include "../vector/pool.cl"
#include "../vector/layers.cl"
#include "../vector/reduce.cl"
#include "../vector/loss_determinant.cl"
#include "../vector/optimizer.cl"
#include "../vector/bench.cl"

#undef LOSS_ENTRY
#define LOSS_ENTRY(name) ENTRY(loss_##name##_rows),

// What the launches count on.
static_assert(CONV_PIXELS <= CONV_PIXELS_MAX);
static_assert(PANEL_COLUMNS % CONV_PIXELS == 0 && PANEL_OUTPUTS % (CONV_BLOCKS * LANES) == 0);

static const Entry entries[] = {
    FACTOR_ENTRIES
    ENTRY(augment_crop_flip),
    ENTRY(gather_floats),
    ENTRY(gather_mix),
    ENTRY(augment_mix),
    ENTRY(conv_forward_3x3),
    ENTRY(conv_transpose_weights),
    ENTRY(conv_backward_weights_panel),
    ENTRY(conv_forward_1x1),
    ENTRY(depthwise_forward),
    ENTRY(depthwise_backward_data),
    ENTRY(depthwise_backward_weights),
    ENTRY(gemm_forward),
    ENTRY(gemm_backward_weights),
    ENTRY(batchnorm_statistics),
    ENTRY(batchnorm_combine),
    ENTRY(batchnorm_combine_tiles),
    ENTRY(batchnorm_inference),
    ENTRY(batchnorm_normalize),
    ENTRY(batchnorm_backward_sums),
    ENTRY(batchnorm_backward_mask_sums),
    ENTRY(batchnorm_backward_combine),
    ENTRY(batchnorm_backward_apply),
    ENTRY(add_forward),
    ENTRY(rectify_forward),
    ENTRY(rectify_backward),
    ENTRY(shortcut_forward),
    ENTRY(shortcut_backward),
    ENTRY(pool_global_forward),
    ENTRY(pool_global_backward),
    ENTRY(pool_forward),
    ENTRY(pool_backward),
    ENTRY(bias_forward),
    ENTRY(bias_backward),
    ENTRY(dropout_scale),
    ENTRY(flatten_forward),
    ENTRY(flatten_backward),
    ENTRY(reduce_partials),
    ENTRY(reduce_rows),
    ENTRY(reduce_squares),
    LOSS_PARTS(LOSS_ENTRY, LOSS_ENTRY)
    ENTRY(loss_sum_rows),
    ENTRY(loss_peer_rows),
    ENTRY(loss_forward_rows),
    ENTRY(loss_backward_rows),
    ENTRY(determinant_softmax),
    ENTRY(determinant_invert),
    ENTRY(loss_dmi_rows),
    ENTRY(loss_evaluate),
    ENTRY(optimizer_sgd),
    ENTRY(optimizer_adam),
    ENTRY(flat_pull),
    ENTRY(flat_average),
    ENTRY(flat_step),
    ENTRY(rows_scale),
    ENTRY(rows_smallest),
    ENTRY(rows_smallest_after),
    ENTRY(rows_dynamics),
    ENTRY(rows_streak),
    ENTRY(rows_shift),
    ENTRY(rows_offset),
    ENTRY(rows_early_learning),
    ENTRY(rows_mixed_targets),
    ENTRY(rows_soft_loss),
    ENTRY(rows_confidence),
    ENTRY(rows_ensemble),
    ENTRY(rows_consistency),
    ENTRY(rows_distil),
    ENTRY(rows_guess),
    ENTRY(rows_divided_targets),
    ENTRY(rows_divided_loss),
    ENTRY(rows_mean),
    ENTRY(rows_prior),
    ENTRY(rows_entropy),
    ENTRY(rows_triplet),
    ENTRY(rows_triplet_backward),
    ENTRY(advance_step),
    ENTRY(bench_empty),
    ENTRY(bench_multiply_add),
    ENTRY(bench_copy),
};

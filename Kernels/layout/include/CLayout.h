// The shared numbers for programs that run on the host.
#pragma once
#include "layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The number of a loss, such as `gce`, as a part of weighted sums; -1 if it cannot be one.
int gpunoisy_loss_part(const char *name);

#ifdef __cplusplus
}
#endif

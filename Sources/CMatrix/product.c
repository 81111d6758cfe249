// Products of matrices in double precision, for the statistics that the host computes: compiled for several instruction
// sets, of which the best is taken that the processor has.
#include "CMatrix.h"

// Numbers of k that are packed at once: a tile's rows of both sides stay in the first-level cache.
#define DEPTH 256
// Rows of b that are packed at once: with DEPTH they fill a good part of the second-level cache.
#define WIDTH 480

static inline long smaller(long a, long b) { return a < b ? a : b; }

#pragma clang diagnostic ignored "-Wpsabi"

// A tile is ROWS × VECTORS vectors of LANES sums, which stay in registers.
#if defined(__x86_64__)
#define ROWS 8
#define VECTORS 3
#define LANES 8
#define NAME(name) name##_avx512
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), apply_to = function)
#include "product_set.h"
#pragma clang attribute pop
#undef ROWS
#undef VECTORS
#undef LANES
#undef NAME

#define ROWS 4
#define VECTORS 3
#define LANES 4
#define NAME(name) name##_avx2
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "product_set.h"
#pragma clang attribute pop
#undef ROWS
#undef VECTORS
#undef LANES
#undef NAME
#endif

#define ROWS 4
#define VECTORS 2
#define LANES 2
#define NAME(name) name##_generic
#include "product_set.h"

// WIDTH is a multiple of every tile's width; a row of the tile is at most 24 numbers.
long gpunoisy_product_scratch(long n) { return DEPTH * (smaller(n, WIDTH) + 24 + 8); }

void gpunoisy_product(
    long m, long n, long k, double scale, const double *a, long a_row, const double *b, long b_row, double *c,
    long c_row, double *scratch) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f"))
    return product_avx512(m, n, k, scale, a, a_row, b, b_row, c, c_row, scratch);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return product_avx2(m, n, k, scale, a, a_row, b, b_row, c, c_row, scratch);
#endif
  product_generic(m, n, k, scale, a, a_row, b, b_row, c, c_row, scratch);
}

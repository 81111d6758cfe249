#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// The numbers that gpunoisy_product needs as scratch memory for a product with n rows of b.
long gpunoisy_product_scratch(long n);

// c += scale · a · bᵀ in double precision: a [m, k], b [n, k], c [m, n], each with the distance of its rows.
//
// Every sum is taken in the order of k, in blocks that depend on k alone; the last bits depend on the instruction set.
// One thread; a and b are not changed, c overlaps neither.
void gpunoisy_product(
    long m, long n, long k, double scale, const double *a, long a_row, const double *b, long b_row, double *c,
    long c_row, double *scratch);

#ifdef __cplusplus
}
#endif

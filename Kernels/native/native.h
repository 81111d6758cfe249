// What makes the kernels' OpenCL C valid C++ for the built-in CPU device: vector types, empty address spaces, and the
// few built-in functions that the kernels use. Included before the kernels, once per instruction set.
#pragma once
#include "../layout/include/layout.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define GPUNOISY_NATIVE 1
#define FUNCTION static inline __attribute__((always_inline))
#define __kernel static
#define __global
#define __constant const
#define __private
#define restrict __restrict

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef float float4 __attribute__((ext_vector_type(4)));
typedef float float16 __attribute__((ext_vector_type(16)));
typedef uint uint4 __attribute__((ext_vector_type(4)));
typedef uint uint16 __attribute__((ext_vector_type(16)));
typedef ushort ushort16 __attribute__((ext_vector_type(16)));
typedef ushort ushort16_unaligned __attribute__((ext_vector_type(16), aligned(2)));
typedef float float16_unaligned __attribute__((ext_vector_type(16), aligned(4)));

#define vload16(offset, pointer) (*(const float16_unaligned *)((pointer) + 16 * (offset)))
#define vstore16(value, offset, pointer) (*(float16_unaligned *)((pointer) + 16 * (offset)) = (value))
#define vload16_ushort(from) (*(const ushort16_unaligned *)(from))
#define vstore16_ushort(value, to) (*(ushort16_unaligned *)(to) = (value))
#define CONVERT(value, type) __builtin_convertvector(value, type)
#define as_float(value) __builtin_bit_cast(float, value)
#define as_uint(value) __builtin_bit_cast(uint, value)
#define as_float16(value) __builtin_bit_cast(float16, value)
#define as_uint16(value) __builtin_bit_cast(uint16, value)

// The index of the work-item that this thread runs (set by the launcher).
extern thread_local int gpunoisy_global_id[3];
#define get_global_id(dimension) gpunoisy_global_id[dimension]

#define PREFETCH(pointer) __builtin_prefetch(pointer)
#define PREFETCH_FAR(pointer) __builtin_prefetch(pointer, 0, 2)

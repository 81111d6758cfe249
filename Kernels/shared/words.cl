// The small vocabulary that all kernels share.
//
// One source, three ways to run it: OpenCL on GPUs, OpenCL on CPUs, and as C++ inside the program (native.h gives the
// OpenCL words their meaning there). Kernels without barriers and local memory run all three ways; they use explicit
// 16-wide vectors, and one work-item does a large piece of work. Tensors are channels-last: [B, H, W, C].
//
// Weights of a convolution are held packed as [O/16][KH][KW][C][16]: sixteen output channels side by side, so that a
// vector load fetches one weight for each of them. Output channels beyond O are zero.

#ifndef GPUNOISY_NATIVE
#if defined(GPUNOISY_CPU) && defined(__clang__) && !defined(GPUNOISY_SIMULATED)
// As in native.h: left to itself, PoCL's compiler calls the loops of register tiles, and asks in them again and again
// what their callers know. Compiling all kernels takes 1.6 s longer, once a machine (8.7 s). Oclgrind does not know what
// inlining leaves behind.
#define FUNCTION static inline __attribute__((always_inline))
#else
#define FUNCTION static
#endif
#define CONVERT(value, type) convert_##type(value)
#define vload16_ushort(from) vload16(0, from)
#define vstore16_ushort(value, to) vstore16(value, 0, to)
// Asks for a cache line that will be read later, in the nearest cache or the second one. OpenCL's own prefetch() does
// nothing in the CPU drivers that were tried.
#define PREFETCH(pointer)
#define PREFETCH_FAR(pointer)
#ifdef __has_builtin
#if __has_builtin(__builtin_prefetch) && !defined(GPUNOISY_SIMULATED)
#undef PREFETCH
#undef PREFETCH_FAR
#define PREFETCH(pointer) __builtin_prefetch(pointer)
#define PREFETCH_FAR(pointer) __builtin_prefetch(pointer, 0, 2)
#endif
#if __has_builtin(__builtin_convertvector)
// One instruction, where some drivers' convert functions go element by element.
#undef CONVERT
#define CONVERT(value, type) __builtin_convertvector(value, type)
#endif
#endif
#endif

// Stores a vector, on a boundary of vectors, that other threads will read: past the caches, where that can be done. A
// store to a line that another core's cache has must wait until it is gone there; between two level-3 caches of one
// processor that lets a thread write 2 GB/s, and past the caches 25. Whoever starts the next launch takes a lock, or has a
// fence, behind such stores.
#if defined(__x86_64__) && defined(__has_builtin)
#if __has_builtin(__builtin_nontemporal_store)
#define STREAM(value, to) __builtin_nontemporal_store(value, (__global float16 *)(to))
#endif
#endif
#ifndef STREAM
#define STREAM(value, to) vstore16(value, 0, to)
#endif

#if !defined(GPUNOISY_NATIVE) && defined(GPUNOISY_CPU) && defined(__clang__)
// The same as the built-in functions, which PoCL splits into four stores of float4, or sixteen of ushort.
typedef float float16_unaligned __attribute__((ext_vector_type(16), aligned(4)));
typedef ushort ushort16_unaligned __attribute__((ext_vector_type(16), aligned(2)));
#define OVERLOADED static inline __attribute__((overloadable, always_inline))
OVERLOADED float16 load_vector(__global const float *from) { return *(__global const float16_unaligned *)from; }
OVERLOADED float16 load_vector(const float *from) { return *(const float16_unaligned *)from; }
OVERLOADED void store_vector(float16 value, __global float *to) { *(__global float16_unaligned *)to = value; }
OVERLOADED void store_vector(float16 value, float *to) { *(float16_unaligned *)to = value; }
OVERLOADED void store_vector(ushort16 value, __global ushort *to) { *(__global ushort16_unaligned *)to = value; }
OVERLOADED void store_vector(ushort16 value, ushort *to) { *(ushort16_unaligned *)to = value; }
#undef vload16
#undef vstore16
#define vload16(offset, from) load_vector((from) + 16 * (offset))
#define vstore16(value, offset, to) store_vector(value, (to) + 16 * (offset))
#undef vload16_ushort
#undef vstore16_ushort
#define vload16_ushort(from) (*(__global const ushort16_unaligned *)(from))
#define vstore16_ushort(value, to) store_vector(value, to)
#endif

// Rounds a number of channels up to whole vectors.
#define PADDED(channels) (((channels) + LANES - 1) / LANES * LANES)

// Adds a value to a sum whose rounding errors are kept: the sum is *sum - *lost (Kahan, 1965).
FUNCTION void add_compensated(float value, __global float *sum, __global float *lost) {
  const float next = value - *lost, before = *sum, after = before + next;
  *lost = (after - before) - next;
  *sum = after;
}

// Loads the first `count` (1...16) floats at `from`; the other lanes are zero.
FUNCTION float16 load_lanes(__global const float *from, int count) {
  if (count >= LANES) return vload16(0, from);
  float lanes[LANES];
  for (int i = 0; i < LANES; i++) lanes[i] = i < count ? from[i] : 0.0f;
  return vload16(0, lanes);
}

// The first `count` lanes of `value`, and behind them those of `rest`.
FUNCTION float16 first_lanes(float16 value, float16 rest, int count) {
  float lanes[LANES], others[LANES];
  vstore16(value, 0, lanes);
  vstore16(rest, 0, others);
  for (int i = count; i < LANES; i++) lanes[i] = others[i];
  return vload16(0, lanes);
}

// Stores the first `count` (1...16) lanes at `to`.
FUNCTION void store_lanes(float16 value, __global float *to, int count) {
  if (count >= LANES) {
    vstore16(value, 0, to);
    return;
  }
  float lanes[LANES];
  vstore16(value, 0, lanes);
  for (int i = 0; i < count; i++) to[i] = lanes[i];
}

// max(0, value), and at most `limit`. Not fmax and fmin: a NaN must stay one, so that divergence is seen.
FUNCTION float16 rectified16(float16 value, float limit) {
  const float16 zero = (float16)(0.0f), most = (float16)(limit);
  return value < zero ? zero : value > most ? most : value;
}

// The gradient where the output that rectified16 gave is above zero and below the limit, else zero.
FUNCTION float16 rectified_gradient16(float16 gradient, float16 output, float limit) {
  const float16 zero = (float16)(0.0f), most = (float16)(limit);
  return ((output > zero) & (output < most)) ? gradient : zero;
}

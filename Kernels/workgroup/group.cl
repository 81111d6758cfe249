// What the kernels for GPU-type devices share. Their work-groups have a power of two of work-items, 64 to 256, in one
// dimension; global sizes are whole groups, and what lies behind the edges is guarded by the kernels.
//
// Neighbouring work-items take neighbouring groups of four channels (or elements), so that memory is read in whole
// cache lines. Sums within a group are trees in local memory, sums over groups are left as partial results for a second
// kernel: nothing depends on the order in which groups run. No kernel relies on work-items running in step.

#define LOCAL_BARRIER barrier(CLK_LOCAL_MEM_FENCE)

// Whether pixels of C channels begin at multiples of four floats.
#define ALIGNED(C) ((C) % 4 == 0)

// Four floats at `from`, of which `count` (any number) exist; the others are zero.
FUNCTION float4 load_quad(__global const float *from, int count, int aligned) {
  if (aligned && count >= 4) return *(__global const float4 *)from;
  float4 quad = (float4)(0.0f);
  if (count > 0) quad.s0 = from[0];
  if (count > 1) quad.s1 = from[1];
  if (count > 2) quad.s2 = from[2];
  if (count > 3) quad.s3 = from[3];
  return quad;
}

FUNCTION void store_quad(float4 quad, __global float *to, int count, int aligned) {
  if (aligned && count >= 4) {
    *(__global float4 *)to = quad;
    return;
  }
  if (count > 0) to[0] = quad.s0;
  if (count > 1) to[1] = quad.s1;
  if (count > 2) to[2] = quad.s2;
  if (count > 3) to[3] = quad.s3;
}

// Four floats at a multiple of four.
#define QUAD(pointer) (*(__global const float4 *)(pointer))

// The same four, or two, as activations are stored (shared/activation.cl).
#ifdef ACTIVATION_BFLOAT16

#define ACTIVATION_QUAD(pointer) as_float4(CONVERT(*(__global const ushort4 *)(pointer), uint4) << 16)
#define STORE_ACTIVATION_QUAD(value, pointer) (*(__global ushort4 *)(pointer) = bfloat16_quad(value))
#define ACTIVATION_PAIR(pointer) as_float2(CONVERT(*(__global const ushort2 *)(pointer), uint2) << 16)

FUNCTION ushort4 bfloat16_quad(float4 value) {
  const uint4 bits = as_uint4(value), most = (uint4)(0x7fff), nan = (uint4)(0x7fc0);
  const uint4 rounded = (bits + most + (bits >> 16 & (uint4)(1))) >> 16;
  return CONVERT(value != value ? nan : rounded, ushort4);
}

FUNCTION float4 load_activation_quad(__global const activation *from, int count, int aligned) {
  if (aligned && count >= 4) return ACTIVATION_QUAD(from);
  float4 quad = (float4)(0.0f);
  if (count > 0) quad.s0 = load_activation(from);
  if (count > 1) quad.s1 = load_activation(from + 1);
  if (count > 2) quad.s2 = load_activation(from + 2);
  if (count > 3) quad.s3 = load_activation(from + 3);
  return quad;
}

FUNCTION void store_activation_quad(float4 quad, __global activation *to, int count, int aligned) {
  if (aligned && count >= 4) {
    STORE_ACTIVATION_QUAD(quad, to);
    return;
  }
  if (count > 0) store_activation(quad.s0, to);
  if (count > 1) store_activation(quad.s1, to + 1);
  if (count > 2) store_activation(quad.s2, to + 2);
  if (count > 3) store_activation(quad.s3, to + 3);
}

#else

#define ACTIVATION_QUAD(pointer) QUAD(pointer)
#define STORE_ACTIVATION_QUAD(value, pointer) (*(__global float4 *)(pointer) = (value))
#define ACTIVATION_PAIR(pointer) (*(__global const float2 *)(pointer))
#define load_activation_quad load_quad
#define store_activation_quad store_quad

#endif

// The elements of a vector of C channels that belong to four consecutive elements of a tensor, the first of channel c.
FUNCTION float4 channel_quad(__global const float *vector, int c, int C) {
  if (ALIGNED(C)) return QUAD(vector + c);
  return (float4)(vector[c], vector[(c + 1) % C], vector[(c + 2) % C], vector[(c + 3) % C]);
}

// Adds `values`, one for each work-item of the group, up: value i goes into sum i % columns (a power of two). The sums
// are then in values[0 ..< columns] for all work-items. With `arrays` > 1 also in the arrays that follow.
FUNCTION void group_sum(__local float4 *values, int columns, int arrays) {
  const int item = get_local_id(0), size = get_local_size(0);
  LOCAL_BARRIER;
  for (int step = size / 2; step >= columns; step /= 2) {
    if (item < step)
      for (int array = 0; array < arrays; array++) values[array * size + item] += values[array * size + item + step];
    LOCAL_BARRIER;
  }
}

// max(0, value), and at most `limit`. Not fmax and fmin: a NaN must stay one, so that divergence is seen.
FUNCTION float4 rectified4(float4 value, float limit) {
  const float4 zero = (float4)(0.0f), most = (float4)(limit);
  return value < zero ? zero : value > most ? most : value;
}

// The gradient where the output that rectified4 gave is above zero and below the limit, else zero.
FUNCTION float4 rectified_gradient4(float4 gradient, float4 output, float limit) {
  const float4 zero = (float4)(0.0f), most = (float4)(limit);
  return ((output > zero) & (output < most)) ? gradient : zero;
}

// Activations and their gradients, [B, H, W, C], are stored as float, or with ACTIVATION_BFLOAT16 as bfloat16: the
// upper half of a float. All arithmetic is float's; storing rounds to nearest, ties to even.

// Sixteen floats as bfloat16.
FUNCTION ushort16 to_bfloat16(float16 value) {
#ifdef NATIVE_BFLOAT16
  return NATIVE_BFLOAT16(value);
#elif defined(PANEL_DOT)
  ushort16 bits;
  __asm__("vcvtneps2bf16 %1, %0" : "=v"(bits) : "v"(value));
  return bits;
#else
  const uint16 bits = as_uint16(value), one = (uint16)(1), most = (uint16)(0x7fff), nan = (uint16)(0x7fc0);
  const uint16 rounded = (bits + most + (bits >> 16 & one)) >> 16;
  // A NaN must stay one: rounding could carry it over into a number.
  return CONVERT(value != value ? nan : rounded, ushort16);
#endif
}

#ifdef ACTIVATION_BFLOAT16

typedef ushort activation;

FUNCTION float load_activation(__global const activation *from) { return as_float((uint)*from << 16); }

FUNCTION void store_activation(float value, __global activation *to) {
  const uint bits = as_uint(value);
  // A NaN must stay one: rounding could carry it over into a number.
  *to = value != value ? (ushort)0x7fc0 : (ushort)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

FUNCTION float16 load_activation16(__global const activation *from) {
  return as_float16(CONVERT(vload16_ushort(from), uint16) << 16);
}

FUNCTION void store_activation16(float16 value, __global activation *to) {
  vstore16_ushort(to_bfloat16(value), to);
}

FUNCTION float16 load_activations(__global const activation *from, int count) {
  if (count >= LANES) return load_activation16(from);
  float lanes[LANES];
  for (int i = 0; i < LANES; i++) lanes[i] = i < count ? load_activation(from + i) : 0.0f;
  return vload16(0, lanes);
}

FUNCTION void store_activations(float16 value, __global activation *to, int count) {
  if (count >= LANES) {
    store_activation16(value, to);
    return;
  }
  float lanes[LANES];
  vstore16(value, 0, lanes);
  for (int i = 0; i < count; i++) store_activation(lanes[i], to + i);
}

#else

typedef float activation;
#define load_activation(from) (*(from))
#define store_activation(value, to) (*(to) = (value))
#define load_activation16(from) vload16(0, from)
#define store_activation16(value, to) vstore16(value, 0, to)
#define load_activations load_lanes
#define store_activations store_lanes

#endif

// What Winograd's kernels and panels multiply, for CPU-type devices: words of 32 bits, each a float, or with
// PANEL_BFLOAT16 two numbers rounded to bfloat16, whose products with those of another word are added to one float. The
// two are of neighbouring channels where the sum goes over channels, and of neighbouring rows (tiles, pixels) where it
// goes over rows.
#ifdef PANEL_BFLOAT16
#define FACTOR_PAIR 2
#else
#define FACTOR_PAIR 1
#endif
// Words of a row of C channels: whole vectors. Channels beyond C are zero.
#define FACTOR_WORDS(C) PADDED(((C) + FACTOR_PAIR - 1) / FACTOR_PAIR)

// sum + a b, of all numbers of each word.
FUNCTION float16 factor_multiply_add(float16 a, float16 b, float16 sum) {
#ifndef PANEL_BFLOAT16
  return fma(a, b, sum);
#elif defined(NATIVE_DOT)
  return NATIVE_DOT(a, b, sum);
#elif defined(PANEL_DOT)
  // The compiler's own function is for kernels that are compiled for such processors, which PoCL does not do.
  __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  return sum;
#else
  const uint16 upper = (uint16)(0xffff0000u);
  sum = fma(as_float16(as_uint16(a) & upper), as_float16(as_uint16(b) & upper), sum);
  return fma(as_float16(as_uint16(a) << 16), as_float16(as_uint16(b) << 16), sum);
#endif
}

// Sixteen channels from c on of a row, in words [C / 16 / FACTOR_PAIR][rows][16].
FUNCTION void factor_store_channels(float16 value, float *words, int c, int row, int rows) {
#ifdef PANEL_BFLOAT16
  vstore16_ushort(
      to_bfloat16(value), (ushort *)(words + (c / (2 * LANES) * rows + row) * LANES + c % (2 * LANES) / 2));
#else
  vstore16(value, 0, words + c * rows + row * LANES);
#endif
}

#ifdef PANEL_BFLOAT16
// The words of a row that comes first of two, and those of the second, which fills what the first has cleared.
FUNCTION float16 factor_lower(float16 value) { return as_float16(CONVERT(to_bfloat16(value), uint16)); }
FUNCTION float16 factor_upper(float16 value, float16 lower) {
  return as_float16(as_uint16(factor_lower(value)) << 16 | as_uint16(lower));
}
#endif

// Sixteen channels of a row, in words [rows / FACTOR_PAIR][16] that it may share with its neighbour.
FUNCTION void factor_store_row(float16 value, float *words, int row) {
#ifdef PANEL_BFLOAT16
  float *to = words + row / 2 * LANES;
  if (row % 2)
    vstore16(factor_upper(value, vload16(0, to)), 0, to);
  else
    vstore16(factor_lower(value), 0, to);
#else
  vstore16(value, row, words);
#endif
}

// The same, of which the first of two rows is held until its neighbour follows; a last one without a neighbour is the
// caller's to store. streams: other threads will read them (see STREAM).
FUNCTION void factor_store_held(float16 value, __global float *to, int row, int streams, float16 *held) {
#ifdef PANEL_BFLOAT16
  if (row % 2 == 0) {
    *held = factor_lower(value);
    return;
  }
  value = factor_upper(value, *held);
#endif
  if (streams)
    STREAM(value, to);
  else
    vstore16(value, 0, to);
}

// Sixteen rows of sixteen words become columns. Oclgrind takes numbers for uninitialised that were shuffled by the
// compiler's own function.
FUNCTION void transpose16(float16 *rows) {
#ifdef GPUNOISY_NATIVE
  // Four times over, row i and row i + 8 are interleaved: of the place (row, column), as one number of eight bits, each
  // turn moves the first to the end.
  for (int turn = 0; turn < 4; turn++) {
    float16 turned[LANES];
#pragma unroll
    for (int i = 0; i < LANES / 2; i++) {
      const float16 a = rows[i], b = rows[i + LANES / 2];
      turned[2 * i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      turned[2 * i + 1] = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
#pragma unroll
    for (int i = 0; i < LANES; i++) rows[i] = turned[i];
  }
#else
  float numbers[LANES * LANES], column[LANES];
  for (int i = 0; i < LANES; i++) vstore16(rows[i], i, numbers);
  for (int i = 0; i < LANES; i++) {
    for (int j = 0; j < LANES; j++) column[j] = numbers[j * LANES + i];
    rows[i] = vload16(0, column);
  }
#endif
}

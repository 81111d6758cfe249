// NVIDIA's matrix units, which multiply fragments: 16 x K times K x 16 numbers that lie spread over the registers of 32
// work-items (a warp). A register holds one word: one number of K rounded to TF32 (10 bits of mantissa), or, with
// MATRIX_BFLOAT16, two neighbouring ones rounded to bfloat16 (7 bits). All is counted in words, eight of which are one
// step along K, so that kernels are the same for both.
//
// With MATRIX_PTX the functions are instructions of the hardware (mma.sync, ldmatrix; sm_80 and newer) as inline
// assembly, which only NVIDIA's compiler takes. Without, they compute the same on any device, with the same roundings of
// what is multiplied and the same numbers in the same work-items: fragments are exchanged through local memory between
// barriers. That is how kernels are tested where there is no such GPU; it is slow.
//
// All work-items of a group must call the functions together. Local memory is addressed by the low 32 bits of a pointer,
// and every instruction that reads it clobbers memory: compilers do not know what assembly reads.
//
// Where things lie in the 32 work-items ("lanes"), with row = lane / 4 and column = lane % 4:
// * A, 16 rows: s0 is word `column` of row `row`, s1 of row + 8; s2 and s3 are word `column + 4` of these.
// * B, 16 columns, interleaved: s0 is word `column` of column 2 * row, s1 of column 2 * row + 1; s2 and s3 are word
//   `column + 4` of these.
// * The product: four neighbouring columns, from 4 * column, of row `row` and of row + 8. The hardware has columns
//   2 * column and the next of two products of 8 columns each; taking B's columns alternately joins them to four.

#define WARP 32
#define FRAGMENT_ROW (get_local_id(0) % WARP / 4)
#define FRAGMENT_COLUMN (get_local_id(0) % 4)

// Numbers of K in a word, and in a step.
#ifdef MATRIX_BFLOAT16
#define WORD_NUMBERS 2
#else
#define WORD_NUMBERS 1
#endif
#define STEP_WORDS 8
#define STEP_NUMBERS (STEP_WORDS * WORD_NUMBERS)

// Words between pixels of `channels` channels in local memory such that 8 neighbouring pixels' fours of words lie in
// different banks; and such that the words `column` and `row`, `row` + 1 of 4 neighbouring pixels do.
#define ROW_PITCH(channels) ((channels) / WORD_NUMBERS + 4)
#ifdef MATRIX_BFLOAT16
#define COLUMN_PITCH(channels) ROW_PITCH(channels)
#else
#define COLUMN_PITCH(channels) ((channels) + 8)
#endif

#ifdef MATRIX_PTX
// Fragments stay in registers.
#define FRAGMENT_EXCHANGE(name, items) __local uint4 *const name = 0
#define FRAGMENT_UNROLL _Pragma("unroll")
#define ALWAYS_INLINE __attribute__((always_inline))
#else
#define FRAGMENT_EXCHANGE(name, items) __local uint4 name[2 * (items)]
// The products are loops with barriers here; written out they are too much for compilers.
#define FRAGMENT_UNROLL
#define ALWAYS_INLINE
#endif

// A number rounded to TF32: to nearest, ties away from zero.
FUNCTION uint tf32_word(float number) {
#ifdef MATRIX_PTX
  uint word;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(word) : "f"(number));
  return word;
#else
  const uint bits = as_uint(number);
  return (bits & 0x7fffffff) > 0x7f800000 ? 0x7fffffff : (bits + 0x1000) & 0xffffe000;
#endif
}

#ifndef MATRIX_PTX
FUNCTION uint bfloat16_bits(float number) {
  const uint bits = as_uint(number);
  return (bits & 0x7fffffff) > 0x7f800000 ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
#endif

// Two numbers rounded to bfloat16, to nearest, ties to even; the first in the low half.
FUNCTION uint bfloat16_word(float first, float second) {
#ifdef MATRIX_PTX
  uint word;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(second), "f"(first));
  return word;
#else
  return bfloat16_bits(first) | bfloat16_bits(second) << 16;
#endif
}

// Writes four neighbouring numbers of K as words at `to`, a multiple of their size.
FUNCTION void store_words(float4 quad, __local uint *to) {
#ifdef MATRIX_BFLOAT16
  *(__local uint2 *)to = (uint2)(bfloat16_word(quad.s0, quad.s1), bfloat16_word(quad.s2, quad.s3));
#else
  *(__local uint4 *)to = (uint4)(tf32_word(quad.s0), tf32_word(quad.s1), tf32_word(quad.s2), tf32_word(quad.s3));
#endif
}

#ifndef MATRIX_PTX
// Four words at the addresses that lanes 8 * i + `row` gave, i = 0 ..< 4: word `column` from there.
FUNCTION uint4 exchange_rows(__local const uint *from, __local const uint *base, __local uint4 *exchange) {
  __local int *offsets = (__local int *)exchange;
  const int item = get_local_id(0), warp = item / WARP * WARP;
  offsets[item] = (int)(from - base);
  LOCAL_BARRIER;
  __local const int *first = offsets + warp + FRAGMENT_ROW;
  const uint4 words = (uint4)(base[first[0] + FRAGMENT_COLUMN], base[first[8] + FRAGMENT_COLUMN],
                              base[first[16] + FRAGMENT_COLUMN], base[first[24] + FRAGMENT_COLUMN]);
  LOCAL_BARRIER;
  return words;
}
#endif

// A from rows of words in local memory: each lane gives the address, a multiple of 16 bytes, of four words of row
// lane % 16: the first four of the step in lanes below 16, the others in those above. `base` is any address before all.
FUNCTION uint4 load_rows(__local const uint *from, __local const uint *base, __local uint4 *exchange) {
#ifdef MATRIX_PTX
  uint4 words;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(words.s0), "=r"(words.s1), "=r"(words.s2), "=r"(words.s3)
               : "r"((uint)(ulong)from)
               : "memory");
  return words;
#else
  return exchange_rows(from, base, exchange);
#endif
}

// Runs of 8 pixels that are one step along K, and the column of a transposed tile that is row `row`, or row + 8, of A.
#ifdef MATRIX_BFLOAT16
#define STEP_RUNS 2
#define COLUMN_OF_ROW(row, half) ((row) + 8 * (half))
#else
#define STEP_RUNS 1
#define COLUMN_OF_ROW(row, half) (2 * (row) + (half))
#endif

// A transposed: its rows are 16 neighbouring columns (channels) of the tile at `tile`, its columns are pixels, `pitch`
// words apart: 8 from `first` and, if there are two runs in a step, 8 from `second` (in words from `tile`).
FUNCTION uint4 load_columns(__local const uint *tile, int first, int second, int pitch, __local uint4 *exchange) {
#ifdef MATRIX_BFLOAT16
  const int lane = get_local_id(0) % WARP;
  __local const uint *from = tile + (lane < 16 ? first : second) + lane % 8 * pitch + lane / 8 % 2 * 4;
#ifdef MATRIX_PTX
  uint4 words;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(words.s0), "=r"(words.s1), "=r"(words.s2), "=r"(words.s3)
               : "r"((uint)(ulong)from)
               : "memory");
  return words;
#else
  // Transposed eights of halves of words: the two pixels 2 * column and the next, of channel `row`.
  __local int *offsets = (__local int *)exchange;
  const int item = get_local_id(0), warp = item / WARP * WARP;
  offsets[item] = (int)(from - tile);
  LOCAL_BARRIER;
  uint words[4];
  for (int i = 0; i < 4; i++) {
    __local const int *pixel = offsets + warp + 8 * i + 2 * FRAGMENT_COLUMN;
    const uint low = tile[pixel[0] + FRAGMENT_ROW / 2], high = tile[pixel[1] + FRAGMENT_ROW / 2];
    const int shift = FRAGMENT_ROW % 2 * 16;
    words[i] = (low >> shift & 0xffff) | (high >> shift) << 16;
  }
  LOCAL_BARRIER;
  return (uint4)(words[0], words[1], words[2], words[3]);
#endif
#else
  __local const uint *from = tile + first + FRAGMENT_COLUMN * pitch + 2 * FRAGMENT_ROW;
  const uint2 near = *(__local const uint2 *)from, far = *(__local const uint2 *)(from + 4 * pitch);
  return (uint4)(near.s0, near.s1, far.s0, far.s1);
#endif
}

#ifndef MATRIX_PTX
// The sum of the products of the numbers in two words. The hardware does not look at the bits behind TF32's.
FUNCTION float word_product(uint a, uint b) {
#ifdef MATRIX_BFLOAT16
  return as_float(a << 16) * as_float(b << 16) + as_float(a & 0xffff0000) * as_float(b & 0xffff0000);
#else
  return as_float(a & 0xffffe000) * as_float(b & 0xffffe000);
#endif
}
#endif

#ifdef MATRIX_PTX
#ifdef MATRIX_BFLOAT16
#define MATRIX_INSTRUCTION "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
#else
#define MATRIX_INSTRUCTION "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
#endif
#endif

// sums[0] += A B for row `row`, sums[1] for row + 8: four columns each.
FUNCTION void multiply_fragments(float4 *sums, uint4 a, uint4 b, __local uint4 *exchange) {
#ifdef MATRIX_PTX
  float c0 = sums[0].s0, c1 = sums[0].s1, c2 = sums[0].s2, c3 = sums[0].s3;
  float c4 = sums[1].s0, c5 = sums[1].s1, c6 = sums[1].s2, c7 = sums[1].s3;
  asm volatile(MATRIX_INSTRUCTION "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(c0), "+f"(c2), "+f"(c4), "+f"(c6)
               : "r"(a.s0), "r"(a.s1), "r"(a.s2), "r"(a.s3), "r"(b.s0), "r"(b.s2));
  asm volatile(MATRIX_INSTRUCTION "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(c1), "+f"(c3), "+f"(c5), "+f"(c7)
               : "r"(a.s0), "r"(a.s1), "r"(a.s2), "r"(a.s3), "r"(b.s1), "r"(b.s3));
  sums[0] = (float4)(c0, c1, c2, c3);
  sums[1] = (float4)(c4, c5, c6, c7);
#else
  const int item = get_local_id(0), size = get_local_size(0), warp = item / WARP * WARP;
  const int row = FRAGMENT_ROW, column = FRAGMENT_COLUMN;
  exchange[item] = a;
  exchange[size + item] = b;
  LOCAL_BARRIER;
  __local const uint *left = (__local const uint *)(exchange + warp + 4 * row);
  __local const uint *right = (__local const uint *)(exchange + size + warp);
  float near[4], far[4];
  for (int i = 0; i < 4; i++) {
    // Column 4 * column + i of B is in the four lanes whose row is half of it.
    __local const uint *words = right + 4 * (8 * column + i / 2 * 4) + i % 2;
    near[i] = far[i] = 0.0f;
    for (int k = 0; k < STEP_WORDS; k++) {
      const uint word = words[4 * (k % 4) + k / 4 * 2];
      near[i] += word_product(left[4 * (k % 4) + k / 4 * 2], word);
      far[i] += word_product(left[4 * (k % 4) + k / 4 * 2 + 1], word);
    }
  }
  sums[0] += (float4)(near[0], near[1], near[2], near[3]);
  sums[1] += (float4)(far[0], far[1], far[2], far[3]);
  LOCAL_BARRIER;
#endif
}

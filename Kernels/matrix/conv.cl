// Convolutions with 3x3 filters, stride 1 and padding 1 on matrix units (fragment.cl), forward and backward-data, with
// the batch norms beside them (workgroup/fusion.cl). Tensors are [B, H, W, C] and [B, H, W, O]; C and O are multiples
// of 16; B, H and W any numbers.
//
// An output pixel's row is a row of A, of the input pixels under the filter; the filters are B. A group is 4 warps and
// computes a tile of pixels of one image: it stages the input with a border of one pixel in local memory, as many
// channels at a time as the kernel's name says. A warp has 4 rows of 16 pixels and 16 output channels: it reads 6 rows of
// input, of which each serves up to three rows of the filter. Where images are 8 pixels wide, the 16 pixels are 8 of one
// row and 8 of the fourth below.
//
// Filters come as fragments: conv_mma_pack orders them as [O/16][C/step][3 kw][3 kh][32 lanes], so that a warp reads
// 512 bytes at once, and what it reads lies in a row.

#define CONV_MMA_WARPS (MATRIX_ITEMS / WARP)

// Warps that share a block of 16 output channels, and blocks of a group.
#define CONV_MMA_PLACES(rows, columns) ((rows) * (columns) / 64)
#define CONV_MMA_BLOCKS(rows, columns) (CONV_MMA_WARPS / CONV_MMA_PLACES(rows, columns))

// Local memory in fours of words: the staged tile, later the sums over its pixels.
#define CONV_MMA_MEMORY(channels, rows, columns) (((rows) + 2) * ((columns) + 2) * ROW_PITCH(channels) / 4)

// Orders the filters at weights + weights_at for a convolution from C to O channels. `transposed`: the filters are those
// of the forward convolution from O to C channels, of which this is backward-data; taps and channels change places.
// Launch: (9 * C / step * O / 16 * 32 lanes, rounded up).
__kernel void conv_mma_pack(
    __global const float *restrict weights, __global uint4 *restrict fragments, int weights_at, int fragments_at, int C,
    int O, int transposed) {
  const int i = get_global_id(0), steps = C / STEP_NUMBERS;
  if (i >= 9 * steps * O / LANES * WARP) return;
  const int lane = i % WARP, kh = i / WARP % 3, kw = i / WARP / 3 % 3, step = i / WARP / 9 % steps;
  const int block = i / WARP / 9 / steps, tap = kh * 3 + kw;
  weights += weights_at;
  float numbers[4 * WORD_NUMBERS];
#pragma unroll
  for (int j = 0; j < 4 * WORD_NUMBERS; j++) {
    // Word by word: of two neighbouring columns, then of the same four words further.
    const int word = j / WORD_NUMBERS, o = block * LANES + lane / 4 * 2 + word % 2;
    const int c = step * STEP_NUMBERS + (lane % 4 + word / 2 * 4) * WORD_NUMBERS + j % WORD_NUMBERS;
    numbers[j] = transposed ? conv_rotated_weight(weights, c, o, tap, C, O, 9)
                            : weights[((block * 9 + tap) * C + c) * LANES + o % LANES];
  }
#ifdef MATRIX_BFLOAT16
  fragments[fragments_at + i] = (uint4)(bfloat16_word(numbers[0], numbers[1]), bfloat16_word(numbers[2], numbers[3]),
                                        bfloat16_word(numbers[4], numbers[5]), bfloat16_word(numbers[6], numbers[7]));
#else
  fragments[fragments_at + i] =
      (uint4)(tf32_word(numbers[0]), tf32_word(numbers[1]), tf32_word(numbers[2]), tf32_word(numbers[3]));
#endif
}

// Where a group's tile and a warp's and a lane's part of it lie.
typedef struct {
  int tile, image, first_h, first_w;  // the tile, its image, and its first pixel
  int place, block, y, x;             // the warp's place, its block of the group's, its first pixel in the tile
  int half_h, half_w;                 // from the first 8 of 16 pixels to the second 8
} ConvPlace;

FUNCTION ALWAYS_INLINE ConvPlace conv_place(int tile, int rows, int columns, int H, int W) {
  const int across = (W + columns - 1) / columns, down = (H + rows - 1) / rows, warp = get_local_id(0) / WARP;
  ConvPlace at;
  at.tile = tile;
  at.image = tile / (across * down);
  at.first_h = tile / across % down * rows;
  at.first_w = tile % across * columns;
  at.place = warp / CONV_MMA_BLOCKS(rows, columns);
  at.block = warp % CONV_MMA_BLOCKS(rows, columns);
  at.y = columns < 16 ? 0 : at.place / (columns / 16) * 4;
  at.x = columns < 16 ? 0 : at.place % (columns / 16) * 16;
  at.half_h = columns < 16 ? 4 : 0;
  at.half_w = columns < 16 ? 0 : 8;
  return at;
}

// Adds the products of the staged channels to sums[4 rows][2 halves]. `fragments`: this lane's, of the first step.
// `next` holds those of the first products and then those of the next call's; `last` is behind this lane's last.
FUNCTION ALWAYS_INLINE void conv_mma_multiply(
    float4 *sums, uint4 *next, __global const uint4 **fragments, __global const uint4 *last, ConvPlace at,
    __local const uint *tile, int channels, int columns, __local uint4 *exchange) {
  const int lane = get_local_id(0) % WARP, side = lane / 8 % 2, pitch = ROW_PITCH(channels);
  __local const uint *from =
      tile + ((at.y + side * at.half_h) * (columns + 2) + at.x + side * at.half_w + lane % 8) * pitch + lane / 16 * 4;
  for (int step = 0; step < channels / STEP_NUMBERS; step++) {
    FRAGMENT_UNROLL
    for (int kw = 0; kw < 3; kw++) {
      uint4 filter[3];
#pragma unroll
      for (int kh = 0; kh < 3; kh++) filter[kh] = next[kh];
      // The next fragments are under way while these are used.
      *fragments = *fragments + 3 * WARP < last ? *fragments + 3 * WARP : *fragments;
#pragma unroll
      for (int kh = 0; kh < 3; kh++) next[kh] = (*fragments)[kh * WARP];
      FRAGMENT_UNROLL
      for (int r = 0; r < 6; r++) {
        const uint4 pixels = load_rows(from + (r * (columns + 2) + kw) * pitch + step * STEP_WORDS, tile, exchange);
        FRAGMENT_UNROLL
        for (int kh = 0; kh < 3; kh++)
          if (r >= kh && r - kh < 4) multiply_fragments(sums + 2 * (r - kh), pixels, filter[kh], exchange);
      }
    }
  }
}

#define CONV_MMA_FORWARD_ARGUMENTS                                                                               \
  __global const activation *restrict input, __global const activation *restrict residual,                       \
      __global const float *restrict mean, __global const float *restrict inverse,                               \
      __global const float *restrict parameters, __global activation *restrict stored,                           \
      __global activation *restrict output, __global float *restrict partials, int gamma_at, int beta_at, int H, \
      int W, int C, int O, int has_residual, int rectify, int has_stored, int has_partials,                           \
      __global const uint4 *restrict fragments, int fragments_at, int normalized
#define CONV_MMA_FORWARD_NAMES                                                                                       \
  input, residual, mean, inverse, parameters, stored, output, partials, gamma_at, beta_at, H, W, C, O, has_residual, \
      rectify, has_stored, has_partials, fragments, fragments_at, normalized

// The pixel of this lane's sums[i] in the tensor; -1 if it is outside of the image.
FUNCTION ALWAYS_INLINE int conv_mma_pixel(ConvPlace at, int i, int H, int W) {
  const int h = at.first_h + at.y + i / 2 + i % 2 * at.half_h;
  const int w = at.first_w + at.x + i % 2 * at.half_w + FRAGMENT_ROW;
  return h < H && w < W ? (at.image * H + h) * W + w : -1;
}

// Pixels of a tile that a work-item reads before it looks at the first; the backward pass reads two tensors of each.
#define CONV_MMA_FORWARD_BATCH 4
#define CONV_MMA_BACKWARD_BATCH 2

// The n-th pixel of a batch of the staged tile (with its border): its position `i` in the tile, its index `pixel` in the
// tensor, -1 outside of the image, and whether it is the group's own, not its border.
#define CONV_MMA_STAGED_PIXEL(n)                                                    \
  const int i = first + (n) * stride, y = i / (columns + 2), x = i % (columns + 2); \
  const int h = at.first_h + y - 1, w = at.first_w + x - 1,                         \
            inside = y < rows + 2 && h >= 0 && h < H && w >= 0 && w < W;            \
  const int pixel = inside ? (at.image * H + h) * W + w : -1;                       \
  const int own = inside && y > 0 && y <= rows && x > 0 && x <= columns;

FUNCTION ALWAYS_INLINE void conv_mma_forward(
    int channels, int rows, int columns, __local float4 *memory, __local float4 *origins, __local uint4 *exchange,
    CONV_MMA_FORWARD_ARGUMENTS) {
  const int item = get_local_id(0), quads = channels / 4, stride = MATRIX_ITEMS / quads, pitch = ROW_PITCH(channels);
  const int blocks = CONV_MMA_BLOCKS(rows, columns), staged = (rows + 2) * (columns + 2);
  const ConvPlace at = conv_place(get_group_id(0), rows, columns, H, W);
  const int first_block = get_group_id(1) * blocks, per_block = 9 * C / STEP_NUMBERS * WARP;
  __local uint *tile = (__local uint *)memory;
  __global const uint4 *filters = fragments + fragments_at + (first_block + at.block) * per_block + item % WARP;
  __global const uint4 *last = filters + per_block;
  float4 sums[8];
#pragma unroll
  for (int i = 0; i < 8; i++) sums[i] = (float4)(0.0f);
  uint4 next[3];
  for (int c0 = 0; c0 < C; c0 += channels) {
    const int c = c0 + item % quads * 4;
    Normalization layer;
    if (normalized) layer = load_normalization(mean, inverse, parameters, gamma_at, beta_at, c);
    if (c0 > 0) LOCAL_BARRIER;
    for (int first = item / quads; first < staged; first += CONV_MMA_FORWARD_BATCH * stride) {
      float4 values[CONV_MMA_FORWARD_BATCH], others[CONV_MMA_FORWARD_BATCH];
#pragma unroll
      for (int n = 0; n < CONV_MMA_FORWARD_BATCH; n++) {
        CONV_MMA_STAGED_PIXEL(n)
        values[n] = ACTIVATION_QUAD(input + max(pixel, 0) * C + c);
        others[n] = has_residual ? ACTIVATION_QUAD(residual + max(pixel, 0) * C + c) : (float4)(0.0f);
      }
#pragma unroll
      for (int n = 0; n < CONV_MMA_FORWARD_BATCH; n++) {
        CONV_MMA_STAGED_PIXEL(n)
        float4 value = values[n];
        if (normalized) value = fma(value, layer.scale, layer.shift);
        value += others[n];
        if (rectify) value = rectified(value);
        if (!inside) value = (float4)(0.0f);
        if (has_stored && own && get_group_id(1) == 0) STORE_ACTIVATION_QUAD(value, stored + pixel * C + c);
        if (i < staged) store_words(value, tile + i * pitch + item % quads * 4 / WORD_NUMBERS);
      }
    }
    if (c0 == 0)
#pragma unroll
      for (int kh = 0; kh < 3; kh++) next[kh] = filters[kh * WARP];
    LOCAL_BARRIER;
    conv_mma_multiply(sums, next, &filters, last, at, tile, channels, columns, exchange);
  }

  const int o = (first_block + at.block) * LANES + 4 * FRAGMENT_COLUMN, quad = at.block * 4 + FRAGMENT_COLUMN;
#pragma unroll
  for (int i = 0; i < 8; i++) {
    const int pixel = conv_mma_pixel(at, i, H, W);
    if (pixel >= 0) STORE_ACTIVATION_QUAD(sums[i], output + pixel * O + o);
  }
  if (!has_partials) return;
  LOCAL_BARRIER;
  if (at.place == 0 && FRAGMENT_ROW == 0) origins[quad] = sums[0];
  LOCAL_BARRIER;
  const float4 origin = origins[quad];
  float4 sum = (float4)(0.0f), squares = (float4)(0.0f);
#pragma unroll
  for (int i = 0; i < 8; i++)
    if (conv_mma_pixel(at, i, H, W) >= 0) {
      const float4 difference = sums[i] - origin;
      sum += difference;
      squares = fma(difference, difference, squares);
    }
  conv_tile_statistics(
      sum, squares, memory, (at.place * 8 + FRAGMENT_ROW) * 4 * blocks + quad, 4 * blocks, 4 * blocks,
      min(rows, H - at.first_h) * min(columns, W - at.first_w), origins,
      partials + at.tile * 2 * O + first_block * LANES, O);
}

// output = stored * filters, where stored = gamma * (input - mean) * inverse + beta [+ residual] [max 0] if there
// is a batch norm (normalized), else [input + residual] [max 0]; it is written where that is wanted (has_stored).
// partials: per tile [2][O], mean and sum of squared deviations of the output, or null.
//
// channels: C and O are multiples of it. Tiles of 8 x 32, 8 x 16 and 8 x 8 pixels; 1, 2 and 4 blocks of 16 output
// channels. Launch: (tiles of one image * B groups, O / 16 / blocks groups).
__kernel __attribute__((reqd_work_group_size(MATRIX_ITEMS, 1, 1))) void conv_mma_forward_16(
    CONV_MMA_FORWARD_ARGUMENTS) {
  __local float4 memory[CONV_MMA_MEMORY(16, MATRIX_ROWS, 32)], origins[4];
  FRAGMENT_EXCHANGE(exchange, MATRIX_ITEMS);
  conv_mma_forward(16, MATRIX_ROWS, 32, memory, origins, exchange, CONV_MMA_FORWARD_NAMES);
}

__kernel __attribute__((reqd_work_group_size(MATRIX_ITEMS, 1, 1))) void conv_mma_forward_32(
    CONV_MMA_FORWARD_ARGUMENTS) {
  __local float4 memory[CONV_MMA_MEMORY(32, MATRIX_ROWS, 16)], origins[8];
  FRAGMENT_EXCHANGE(exchange, MATRIX_ITEMS);
  conv_mma_forward(32, MATRIX_ROWS, 16, memory, origins, exchange, CONV_MMA_FORWARD_NAMES);
}

__kernel __attribute__((reqd_work_group_size(MATRIX_ITEMS, 1, 1))) void conv_mma_forward_64(
    CONV_MMA_FORWARD_ARGUMENTS) {
  __local float4 memory[CONV_MMA_MEMORY(64, MATRIX_ROWS, 8)], origins[16];
  FRAGMENT_EXCHANGE(exchange, MATRIX_ITEMS);
  conv_mma_forward(64, MATRIX_ROWS, 8, memory, origins, exchange, CONV_MMA_FORWARD_NAMES);
}

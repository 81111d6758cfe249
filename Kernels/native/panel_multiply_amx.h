// The functions of panel_multiply.cl by AMX: matrices of up to 16 rows of 16 words, each a pair of bfloat16, in eight
// registers of the processor, "tiles". One instruction adds the product of two such matrices to floats: it adds up the
// lower numbers of 16 pairs, apart from them the upper ones, and then both to the float. Panels and weights lie as it
// wants them; only for gradients of weights panels must be transposed.
//
// EMULATED_TILES computes the same without AMX, so that everything can be tested but the instructions, the shapes of
// tiles and their release.

// Sums: tile 2 i + j for the panel's i-th rows and block j. Factors: tiles 4 and 5, of rows; 6 and 7, of weights.
#define FIRST_WEIGHTS 6
#ifdef EMULATED_TILES
#define TILE_ZERO(tile) emulated_tiles.zero(tile)
#define TILE_LOAD(tile, from) emulated_tiles.load(tile, from, tile < FIRST_WEIGHTS ? tile_rows : LANES)
#define TILE_STORE(tile, to) emulated_tiles.store(tile, to)
#define TILE_MULTIPLY_ADD(sums, rows, columns) emulated_tiles.multiply_add(sums, rows, columns)
#else
#define TILE_ZERO(tile) __builtin_ia32_tilezero(tile)
#define TILE_LOAD(tile, from) __builtin_ia32_tileloadd64(tile, from, LANES * sizeof(float))
#define TILE_STORE(tile, to) __builtin_ia32_tilestored64(tile, to, LANES * sizeof(float))
#define TILE_MULTIPLY_ADD(sums, rows, columns) __builtin_ia32_tdpbf16ps(sums, rows, columns)
#endif

// Gives all tiles but those of weights so many rows.
FUNCTION void use_tiles(int rows) {
  if (tile_rows == rows) return;
  tile_rows = rows;
#ifndef EMULATED_TILES
  TileShapes shapes;
  for (int tile = 0; tile < 8; tile++) {
    shapes.row_bytes[tile] = LANES * sizeof(float);
    shapes.rows[tile] = tile < FIRST_WEIGHTS ? rows : LANES;
  }
  __builtin_ia32_tile_loadconfig(&shapes);
#endif
}

// A kernel that leaves no tiles in use: the system would have to save them whenever it switches threads.
template <auto kernel> void call_with_tiles(void *const *values) {
  Caller<kernel>::call(values);
#ifndef EMULATED_TILES
  if (tile_rows > 0) __builtin_ia32_tilerelease();
#endif
  tile_rows = 0;
}

// Rows of a tile of panels: half the rows of the smallest group.
#define AMX_ROWS (WIDE_GROUP_4X4 / 2)
static_assert(AMX_ROWS <= LANES && WIDE_GROUP_4X4 % 2 == 0 && WIDE_GROUP % WIDE_GROUP_4X4 == 0);

// The sums of 2 AMX_ROWS rows and `blocks` blocks of outputs.
template <int blocks>
FUNCTION void amx_multiply(
    const float *rows, const float *weights, float *products, int K, int T, int next, int apart) {
  TILE_ZERO(0);
  TILE_ZERO(1);
  TILE_ZERO(2);
  TILE_ZERO(3);
  for (int k = 0; k < K; k += LANES, rows += LANES * T, weights += LANES * LANES) {
    TILE_LOAD(6, weights);
    if constexpr (blocks > 1) TILE_LOAD(7, weights + next);
    TILE_LOAD(4, rows);
    TILE_LOAD(5, rows + AMX_ROWS * LANES);
    TILE_MULTIPLY_ADD(0, 4, 6);
    TILE_MULTIPLY_ADD(2, 5, 6);
    if constexpr (blocks > 1) {
      TILE_MULTIPLY_ADD(1, 4, 7);
      TILE_MULTIPLY_ADD(3, 5, 7);
    }
  }
  TILE_STORE(0, products);
  TILE_STORE(2, products + AMX_ROWS * LANES);
  if constexpr (blocks > 1) {
    TILE_STORE(1, products + apart);
    TILE_STORE(3, products + apart + AMX_ROWS * LANES);
  }
}

FUNCTION void panel_multiply(
    const float *panel, const float *weights, float *products, int K, int T, int count, int next, int apart,
    int blocks) {
  use_tiles(AMX_ROWS);
  // T is a multiple of two tiles' rows.
  for (int n = 0; n < count; n += 2 * AMX_ROWS)
    if (blocks > 1)
      amx_multiply<2>(panel + n * LANES, weights, products + n * LANES, K, T, next, apart);
    else
      amx_multiply<1>(panel + n * LANES, weights, products + n * LANES, K, T, next, apart);
}

// Sixteen words of sixteen lanes, of which `count` are there and the others zero.
FUNCTION void amx_fill(float16 *words, const float *from, int count) {
  for (int i = 0; i < LANES; i++) words[i] = i < count ? vload16(i, from) : (float16)(0.0f);
}

FUNCTION void panel_accumulate_block(
    const float *panel, const float *gradients, float *sums, int T, int count, int next, int channels, int accumulate,
    int blocks) {
  float16 words[LANES];
  use_tiles(channels);
  TILE_ZERO(0);
  TILE_ZERO(1);
  if (accumulate) {
    TILE_LOAD(0, sums);
    if (blocks > 1) TILE_LOAD(1, sums + next);
  }
  for (int n = 0; n < count; n += LANES) {
    // Here sums go over what lies down the panel: channels must become the rows.
    amx_fill(words, panel + n * LANES, count - n);
    transpose16(words);
    TILE_LOAD(4, (const float *)words);
    for (int j = 0; j < blocks; j++) {
      const float *columns = gradients + (j * T + n) * LANES;
      // Words behind the last are any numbers, whose product with zero need not be zero.
      if (count - n < LANES) {
        amx_fill(words, columns, count - n);
        columns = (const float *)words;
      }
      TILE_LOAD(6, columns);
      if (j == 0)
        TILE_MULTIPLY_ADD(0, 4, 6);
      else
        TILE_MULTIPLY_ADD(1, 4, 6);
    }
  }
  TILE_STORE(0, sums);
  if (blocks > 1) TILE_STORE(1, sums + next);
}

#undef TILE_ZERO
#undef TILE_LOAD
#undef TILE_STORE
#undef TILE_MULTIPLY_ADD
#undef FIRST_WEIGHTS
#undef AMX_ROWS

// AMX's registers for matrices, "tiles", which a thread must give their shapes before it uses them; see
// panel_multiply_amx.h.
#pragma once

namespace {
// Rows of this thread's tiles, but for those that hold weights; 0 where its tiles are not in use.
thread_local int tile_rows = 0;

// What the instruction LDTILECFG reads: bytes of a row and rows, of eight tiles.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileShapes) == 64);

// The same registers, and the instructions by plain arithmetic, but for denormal numbers, which AMX takes for zeros.
struct EmulatedTiles {
  uint16 words[8][LANES];

  void zero(int tile) {
    for (uint16 &row : words[tile]) row = (uint16)(0u);
  }
  void load(int tile, const float *from, int rows) {
    for (int i = 0; i < rows; i++) words[tile][i] = as_uint16(vload16(i, from));
  }
  void store(int tile, float *to) {
    for (int i = 0; i < tile_rows; i++) vstore16(as_float16(words[tile][i]), i, to);
  }
  void multiply_add(int sums, int rows, int columns) {
    const uint16 upper = (uint16)(0xffff0000u);
    for (int i = 0; i < tile_rows; i++) {
      float16 lower_sum = (float16)(0.0f), upper_sum = lower_sum;
      for (int k = 0; k < LANES; k++) {
        const uint16 row = (uint16)(words[rows][i][k]), column = words[columns][k];
        lower_sum = fma(as_float16(row << 16), as_float16(column << 16), lower_sum);
        upper_sum = fma(as_float16(row & upper), as_float16(column & upper), upper_sum);
      }
      words[sums][i] = as_uint16(as_float16(words[sums][i]) + (lower_sum + upper_sum));
    }
  }
};
thread_local EmulatedTiles emulated_tiles;
}  // namespace

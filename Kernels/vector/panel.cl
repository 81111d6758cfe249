// Panels for CPU-type devices, [C/16][T][16] words of T rows, which are tiles of winograd_wide.cl or results of
// gather.cl: where they lie, and the kernel that makes gradients of weights of them. Words: see factor.cl; products:
// panel_multiply.cl.

// Where sixteen channels of a row, from channel c on, lie in a panel for T rows.
FUNCTION __global float *panel_place(__global float *panel, int c, int row, int T, int by_rows) {
#ifdef PANEL_BFLOAT16
  if (!by_rows) return panel + (c / (2 * LANES) * T + row) * LANES + c % (2 * LANES) / 2;
  return panel + (c * T / 2 + row / 2 * LANES);
#else
  return panel + c * T + row * LANES;
#endif
}

// Stores sixteen channels of a row at their place. Panels by rows are for all threads: see factor_store_held.
FUNCTION void panel_store(float16 value, __global float *to, int row, int by_rows, float16 *held) {
  if (by_rows) {
    factor_store_held(value, to, row, 1, held);
    return;
  }
#ifdef PANEL_BFLOAT16
  vstore16_ushort(to_bfloat16(value), (__global ushort *)to);
#else
  vstore16(value, 0, to);
#endif
}

// MARK: Gradients of weights

// Adds `count` tiles, in panels for T of them, to the sums [O/16][point][C][16], or begins them. The panels of
// two points are panel_step and gradient_step floats apart. One work-item: 16 channels, 32 outputs, one point. Launch:
// (ceil(C / 16), ceil(O / 32), points), or with by_outputs (ceil(C / 16), points, ceil(O / 32)): a thread that has
// neighbouring work-items reads panels that no other thread reads, or writes sums that it will itself make weights of.
__kernel void panel_accumulate(
    __global const float *panels, __global float *sums, int panels_at, int gradients_at, int sums_at, int panel_step,
    int gradient_step, int C, int O, int T, int count, int points, int by_outputs, int accumulate) {
  const int c = get_global_id(0) * LANES, o = get_global_id(1 + by_outputs) * 2 * LANES;
  const int point = get_global_id(2 - by_outputs), blocks = O - o > LANES ? 2 : 1, next = points * C * LANES;
  T /= FACTOR_PAIR;
  count = (count + FACTOR_PAIR - 1) / FACTOR_PAIR;
  __global const float *panel = panels + panels_at + point * panel_step + c * T;
  __global const float *gradients = panels + gradients_at + point * gradient_step + o * T;
  sums += sums_at + (o * points + point * LANES) * C + c * LANES;
  panel_accumulate_block(panel, gradients, sums, T, count, next, min(LANES, C - c), accumulate, blocks);
}

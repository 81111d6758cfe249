// The product for one instruction set; ROWS, VECTORS, LANES and NAME say which.

#define COLUMNS (VECTORS * LANES)

typedef double NAME(vector) __attribute__((vector_size(LANES * sizeof(double)), aligned(8)));

// Rows of `from`, `count` of them, as columns: to[depth][rows]; missing rows are zero.
static void NAME(pack)(const double *from, long row, long count, long rows, long depth, double *to) {
  for (long i = 0; i < rows; i++)
    for (long p = 0; p < depth; p++) to[p * rows + i] = i < count ? from[i * row + p] : 0;
}

static void NAME(tile)(
    long depth, double scale, const double *a, const double *b, double *c, long c_row, long rows, long columns) {
  NAME(vector) sums[ROWS][VECTORS];
  for (int i = 0; i < ROWS; i++)
    for (int v = 0; v < VECTORS; v++) sums[i][v] = (NAME(vector)){0};
  for (long p = 0; p < depth; p++) {
    NAME(vector) right[VECTORS];
#pragma clang loop unroll(full)
    for (int v = 0; v < VECTORS; v++) right[v] = *(const NAME(vector) *)(b + p * COLUMNS + v * LANES);
#pragma clang loop unroll(full)
    for (int i = 0; i < ROWS; i++) {
      double left = a[p * ROWS + i];
#pragma clang loop unroll(full)
      for (int v = 0; v < VECTORS; v++) sums[i][v] += left * right[v];
    }
  }
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j++) c[i * c_row + j] += scale * sums[i][j / LANES][j % LANES];
}

static void NAME(product)(
    long m, long n, long k, double scale, const double *a, long a_row, const double *b, long b_row, double *c,
    long c_row, double *scratch) {
  double *left = scratch, *right = scratch + DEPTH * ROWS;
  for (long p = 0; p < k; p += DEPTH) {
    long depth = smaller(DEPTH, k - p);
    for (long first = 0; first < n; first += WIDTH) {
      long width = smaller(WIDTH, n - first);
      for (long j = 0; j < width; j += COLUMNS)
        NAME(pack)(
            b + (first + j) * b_row + p, b_row, smaller(COLUMNS, width - j), COLUMNS, depth, right + j * depth);
      for (long i = 0; i < m; i += ROWS) {
        long rows = smaller(ROWS, m - i);
        NAME(pack)(a + i * a_row + p, a_row, rows, ROWS, depth, left);
        for (long j = 0; j < width; j += COLUMNS)
          NAME(tile)(
              depth, scale, left, right + j * depth, c + i * c_row + first + j, c_row, rows,
              smaller(COLUMNS, width - j));
      }
    }
  }
}

#undef COLUMNS

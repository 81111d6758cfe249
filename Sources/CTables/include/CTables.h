// Published tables as text: a settings file and a file of cells for each (README.md says what stands in them).
#pragma once

/// A table's name, its TOML file and its CSV.
typedef struct {
  const char *name, *document, *cells;
} gpunoisy_table;

/// All tables in the order in which they are listed; the last one has no name.
const gpunoisy_table *gpunoisy_tables(void);

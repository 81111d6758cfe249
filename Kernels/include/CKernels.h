// The kernels: their text for OpenCL devices, and their machine code for the built-in CPU device.
#pragma once
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/// One kernel file, as OpenCL C text.
typedef struct {
  const char *name;
  const char *text;
} gpunoisy_source;

/// The kernel files in the order in which they are compiled; null behind the last.
const gpunoisy_source *gpunoisy_source_at(int index);

/// A kernel of the built-in CPU device; values[i] points at its i-th argument (a pointer, an int or a float).
typedef void (*gpunoisy_kernel)(void *const *values);

/// The instruction sets that the kernels were compiled for, the newest first.
int gpunoisy_instruction_set_count(void);
const char *gpunoisy_instruction_set_name(int set);
/// Whether this processor and the system have the instruction set.
bool gpunoisy_instruction_set_works(int set);
/// Whether it is worth its while on a processor that has it: on AMD's, dot products of bfloat16 are twice as fast as
/// multiply-adds of float32; Intel's issue half as many of them. By maker, not by timing: what is chosen decides bits.
/// Not AMX, which nobody has measured.
bool gpunoisy_instruction_set_pays(int set);
/// Asks the system for what must be asked for before the set's kernels run: AMX's registers, for which a process needs
/// more room wherever its registers are saved. False if the system refuses.
bool gpunoisy_instruction_set_open(int set);
/// Whether other instructions emulate it: slow, for tests only.
bool gpunoisy_instruction_set_is_emulated(int set);
/// Whether it has kernels for words of two bfloat16 (factor.cl).
bool gpunoisy_instruction_set_multiplies_bfloat16(int set);
/// The kernel of that name, or null; for activations, and for panels, of bfloat16 or of float32.
gpunoisy_kernel gpunoisy_find_kernel(int set, bool activations_bfloat16, bool panels_bfloat16, const char *name);

/// A team of threads that runs launches one after the other; the caller is one of them.
/// Null if the system does not give that many.
typedef struct gpunoisy_threads gpunoisy_threads;
gpunoisy_threads *gpunoisy_threads_create(int count);
void gpunoisy_threads_destroy(gpunoisy_threads *threads);
/// Runs the kernel once for each index of x * y * z and returns when all are done.
void gpunoisy_threads_run(gpunoisy_threads *threads, gpunoisy_kernel kernel, void *const *values, int x, int y, int z);

#ifdef __cplusplus
}
#endif

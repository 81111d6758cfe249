// The built-in CPU device's half in C++: the kernels, compiled for several instruction sets, and the threads that run
// them. The Swift half is Sources/ComputeCPU.
#include "CKernels.h"

#include "native.h"

#include <atomic>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

thread_local int gpunoisy_global_id[3];

// MARK: - The kernels, once per instruction set and format of activations

namespace {
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline float max(float a, float b) { return a > b ? a : b; }

// Calls a kernel with the arguments that `values` points at, converted to the kernel's own parameter types.
template <auto kernel> struct Caller;
template <class... Parameters, void (*kernel)(Parameters...)> struct Caller<kernel> {
  template <size_t... index> static void spread(void *const *values, std::index_sequence<index...>) {
    kernel(*static_cast<std::remove_const_t<Parameters> *>(values[index])...);
  }
  static void call(void *const *values) { spread(values, std::index_sequence_for<Parameters...>{}); }
};

struct Entry {
  const char *name;
  void (*call)(void *const *values);
};
}  // namespace

// Built-in functions on vectors; macros, because a function would lose the callers' target attribute.
#define fma(a, b, c) __builtin_elementwise_fma(a, b, c)
#define fmax(a, b) __builtin_elementwise_max(a, b)
#define fmin(a, b) __builtin_elementwise_min(a, b)

// Vectors of 16 are passed to functions that are always inlined: there is no call whose convention could change.
#pragma clang diagnostic ignored "-Wpsabi"

#define ENTRY(kernel) {#kernel, Caller<kernel>::call}

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))), apply_to = function)
#define CONV_PIXELS 8
#define CONV_BLOCKS 2
#define WINOGRAD_STEP 8
namespace avx512 {
#include "native_set.h"
}
#define ACTIVATION_BFLOAT16
namespace avx512_bfloat16 {
#include "native_set.h"
}
#undef ACTIVATION_BFLOAT16
#pragma clang attribute pop

// Dot products of pairs of bfloat16: twice as many multiplications for an instruction. See factor.cl.
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx512bf16,avx2,fma"))), apply_to = function)
typedef __bf16 bfloat16x16 __attribute__((ext_vector_type(16)));
typedef __bf16 bfloat16x32 __attribute__((ext_vector_type(32)));
#include "tiles.h"
#define NATIVE_BFLOAT16(value) __builtin_bit_cast(ushort16, __builtin_convertvector(value, bfloat16x16))
#define NATIVE_DOT(a, b, sum) \
  __builtin_ia32_dpbf16ps_512(sum, __builtin_bit_cast(bfloat16x32, a), __builtin_bit_cast(bfloat16x32, b))
#define PANEL_BFLOAT16
namespace avx512_bf16 {
#include "native_factors.h"
static const Entry entries[] = {FACTOR_ENTRIES};
}
#define ACTIVATION_BFLOAT16
namespace avx512_bf16_bfloat16 {
#include "native_factors.h"
static const Entry entries[] = {FACTOR_ENTRIES};
}
#undef ACTIVATION_BFLOAT16

// Products of matrices of such pairs, twice: emulated, for tests, and below by AMX's own instructions.
#undef ENTRY
#define ENTRY(kernel) {#kernel, call_with_tiles<kernel>}
#define PANEL_AMX
#define EMULATED_TILES
namespace amx_emulated {
#include "native_factors.h"
static const Entry entries[] = {PRODUCT_ENTRIES};
}
#define ACTIVATION_BFLOAT16
namespace amx_emulated_bfloat16 {
#include "native_factors.h"
static const Entry entries[] = {PRODUCT_ENTRIES};
}
#undef ACTIVATION_BFLOAT16
#undef EMULATED_TILES
#pragma clang attribute pop

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx512bf16,avx2,fma,amx-tile,amx-bf16"))), \
    apply_to = function)
namespace amx {
#include "native_factors.h"
static const Entry entries[] = {PRODUCT_ENTRIES};
}
#define ACTIVATION_BFLOAT16
namespace amx_bfloat16 {
#include "native_factors.h"
static const Entry entries[] = {PRODUCT_ENTRIES};
}
#undef ACTIVATION_BFLOAT16
#undef PANEL_AMX
#undef ENTRY
#define ENTRY(kernel) {#kernel, Caller<kernel>::call}
#undef PANEL_BFLOAT16
#undef NATIVE_BFLOAT16
#undef NATIVE_DOT
#undef CONV_PIXELS
#undef CONV_BLOCKS
#undef WINOGRAD_STEP
#pragma clang attribute pop

// 16 registers of 256 bits, two for each vector of 16: smaller tiles.
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define CONV_PIXELS 6
#define CONV_BLOCKS 1
#define WINOGRAD_STEP 4
namespace avx2 {
#include "native_set.h"
}
#define ACTIVATION_BFLOAT16
namespace avx2_bfloat16 {
#include "native_set.h"
}
#undef ACTIVATION_BFLOAT16
#undef CONV_PIXELS
#undef CONV_BLOCKS
#undef WINOGRAD_STEP
#pragma clang attribute pop
#endif

// NEON, or whatever the compiler takes for granted. On x86 that is no fused multiply-add: the exact function would be a
// library call for each lane.
#if defined(__x86_64__)
#undef fma
#define fma(a, b, c) ((a) * (b) + (c))
#endif
#define CONV_PIXELS 4
#define CONV_BLOCKS 1
#define WINOGRAD_STEP 4
namespace generic {
#include "native_set.h"
}
#define ACTIVATION_BFLOAT16
namespace generic_bfloat16 {
#include "native_set.h"
}
#undef ACTIVATION_BFLOAT16

namespace {
struct Entries {
  const Entry *first;
  int count;
};

// With activations stored as float and as bfloat16: the same kernels in the same order.
struct InstructionSet {
  const char *name;
  Entries entries[2];
  // What replaces some of them where panels are of bfloat16; empty without instructions that multiply it.
  Entries panels[2];
  // What replaces some of those; empty without instructions that multiply matrices.
  Entries tiles[2];
};

#define ENTRIES(space) {space::entries, (int)(sizeof(space::entries) / sizeof(Entry))}
#define SET(name) {ENTRIES(name), ENTRIES(name##_bfloat16)}
const InstructionSet sets[] = {
#if defined(__x86_64__)
    {"amx", SET(avx512), SET(avx512_bf16), SET(amx)},
    {"amx_emulated", SET(avx512), SET(avx512_bf16), SET(amx_emulated)},
    {"avx512_bf16", SET(avx512), SET(avx512_bf16), {}},
    {"avx512", SET(avx512), {}, {}},
    {"avx2", SET(avx2), {}, {}},
#endif
    {"generic", SET(generic), {}, {}}};

#if defined(__x86_64__)
// arch_prctl of Linux: ARCH_GET_XCOMP_SUPP, ARCH_REQ_XCOMP_PERM and XFEATURE_XTILEDATA.
constexpr long get_supported = 0x1021, request_permission = 0x1023, tile_data = 18;

// Whether the processor multiplies matrices of bfloat16 and the system can save their registers.
bool has_tiles() {
#if defined(__linux__)
  constexpr unsigned bfloat16 = 1u << 22, tiles = 1u << 24;
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & bfloat16) == 0 || (d & tiles) == 0) return false;
  uint64_t supported = 0;
  return syscall(SYS_arch_prctl, get_supported, &supported) == 0 && (supported >> tile_data & 1) != 0;
#else
  return false;
#endif
}
#endif

gpunoisy_kernel find(Entries entries, const char *name) {
  for (int i = 0; i < entries.count; i++)
    if (strcmp(entries.first[i].name, name) == 0) return entries.first[i].call;
  return nullptr;
}
}  // namespace

extern "C" int gpunoisy_instruction_set_count(void) { return (int)(sizeof(sets) / sizeof(*sets)); }

extern "C" const char *gpunoisy_instruction_set_name(int set) { return sets[set].name; }

extern "C" bool gpunoisy_instruction_set_works(int set) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (sets[set].panels[0].count > 0 && !__builtin_cpu_supports("avx512bf16")) return false;
  if (sets[set].tiles[0].first == amx::entries && !has_tiles()) return false;
  if (sets[set].entries[0].first == avx512::entries)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
  if (sets[set].entries[0].first == avx2::entries)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return true;
}

extern "C" bool gpunoisy_instruction_set_pays(int set) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (sets[set].tiles[0].count > 0) return false;
  if (sets[set].panels[0].count > 0) return __builtin_cpu_is("amd");
#endif
  return true;
}

extern "C" bool gpunoisy_instruction_set_open(int set) {
#if defined(__x86_64__) && defined(__linux__)
  if (sets[set].tiles[0].first == amx::entries) return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#endif
  return true;
}

extern "C" bool gpunoisy_instruction_set_is_emulated(int set) {
#if defined(__x86_64__)
  return sets[set].tiles[0].first == amx_emulated::entries;
#else
  return false;
#endif
}

extern "C" bool gpunoisy_instruction_set_multiplies_bfloat16(int set) { return sets[set].panels[0].count > 0; }

extern "C" gpunoisy_kernel gpunoisy_find_kernel(
    int set, bool activations_bfloat16, bool panels_bfloat16, const char *name) {
  const int format = activations_bfloat16 ? 1 : 0;
  gpunoisy_kernel kernel = panels_bfloat16 ? find(sets[set].tiles[format], name) : nullptr;
  if (!kernel && panels_bfloat16) kernel = find(sets[set].panels[format], name);
  return kernel ? kernel : find(sets[set].entries[format], name);
}

// MARK: - The threads

namespace {
// Tells the processor that this thread is only looking.
inline void look_again() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Lets what STREAM has stored become visible before anything that this thread stores afterwards.
inline void finish_streams() {
#if defined(__x86_64__)
  __builtin_ia32_sfence();
#endif
}

// Waits until `atomic` is no longer `value`. For some 100 microseconds it looks, since a step's launches follow one
// another at once and a sleeping thread wakes up late, and lets others have the processor now and then: they may be what
// it waits for. Then it sleeps.
void wait_while(const std::atomic<int> &atomic, int value) {
  for (int look = 1; look <= 1000; look++) {
    if (atomic.load(std::memory_order_acquire) != value) return;
    look_again();
    if (look % 20 == 0) std::this_thread::yield();
  }
  atomic.wait(value, std::memory_order_acquire);
}
}  // namespace

// Threads that sleep between launches. Each begins with its own share of a launch's work-items, neighbours of one
// another, so that what it wrote in the launch before is still in its core's cache, and then helps the others with
// theirs: which thread runs which work-item never matters to the result.
struct gpunoisy_threads {
  struct alignas(64) Share {
    std::atomic<long> next{0};
    long last = 0;
  };

  std::vector<std::thread> workers;
  std::vector<Share> shares;
  std::atomic<int> generation{0};
  std::atomic<int> busy{0};
  bool closing = false;

  gpunoisy_kernel kernel = nullptr;
  void *const *values = nullptr;
  long size[2] = {1, 1}, run = 1;

  explicit gpunoisy_threads(int count) : shares(count) {}

  void work(size_t own) {
    for (size_t turn = 0; turn < shares.size(); turn++) {
      Share &share = shares[(own + turn) % shares.size()];
      // Looking costs less than taking, where many threads are done at the same time.
      while (share.next.load(std::memory_order_relaxed) < share.last) {
        const long first = share.next.fetch_add(run, std::memory_order_relaxed);
        const long last = first + run < share.last ? first + run : share.last;
        for (long i = first; i < last; i++) {
          gpunoisy_global_id[0] = (int)(i % size[0]);
          gpunoisy_global_id[1] = (int)(i / size[0] % size[1]);
          gpunoisy_global_id[2] = (int)(i / size[0] / size[1]);
          kernel(values);
        }
      }
    }
    finish_streams();
  }

  void serve(size_t own) {
    for (int seen = 0;;) {
      wait_while(generation, seen);
      seen = generation.load(std::memory_order_acquire);
      if (closing) return;
      work(own);
      if (busy.fetch_sub(1, std::memory_order_acq_rel) == 1) busy.notify_one();
    }
  }
};

extern "C" gpunoisy_threads *gpunoisy_threads_create(int count) {
  auto *threads = new gpunoisy_threads(count);
  try {
    for (int i = 1; i < count; i++) threads->workers.emplace_back([threads, i] { threads->serve(i); });
  } catch (const std::exception &) {  // the system gives no more threads
    gpunoisy_threads_destroy(threads);
    return nullptr;
  }
  return threads;
}

extern "C" void gpunoisy_threads_destroy(gpunoisy_threads *threads) {
  threads->closing = true;
  threads->generation.fetch_add(1, std::memory_order_release);
  threads->generation.notify_all();
  for (auto &worker : threads->workers) worker.join();
  delete threads;
}

extern "C" void gpunoisy_threads_run(
    gpunoisy_threads *threads, gpunoisy_kernel kernel, void *const *values, int x, int y, int z) {
  threads->kernel = kernel;
  threads->values = values;
  threads->size[0] = x;
  threads->size[1] = y;
  const long total = (long)x * y * z, count = (long)threads->shares.size();
  threads->run = total / (count * 16) + 1;
  for (long i = 0; i < count; i++) {
    threads->shares[i].next.store(total * i / count, std::memory_order_relaxed);
    threads->shares[i].last = total * (i + 1) / count;
  }
  const int workers = total > 1 ? (int)threads->workers.size() : 0;
  if (workers > 0) {
    threads->busy.store(workers, std::memory_order_relaxed);
    threads->generation.fetch_add(1, std::memory_order_release);
    threads->generation.notify_all();
  }
  threads->work(0);
  if (workers > 0)
    for (int left; (left = threads->busy.load(std::memory_order_acquire)) > 0;) wait_while(threads->busy, left);
}

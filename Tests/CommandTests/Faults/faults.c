// Preloaded into a program: counts its calls that read or change files, and at a chosen one of them ends the process or
// lets the call fail. The tests compile it.
//
//   FAULTS_PROGRAM=NAME   the program to meddle with; others (a shell that starts it) are left alone
//   FAULTS_CALLS=LIST     which calls count, as in write,fsync
//   FAULTS_AT=N           the call that is hit, counted from 1; 0 only counts
//   FAULTS_KIND=KIND      kill: SIGKILL before the call; after: behind it; half: behind half of a write
//                         once:ERRNO: the call fails; always:ERRNO: it does, and all that count after it
//                         short: a read or write of one byte
//   FAULTS_COUNT=FILE     where the number of calls is written at the end
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum Verdict { GO_ON, FAIL, END_AFTER, HALF, SHORT };

static atomic_int calls;
static bool active;
static int at, error;
static enum Verdict verdict;
static bool is_kill, is_lasting;
static char counted[128];

__attribute__((constructor)) static void begin(void) {
  const char *program = getenv("FAULTS_PROGRAM"), *list = getenv("FAULTS_CALLS"), *place = getenv("FAULTS_AT");
  const char *kind = getenv("FAULTS_KIND");
  if (!program || !list || !place || !kind || strcmp(program, program_invocation_short_name)) return;
  snprintf(counted, sizeof counted, ",%s,", list);
  at = atoi(place);
  if (!strcmp(kind, "kill")) is_kill = true;
  if (!strcmp(kind, "after")) verdict = END_AFTER;
  if (!strcmp(kind, "half")) verdict = HALF;
  if (!strcmp(kind, "short")) verdict = SHORT;
  if (!strncmp(kind, "once:", 5)) verdict = FAIL, error = atoi(kind + 5);
  if (!strncmp(kind, "always:", 7)) verdict = FAIL, error = atoi(kind + 7), is_lasting = true;
  active = true;
}

static void end(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

// What is to be done with a call of this name.
static enum Verdict judge(const char *name) {
  if (!active) return GO_ON;
  char key[32];
  snprintf(key, sizeof key, ",%s,", name);
  if (!strstr(counted, key)) return GO_ON;
  int number = atomic_fetch_add(&calls, 1) + 1;
  if (at == 0 || (number != at && !(is_lasting && number > at))) return GO_ON;
  if (is_kill) end();
  if (verdict == FAIL) errno = error;
  return verdict;
}

#define NEXT(result, name, ...)                 \
  static result (*next)(__VA_ARGS__);           \
  if (!next) *(void **)&next = dlsym(RTLD_NEXT, #name)

__attribute__((destructor)) static void finish(void) {
  NEXT(int, open, const char *, int, ...);
  const char *path = getenv("FAULTS_COUNT");
  if (!active || !path) return;
  active = false;
  int file = next(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) return;
  dprintf(file, "%d\n", atomic_load(&calls));
  close(file);
}

// Standard streams are not files of the program.
ssize_t write(int file, const void *bytes, size_t count) {
  NEXT(ssize_t, write, int, const void *, size_t);
  enum Verdict what = file > 2 ? judge("write") : GO_ON;
  if (what == FAIL) return -1;
  if (what == HALF) {
    next(file, bytes, count / 2);
    end();
  }
  ssize_t result = next(file, bytes, what == SHORT && count > 1 ? 1 : count);
  if (what == END_AFTER) end();
  return result;
}

ssize_t read(int file, void *bytes, size_t count) {
  NEXT(ssize_t, read, int, void *, size_t);
  enum Verdict what = file > 2 ? judge("read") : GO_ON;
  if (what == FAIL) return -1;
  return next(file, bytes, what == SHORT && count > 1 ? 1 : count);
}

#define PASS(name, parameters, arguments, ...) \
  int name parameters {                        \
    NEXT(int, name, __VA_ARGS__);              \
    enum Verdict what = judge(#name);          \
    if (what == FAIL) return -1;               \
    if (what == HALF) end();                   \
    int result = next arguments;               \
    if (what == END_AFTER) end();              \
    return result;                             \
  }

PASS(fsync, (int file), (file), int)
PASS(ftruncate, (int file, off_t length), (file, length), int, off_t)
PASS(rename, (const char *from, const char *to), (from, to), const char *, const char *)
PASS(mkdir, (const char *path, mode_t mode), (path, mode), const char *, mode_t)
PASS(unlink, (const char *path), (path), const char *)

// Opening to read counts as `look`, opening to write as `open`.
static int opened(const char *path, int flags, mode_t mode) {
  NEXT(int, open, const char *, int, ...);
  enum Verdict what = judge((flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0 ? "open" : "look");
  if (what == FAIL) return -1;
  if (what == HALF) end();
  int result = next(path, flags, mode);
  if (what == END_AFTER) end();
  return result;
}

#define OPEN(name)                                                \
  int name(const char *path, int flags, ...) {                    \
    va_list rest;                                                 \
    va_start(rest, flags);                                        \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;     \
    va_end(rest);                                                 \
    return opened(path, flags, mode);                             \
  }

OPEN(open)
OPEN(open64)

import Failures
import Glibc
import Reports
import Synchronization

/// Requests to stop, from Ctrl-C, the system or a scheduler.
///
/// The first one is answered at once on standard error. As long as a run has nothing to save (data is read, kernels
/// compile, the first step is under way) it also ends the process; otherwise it sets `StopRequest`, at which a run
/// saves a checkpoint and ends. The second one always ends the process, wherever the main thread is: within a driver's
/// compiler, a long launch, a write to a disk that does not answer. A thread of its own does so, because a handler may
/// hardly call anything; where that thread is stuck, too, an alarm ends the process a second later.
enum Signals {
  /// Signals in this time after the first are the same request, in nanoseconds: a wrapper (`timeout`, a shell script)
  /// passes on what the terminal has sent to the whole group anyway.
  fileprivate static var oneRequest: Int { 300_000_000 }

  /// Starts to listen for SIGINT, SIGTERM and SIGUSR1, as `keepWork` says, and for the end of the process that started
  /// this one; call once at the start.
  static func listen() {
    ParentProcess.follow()
    // The handler may only touch what is already initialised.
    StopRequest.kind = nil
    first.store(0, ordering: .relaxed)
    firstTime.store(0, ordering: .relaxed)
    second.store(0, ordering: .relaxed)
    sem_init(wake, 0, 0)
    var thread = pthread_t()
    // Without a thread nothing is said, and the second request ends the process by the alarm alone.
    let isWatched = pthread_create(&thread, nil, { _ in Signals.watch() }, nil) == 0
    if isWatched { pthread_detach(thread) }
    watched.store(isWatched, ordering: .relaxed)
    keepWork()
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { handle($0) }
    sigemptyset(&action.sa_mask)
    // Reads and writes under way go on; the flag is looked at between steps.
    action.sa_flags = SA_RESTART
    for number in [SIGINT, SIGTERM, SIGUSR1, SIGALRM] { sigaction(number, &action, nil) }
  }

  /// There is nothing to save until `keepWork`: the first request ends the process at once.
  static func beginWithoutWork() { hasWork.store(!watched.load(ordering: .relaxed), ordering: .relaxed) }

  /// From now on there is something to save: the first request sets `StopRequest`, and the work ends by itself.
  static func keepWork() { hasWork.store(true, ordering: .relaxed) }

  /// Names a run folder whose run.json is marked when the process ends at once.
  static func mark(run folder: String) { runs.withLock { $0.append(folder) } }

  // MARK: - The thread

  private static func watch() -> Never {
    while true {
      while sem_wait(wake) != 0 {}
      let insisting = second.load(ordering: .acquiring)
      if insisting != 0 {
        end("a second signal (\(name(insisting)))", 128 + insisting, "the process ends at once", resumable: "continues")
      }
      let number = first.load(ordering: .acquiring)
      guard number != 0 else { continue }
      if hasWork.load(ordering: .acquiring) {
        StopRequest.kind = kind(of: number)
        say(
          "\(name(number)): stopping as soon as the step under way is done and saved; a second signal ends the process "
            + "at once.")
      } else {
        end(name(number), kind(of: number).rawValue, "stopped; there is nothing to save yet", resumable: "starts again")
      }
    }
  }

  /// Marks the runs, says what happened and ends the process without asking the main thread, which may hold anything.
  private static func end(_ signal: String, _ code: Int32, _ what: String, resumable verb: String) -> Never {
    var advice = ""
    for folder in runs.withLock({ $0 }) where RunRecord.markStopped(folder: folder, reason: signal) {
      advice = "; the run \(verb) with --resume \(folder)"
    }
    say("\(signal): \(what)\(advice).")
    _exit(code)
  }

  private static func say(_ text: String) {
    // A progress bar stands at the end of the line.
    let start = isatty(STDERR_FILENO) == 1 ? "\n" : ""
    _ = DescriptorWriting.write(start + TerminalText.escaped(text) + "\n", to: STDERR_FILENO)
  }

  private static func name(_ number: Int32) -> String {
    switch number {
    case SIGINT: "Ctrl-C (SIGINT)"
    case SIGTERM: "SIGTERM"
    default: "SIGUSR1"
    }
  }

  fileprivate static func kind(of number: Int32) -> Failure.Kind {
    switch number {
    case SIGINT: .interrupted
    case SIGTERM: .terminated
    default: .stoppedEarly
    }
  }
}

/// The handler: it touches atomic numbers and calls `clock_gettime`, `sem_post`, `alarm` and `_exit`, which POSIX allows.
private func handle(_ number: Int32) {
  let earlier = first.load(ordering: .relaxed)
  if number == SIGALRM { _exit(128 + max(second.load(ordering: .relaxed), SIGINT)) }
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  let now = Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
  // A scheduler's SIGUSR1 asks politely: what comes after it is a first request.
  guard earlier != 0, earlier != SIGUSR1 || number == SIGUSR1 else {
    firstTime.store(now, ordering: .relaxed)
    first.store(number, ordering: .releasing)
    // Otherwise the thread ends the process, and no other shall tell of it.
    if hasWork.load(ordering: .relaxed) { StopRequest.kind = Signals.kind(of: number) }
    sem_post(wake)
    return
  }
  guard number != SIGUSR1, now - firstTime.load(ordering: .relaxed) > Signals.oneRequest else { return }
  if second.exchange(number, ordering: .releasing) != 0 { _exit(128 + number) }
  alarm(1)
  sem_post(wake)
}

/// The numbers of the signals that asked first, and that insisted; 0 before they came.
private let first = Atomic<Int32>(0), second = Atomic<Int32>(0)
/// When the first came, in nanoseconds of the monotonic clock.
private let firstTime = Atomic<Int>(0)
/// Whether there is something to save.
private let hasWork = Atomic<Bool>(false)
/// Whether there is a thread that answers.
private let watched = Atomic<Bool>(false)
/// Wakes the thread that answers.
nonisolated(unsafe) private let wake = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
/// Folders of the runs under way.
private let runs = Mutex<[String]>([])

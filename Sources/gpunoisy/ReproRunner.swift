import Autotuning
import Failures
import FileFormats
import Glibc
import Reports
import Repro
import Training

/// Runs the tasks of a campaign as processes of this program, a few at a time.
final class ReproRunner {
  /// Why it ended.
  enum Ending {
    /// Every run was tried.
    case done
    /// Time was up, or a signal came: some are left, with their checkpoints saved.
    case stopped(Failure.Kind)
  }

  private struct Child {
    let task: Campaign.Task, process: pid_t
  }

  private var waiting: [Campaign.Task]
  private var active: [Child] = []
  private let options: ReproOptions, progress: ReproProgress
  private let start = ContinuousClock.now
  /// Runs that another process held when they were to begin, and until when that is waited for.
  private var held: [String: ContinuousClock.Instant] = [:]

  init(_ tasks: [Campaign.Task], options: ReproOptions, progress: ReproProgress) {
    waiting = tasks.filter { Campaign.state(of: $0) != .finished }
    (self.options, self.progress) = (options, progress)
  }

  private var elapsed: Double { (ContinuousClock.now - start) / .seconds(1) }

  func run() throws -> Ending {
    Signals.listen()
    ParentProcess.adopt()
    defer { progress.ended() }
    progress.began(kept: waiting.count)
    var stop: Failure.Kind?
    do {
      while !waiting.isEmpty || !active.isEmpty {
        if stop == nil { stop = requestedStop(tellingChildren: true) }
        if stop != nil { waiting = [] }
        while stop == nil, active.count < options.jobs, let task = takeNext() { try begin(task) }
        try collect()
        progress.show(active.map(\.task), left: waiting.count)
        usleep(50_000)
      }
    } catch {
      // Nothing is to go on by itself: what is under way saves its checkpoint.
      stopChildren()
      while !active.isEmpty {
        active.removeAll { ChildProcess.ending(of: $0.process) != nil }
        usleep(20_000)
      }
      throw error
    }
    if stop == nil { stop = requestedStop(tellingChildren: false) }
    return stop.map { .stopped($0) } ?? .done
  }

  /// Whether a signal came or time is up; children are told of a signal, and stop by themselves in time.
  private func requestedStop(tellingChildren: Bool) -> Failure.Kind? {
    if let kind = StopRequest.kind {
      if tellingChildren {
        progress.note("stopping: \(active.count) runs under way save their checkpoints")
        stopChildren()
      }
      return kind
    }
    guard let limit = options.limit, elapsed >= limit, !waiting.isEmpty || !active.isEmpty else { return nil }
    return .stoppedEarly
  }

  private func stopChildren() { for child in active { kill(child.process, SIGTERM) } }

  /// The next run that may begin; one that another process holds comes again a little later, and one that makes use of
  /// another run when that is finished.
  private func takeNext() -> Campaign.Task? {
    let now = ContinuousClock.now, open = Set(waiting.map(\.folder) + active.map(\.task.folder))
    waiting.removeAll { task in
      guard open.isDisjoint(with: task.sources),
        let source = task.sources.first(where: { !Campaign.isFinished($0) })
      else { return false }
      progress.failed(task, "it needs the run '\(source)', which is not finished")
      return true
    }
    let index = waiting.firstIndex { task in
      held[task.folder].map { $0 <= now } ?? true && open.isDisjoint(with: task.sources)
    }
    return index.map { waiting.remove(at: $0) }
  }

  private func begin(_ task: Campaign.Task) throws {
    var arguments = [
      task.settings.job.rawValue, "--config", task.configuration, "--resume-or-start", task.folder, "--device",
      options.device.text, "--progress", "none", "--quiet",
    ]
    if let threads = options.threads { arguments += ["--threads", "\(threads)"] }
    if let dataRoot = options.dataRoot { arguments += ["--data-root", dataRoot] }
    if let limit = options.limit { arguments += ["--max-time", "\(max(1, Int(limit - elapsed)))s"] }
    active.append(Child(task: task, process: try ChildProcess.start(arguments, output: task.errors)))
  }

  /// Takes note of the runs that have ended.
  private func collect() throws {
    for child in active {
      guard let ending = ChildProcess.ending(of: child.process) else { continue }
      active.removeAll { $0.process == child.process }
      let task = child.task, text = (try? FileBytes.read(task.errors)).map { String(decoding: $0, as: UTF8.self) } ?? ""
      switch ending {
      case .exited(0):
        unlink(task.errors)
        progress.finished(task)
      case .exited(Failure.Kind.stoppedEarly.rawValue), .exited(Failure.Kind.interrupted.rawValue),
        .exited(Failure.Kind.terminated.rawValue):
        unlink(task.errors)
      case .exited(Failure.Kind.cannotCreate.rawValue) where text.contains(" is in use."):
        try wait(for: task)
      case .exited(let code): progress.failed(task, Self.error(text) ?? "exit code \(code); see \(task.errors)")
      case .crashed(let signal):
        progress.failed(task, "the process was ended by signal \(signal); see \(task.errors)")
      }
    }
  }

  /// Puts off a run that another process holds: a killed campaign's run may still be saving its checkpoint.
  private func wait(for task: Campaign.Task) throws {
    let now = ContinuousClock.now
    if held[task.folder] == nil { deadlines[task.folder] = now + .seconds(Self.patience) }
    let isSource = waiting.contains { $0.sources.contains(task.folder) }
    if let deadline = deadlines[task.folder], now < deadline || isSource {
      held[task.folder] = now + .seconds(0.5)
      waiting.append(task)
    } else {
      unlink(task.errors)
      progress.note("\(task.cell.name), seed \(task.seed): another process is running it")
    }
  }

  private var deadlines: [String: ContinuousClock.Instant] = [:]
  /// Seconds for which another process's run is waited for.
  private static let patience = 15.0

  /// The first line of an error, without its word.
  private static func error(_ text: String) -> String? {
    text.split(separator: "\n").first { $0.hasPrefix("error: ") }.map { String($0.dropFirst(7)) }
  }
}

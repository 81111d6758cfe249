import FileFormats

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where messages go: a terminal, a log, or a test's list.
public protocol ConsoleOutput: AnyObject {
  /// Takes a piece of text; what cannot be delivered is dropped and never stops a run.
  func write(_ text: String)
}

/// Messages to an open file descriptor, such as standard error, which stays open.
public final class DescriptorOutput: ConsoleOutput {
  private let descriptor: Int32

  /// Messages to this descriptor.
  public init(_ descriptor: Int32) {
    self.descriptor = descriptor
  }

  /// Writes the text; failures, such as a closed pipe, are dropped.
  public func write(_ text: String) {
    _ = DescriptorWriting.write(text, to: descriptor)
  }
}

/// Messages appended to a file such as log.txt; without a file that can be opened, nothing is kept.
public final class FileOutput: ConsoleOutput {
  private let descriptor: Int32

  /// Opens the file, or makes it.
  public init(appendingTo path: String) {
    descriptor = FileBytes.uninterrupted { open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o666) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Appends the text; failures are dropped.
  public func write(_ text: String) {
    if descriptor >= 0 { _ = DescriptorWriting.write(text, to: descriptor) }
  }
}

/// The two clocks that messages read.
public struct ConsoleClock: Sendable {
  /// Seconds that only go forwards, from an arbitrary start.
  public var elapsed: @Sendable () -> Double
  /// The time of day.
  public var now: @Sendable () -> UTCTime

  /// Clocks of one's own, for tests.
  public init(elapsed: @escaping @Sendable () -> Double, now: @escaping @Sendable () -> UTCTime) {
    self.elapsed = elapsed
    self.now = now
  }

  /// The machine's own clocks.
  public static var system: ConsoleClock {
    let start = ContinuousClock.now
    return ConsoleClock(elapsed: { (ContinuousClock.now - start) / .seconds(1) }, now: { UTCTime.now })
  }
}

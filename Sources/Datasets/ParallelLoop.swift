import Dispatch
import Failures
import Synchronization

/// A loop over independent pieces of work, which several threads share.
public struct ParallelLoop: Sendable {
  let threads: Int
  /// Told how many are done of how many, ten times per second at most and at the end, by one thread at a time.
  var progress: (@Sendable (_ done: Int, _ count: Int) -> Void)?

  /// A loop on so many threads.
  public init(threads: Int, progress: (@Sendable (_ done: Int, _ count: Int) -> Void)? = nil) {
    (self.threads, self.progress) = (threads, progress)
  }

  /// Calls `body` once for each of 0..<count; whoever is free takes the next one.
  ///
  /// - Throws: where the process was asked to stop.
  public func run(_ count: Int, _ body: @Sendable (Int) -> Void) throws {
    let next = Atomic<Int>(0), clock = ContinuousClock()
    let told = Mutex((done: 0, time: clock.now))
    @Sendable func work(_ thread: Int) {
      while StopRequest.kind == nil {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        body(index)
        guard let progress else { continue }
        told.withLock { told in
          told.done += 1
          guard clock.now - told.time >= .milliseconds(100) || told.done == count else { return }
          told.time = clock.now
          progress(told.done, count)
        }
      }
    }
    let workers = max(1, min(threads, count))
    if workers > 1 { DispatchQueue.concurrentPerform(iterations: workers, execute: work) } else { work(0) }
    try StopRequest.check("the images were not read.")
  }
}

extension ParallelLoop {
  /// The values of images [N, H, W, C], each of which one thread writes at a place of its own.
  ///
  /// - Parameters:
  ///   - imageSize: H · W · C.
  ///   - body: initialises all values of an image.
  /// - Throws: where the process was asked to stop.
  func pixels(
    count: Int, imageSize: Int, _ body: @Sendable (_ index: Int, _ place: UnsafeMutableBufferPointer<UInt8>) -> Void
  ) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: imageSize * count) { buffer, filled in
      nonisolated(unsafe) let places = buffer
      try run(count) { index in
        body(index, UnsafeMutableBufferPointer(rebasing: places[index * imageSize..<(index + 1) * imageSize]))
      }
      filled = imageSize * count
    }
  }
}

/// Results that several threads write, each at places of its own.
final class Results<Value: Sendable>: Sendable {
  private let stored: Mutex<[Value]>

  /// So many results, which are `first` until they are set.
  init(count: Int, first: Value) { stored = Mutex([Value](repeating: first, count: count)) }

  /// Sets one of them.
  func set(_ index: Int, _ value: Value) { stored.withLock { $0[index] = value } }

  /// All of them.
  var values: [Value] { stored.withLock { $0 } }
}

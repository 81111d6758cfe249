import Glibc
import Synchronization

/// Says what is going on if it takes longer than a moment, while this thread is busy in a call that does not return.
enum SlowNotice {
  /// How long nothing is said, in microseconds.
  private static let delay: UInt32 = 1_500_000

  private final class Watch: Sendable {
    let isDone = Atomic(false)
    let say: @Sendable () -> Void

    init(_ say: @escaping @Sendable () -> Void) { self.say = say }
  }

  /// Does the work; calls `say` from another thread if it is not done after a second and a half.
  static func during<T>(_ say: @escaping @Sendable () -> Void, _ work: () throws -> T) rethrows -> T {
    let watch = Watch(say)
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(watch)
    let code = pthread_create(
      &thread, nil,
      { argument in
        let watch = Unmanaged<Watch>.fromOpaque(argument!).takeRetainedValue()
        usleep(SlowNotice.delay)
        if !watch.isDone.load(ordering: .acquiring) { watch.say() }
        return nil
      }, argument.toOpaque())
    // Without a thread nothing is said, and the work is done all the same.
    if code == 0 { pthread_detach(thread) } else { argument.release() }
    defer { watch.isDone.store(true, ordering: .releasing) }
    return try work()
  }
}

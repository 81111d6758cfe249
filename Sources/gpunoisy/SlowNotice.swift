import Glibc
import Synchronization

/// Says what is going on if it takes longer than a moment, while this thread is busy in a call that does not return.
enum SlowNotice {
  private final class Watch: Sendable {
    let isDone = Atomic(false)
    let delay: Double
    let say: @Sendable () -> Void

    init(after delay: Double, _ say: @escaping @Sendable () -> Void) { (self.delay, self.say) = (delay, say) }
  }

  /// Does the work; calls `say` from another thread if it is not done after so many seconds.
  static func during<T>(
    _ say: @escaping @Sendable () -> Void, after delay: Double = 1.5, _ work: () throws -> T
  ) rethrows -> T {
    let watch = Watch(after: delay, say)
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(watch)
    let code = pthread_create(
      &thread, nil,
      { argument in
        let watch = Unmanaged<Watch>.fromOpaque(argument!).takeRetainedValue()
        usleep(UInt32(watch.delay * 1e6))
        if !watch.isDone.load(ordering: .acquiring) { watch.say() }
        return nil
      }, argument.toOpaque())
    // Without a thread nothing is said, and the work is done all the same.
    if code == 0 { pthread_detach(thread) } else { argument.release() }
    defer { watch.isDone.store(true, ordering: .releasing) }
    return try work()
  }
}

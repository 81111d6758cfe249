/// Measures the pace of a run's first steps, to say once how long the rest of it takes.
struct Forecast {
  /// Steps and seconds that tell enough; those before are slower, or wait for nothing yet.
  static let minimumSteps = 3, minimumSeconds = 2.0

  /// Whether the time that is measured has an evaluation in it.
  var hasEvaluation = false
  private var start: (time: ContinuousClock.Instant, step: Int)?
  private var isDone = false

  /// The seconds of a step, once they are known; nil from then on.
  mutating func secondsPerStep(at time: ContinuousClock.Instant, afterStep step: Int) -> Double? {
    guard !isDone else { return nil }
    guard let start else {
      (self.start, hasEvaluation) = ((time, step), false)
      return nil
    }
    let seconds = (time - start.time) / .seconds(1), steps = step - start.step
    guard steps >= Self.minimumSteps, seconds >= Self.minimumSeconds else { return nil }
    isDone = true
    return seconds / Double(steps)
  }
}

/// When to wait for the device: often enough for progress and signals, seldom enough to cost nothing.
struct Pace {
  /// Seconds between two looks; a step that takes longer is looked at by itself.
  static let interval = 0.2
  let clock: ContinuousClock
  let start: ContinuousClock.Instant
  let firstStep: Int
  private var nextLook: Int
  /// Seconds of a step as they were at the last look.
  private(set) var perStep = 0.0

  init(clock: ContinuousClock, firstStep: Int) {
    self.clock = clock
    self.firstStep = firstStep
    start = clock.now
    nextLook = firstStep + 1
  }

  var seconds: Double { (clock.now - start) / .seconds(1) }

  func shouldLook(atStep step: Int, of steps: Int) -> Bool { step >= nextLook || step == steps }

  mutating func looked(atStep step: Int) {
    perStep = seconds / Double(max(step - firstStep, 1))
    nextLook = step + max(1, Int(Self.interval / max(perStep, 1e-6)))
  }
}

import Datasets
import Methods
import Sessions

/// How long the parts of a run take, measured by a few of its steps.
public struct RunPace: Sendable {
  /// Seconds of a training step of a whole batch, and of evaluating one image.
  public let stepSeconds: Double, imageSeconds: Double
  /// Steps of an epoch of the first stage.
  public let steps: Int

  /// A pace of these parts.
  public init(stepSeconds: Double, imageSeconds: Double, steps: Int) {
    (self.stepSeconds, self.imageSeconds, self.steps) = (stepSeconds, imageSeconds, steps)
  }

  /// The seconds of a whole run.
  ///
  /// - Parameters:
  ///   - stages: epochs and evaluations of each of the run's networks, one after the other.
  ///   - evaluated: images of an evaluation.
  public func seconds(stages: [(epochs: Int, evaluations: Int)], evaluated: Int) -> Double {
    stages.reduce(0) { sum, stage in
      sum + Double(stage.epochs * steps) * stepSeconds + Double(stage.evaluations * evaluated) * imageSeconds
    }
  }
}

extension Trainer {
  /// Times ten steps and an evaluation of the test set; what the networks learn of it is of no use.
  ///
  /// - Throws: what the device throws.
  public func pace() throws -> RunPace {
    let warmUp = 3, measured = 10, stage = method.stages[0]
    let clock = session.clock
    func steps(_ count: Int) throws -> Double {
      var done = 0, seconds = 0.0
      while done < count {
        let batches = try method.begin(
          EpochStart(epoch: method.firstEvenEpoch, step: 0, learningRate: stage.rate(0) * 1e-3))
        let now = min(batches.count, count - done)
        seconds += try clock.seconds { for step in 0..<now { try method.step(step) } }
        done += now
      }
      return seconds / Double(count)
    }
    _ = try steps(warmUp)
    let perStep = try steps(measured)
    var perImage = 0.0
    if let test = data.evaluation, test.count > 0, stage.evaluation != .never {
      _ = try method.evaluate()
      perImage = try clock.seconds { _ = try method.evaluate() } / Double(test.count)
    }
    // A method whose epochs differ has half of the most steps, more or less.
    return RunPace(
      stepSeconds: perStep, imageSeconds: perImage, steps: max(session.batchSizes.count, method.stepLimit / 2))
  }

  /// Epochs and evaluations of each network of the run.
  public var plannedStages: [(epochs: Int, evaluations: Int)] {
    method.stages.map { stage in
      switch stage.evaluation {
      case .everyEpoch: (stage.epochs, stage.epochs)
      case .lastEpoch: (stage.epochs, 1)
      case .never: (stage.epochs, 0)
      }
    }
  }
}

import FileFormats

/// Who is told how a run goes: a bar, plain lines, a log file, or nobody.
///
/// The trainer calls `began` once, `estimated` once at most, `step` as often as it likes (it is cheap), `epoch` after each epoch, `note` at any
/// time, and `ended` once, also after a failure. Nothing here may change what is computed.
public protocol ProgressReporter: AnyObject {
  /// The run is about to start (or to go on).
  func began(_ run: RunOutline)
  /// How long a run takes that is long enough for that to matter, once its first steps have shown it. By default, nobody
  /// is told.
  func estimated(_ estimate: RunEstimate)
  /// A step, or a few of them, are done.
  func step(_ progress: StepProgress)
  /// An epoch is done and evaluated.
  func epoch(_ report: EpochReport)
  /// So many images of the data set are read; cheap, and before the run begins. By default, nobody is told.
  func loaded(_ done: Int, of count: Int)
  /// Features are computed of so many images; cheap. By default, nobody is told.
  func computed(_ done: Int, of count: Int)
  /// Something worth a line of its own.
  func note(_ text: String)
  /// Nothing more will come.
  func ended()
}

extension ProgressReporter {
  /// Does nothing.
  public func loaded(_ done: Int, of count: Int) {}
  /// Does nothing.
  public func computed(_ done: Int, of count: Int) {}
  /// Does nothing.
  public func estimated(_ estimate: RunEstimate) {}
}

/// How long the rest of a run takes.
public struct RunEstimate: Sendable, Equatable {
  /// Shorter runs are not worth a line, in seconds.
  public static let minimumSeconds = 60.0

  /// Seconds from now to the end.
  public var seconds: Double

  /// An estimate.
  public init(seconds: Double) { self.seconds = seconds }

  /// The last line of the head, with what makes a run shorter.
  public var fact: RunOutline.Fact { .init("time", "about \(NumberFormatting.roughly(seconds: seconds)); --epochs") }
}

/// What a run is, before it starts.
public struct RunOutline: Sendable, Equatable {
  /// A line of the outline: what it is about, and what there is to say.
  public struct Fact: Sendable, Equatable {
    /// One word: `device`.
    public var name: String
    /// What there is to say about it.
    public var text: String

    /// A fact.
    public init(_ name: String, _ text: String) {
      self.name = name
      self.text = text
    }
  }

  /// The lines in their order: run, device, data, model, loss, recipe and so on.
  public var facts: [Fact]
  /// Epochs that the run will have.
  public var epochs: Int

  /// An outline of these facts.
  public init(facts: [Fact], epochs: Int) {
    self.facts = facts
    self.epochs = epochs
  }
}

/// How far an epoch has come.
public struct StepProgress: Sendable, Equatable {
  /// The epoch under way: the first is 1.
  public var epoch: Int
  /// Epochs that the run will have.
  public var epochs: Int
  /// Steps done in this epoch.
  public var step: Int
  /// Steps that this epoch has.
  public var steps: Int
  /// The mean loss of the epoch so far, if it was read back.
  public var loss: Double?
  /// The training accuracy of the epoch so far in 0…1, if it was read back.
  public var accuracy: Double?
  /// Training images per second at present, if known.
  public var imagesPerSecond: Double?

  /// Progress; what was not read back stays as it was told last.
  public init(
    epoch: Int, epochs: Int, step: Int, steps: Int, loss: Double? = nil, accuracy: Double? = nil,
    imagesPerSecond: Double? = nil
  ) {
    self.epoch = epoch
    self.epochs = epochs
    self.step = step
    self.steps = steps
    self.loss = loss
    self.accuracy = accuracy
    self.imagesPerSecond = imagesPerSecond
  }

  /// The share of the whole run that is done, in 0…1.
  public var fraction: Double {
    let inEpoch = steps > 0 ? Double(step) / Double(steps) : 0
    return epochs > 0 ? min(max((Double(epoch - 1) + inEpoch) / Double(epochs), 0), 1) : 0
  }
}

/// Passes everything on to several reporters, in their order.
public final class ProgressReporters: ProgressReporter {
  private let reporters: [any ProgressReporter]

  /// Reporters in their order; with none, nothing is told to anybody.
  public init(_ reporters: [any ProgressReporter] = []) {
    self.reporters = reporters
  }

  /// Passes it on.
  public func loaded(_ done: Int, of count: Int) { reporters.forEach { $0.loaded(done, of: count) } }
  /// Passes it on.
  public func computed(_ done: Int, of count: Int) { reporters.forEach { $0.computed(done, of: count) } }
  /// Passes it on.
  public func began(_ run: RunOutline) { reporters.forEach { $0.began(run) } }
  /// Passes it on.
  public func estimated(_ estimate: RunEstimate) { reporters.forEach { $0.estimated(estimate) } }
  /// Passes it on.
  public func step(_ progress: StepProgress) { reporters.forEach { $0.step(progress) } }
  /// Passes it on.
  public func epoch(_ report: EpochReport) { reporters.forEach { $0.epoch(report) } }
  /// Passes it on.
  public func note(_ text: String) { reporters.forEach { $0.note(text) } }
  /// Passes it on.
  public func ended() { reporters.forEach { $0.ended() } }
}

import Datasets

/// A protocol with another budget.
extension RunSettings {
  /// The same protocol over a share of its epochs, 0 < `share`.
  ///
  /// What counts epochs follows: milestones, warm-up, schedules and warm-ups of the loss, ramps of the method, the epochs before
  /// anchors are looked for, the epochs of training again. Each is at least 1 where it was not 0. Batch, rate and data
  /// stay.
  public func scaled(by share: Double) -> RunSettings {
    // As many as a run can have: a table of one's own may ask for anything.
    func scaled(_ epochs: Int) -> Int { Int(min(max(1, (Double(epochs) * share).rounded()), 1e6)) }
    var other = self
    other.epochs = scaled(epochs)
    other.optimizer.milestones = Set(optimizer.milestones.map(scaled)).sorted()
    if optimizer.warmup > 0 { other.optimizer.warmup = scaled(optimizer.warmup) }
    other.detection.retrainEpochs = scaled(detection.retrainEpochs)
    (other.loss, other.method) = (loss.scaled(by: share), method.scaled(by: share))
    other.selectionMethod = selectionMethod?.scaled(by: share)
    if case .anchors(let epochs) = transition { other.transition = .anchors(epochs: scaled(epochs)) }
    return other
  }

  /// What `--retrain` trains: `train`'s defaults with this detection's data, network and loss, without the samples of a
  /// table.
  ///
  /// - Parameter table: the detection's label_issues.csv.
  public func retraining(without table: String, by exclusion: Exclusion) -> RunSettings {
    let defaults = RunSettings(), epochs = detection.retrainEpochs
    var again = with(job: .train)
    (again.epochs, again.batchSize) = (epochs, defaults.batchSize)
    again.optimizer.schedule = defaults.optimizer.schedule
    // 150 and 225 of 300.
    again.optimizer.milestones = Set([epochs / 2, epochs * 3 / 4]).filter { $0 > 0 }.sorted()
    (again.exclude, again.excludeAbove, again.excludeBy) = (.table(table), nil, exclusion)
    return again
  }
}

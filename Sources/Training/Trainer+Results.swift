import Compute
import Datasets
import Detection
import FileFormats
import Methods
import Reports
import Sessions
import Settings

/// What a run leaves at its end, and what is said at its start.
extension Trainer {
  /// The AUM of every sample that was measured.
  public func margins() throws -> (ids: [Int], margins: [Double]) {
    let (sums, counts) = try session.marginSums()
    let ids = counts.indices.filter { counts[$0] > 0 }
    return (ids, ids.map { sums[$0] / Double(counts[$0]) })
  }

  /// What a detection found; nil for another run.
  ///
  /// - Parameters:
  ///   - features: what features said, where the detector uses them.
  ///   - equal: `RunData.equalImages`, which takes time to find.
  public func finishedDetection(
    features: FeatureFindings? = nil, equal: EqualImages
  ) -> FinishedDetection? {
    guard let detection = method as? DetectionMethod<D> else { return nil }
    return FinishedDetection(
      settings: settings, data: data, equal: equal, stages: detection.networks, results: detection.results,
      features: features,
      history: history, record: journal.record, folder: journal.folder?.path ?? "")
  }

  var outline: RunOutline {
    let optimizer = settings.optimizer, device = session.device
    let driver = device.name.contains(device.driver) ? "" : "  (\(device.driver))"
    var facts = [RunOutline.Fact("device", device.name + driver + (deviceReason.map { "; auto: \($0)" } ?? ""))]
    if let folder = journal.folder { facts.insert(.init("run", folder.path), at: 0) }
    facts += RunOutline.facts(settings, data)
    facts += [
      .init("model", modelFact),
      .init("loss", "\(session.settings.loss)"),
    ]
    if settings.method.entry.name != "plain" {
      facts.append(.init("method", "\(settings.method)"))
    }
    let teachers = settings.teachers.paths
    if !teachers.isEmpty { facts.append(.init("teacher", teachers.joined(separator: ", "))) }
    let networkCount = settings.largestMethod.networks
    if let memoryNeed, networkCount + teachers.count > 1 {
      let taught = teachers.isEmpty ? "" : " and \(teachers.count) teacher\(teachers.count == 1 ? "" : "s")"
      let networks = "\(networkCount) network\(networkCount == 1 ? "" : "s")"
      facts.append(.init("memory", "\(memoryNeed / 1_000_000) MB for \(networks)\(taught), with activations and data"))
    }
    facts.append(
      .init(
        "recipe",
        "\(optimizer.kind.rawValue) lr \(optimizer.learningRate)"
          + (optimizer.kind == .sgd
            ? " momentum \(optimizer.momentum)\(optimizer.nesterov ? " nesterov" : "")"
            : " betas \(optimizer.firstDecay), \(optimizer.secondDecay)")
          + " wd \(optimizer.weightDecay) · \(method.stages[0].rate.schedule.rawValue)"
          + " · batch \(settings.batchSize) · \(settings.epochs) epochs · seed \(settings.seed)"))
    if settings.job == .detect {
      facts.append(.init("detector", detectorFact(settings.detection)))
      if settings.detection.detector.usesMargins { facts.append(.init("terms", Self.terms)) }
    }
    if !history.epochs.isEmpty || position.totalSteps > 0 {
      facts.append(.init("resume", "after epoch \(history.epochs.count), step \(position.totalSteps)"))
    }
    return RunOutline(facts: facts, epochs: epochs)
  }

  private var modelFact: String {
    let first =
      "\(settings.model)  \(session.parameters.count) parameters"
      + (frozen.map { " in the last layer; \($0.parameterCount) others stay as they are" } ?? "")
    guard settings.method.namesNetworks else { return first }
    return
      ([first]
      + method.members.dropFirst().map { "\($0.settings.network)  \($0.parameters.count) parameters" })
      .joined(separator: " · ")
  }

  /// The words of a detection by margins, where they first stand.
  private static var terms: String {
    "pass: training one new network · threshold samples: moved to an extra class, to show what a wrong label looks like "
      + "· AUM, area under the margin: how much networks prefer the label to all others, over the epochs"
  }

  private func detectorFact(_ detection: DetectionSettings) -> String {
    var parts: [String] = []
    let networks = (method as? DetectionMethod<D>)?.networks ?? []
    if detection.detector.usesMargins, case .pass(let thresholds)? = networks.first?.kind {
      parts.append(
        "area under the margin (\(detection.margin.rawValue)), \(detection.passes) passes with \(thresholds.count) "
          + "threshold samples, percentile \(NumberFormatting.decimal(detection.percentile, places: 2)), "
          + "\(detection.combine.rawValue)")
    }
    if detection.detector.usesFolds {
      parts.append("confident learning, \(detection.folds) folds, \(detection.filter.rawValue)")
    }
    if let selection = settings.effectiveSelection { parts.append("suspicion of \(selection)") }
    return parts.joined(separator: " · ")
  }
}

extension RunOutline {
  /// What the head of a run says of its data.
  static func facts(_ settings: RunSettings, _ data: RunData) -> [Fact] {
    let judged = settings.job == .detect ? settings.detection.split.rawValue : "train"
    let dataset = data.dataset, part = dataset.test == nil && data.evaluation != nil ? "held out" : "test"
    var facts = [
      Fact(
        "data",
        "\(dataset.name)  \(judged) \(data.judged.labelledIDs.count)"
          + (settings.job == .train ? " · \(part) \(data.evaluation?.count ?? 0)" : "")
          + " · \(dataset.classCount) classes")
    ]
    // Features are computed of squares of their own.
    if let sizing = dataset.sizing {
      facts.append(.init("images", settings.trainsNetworks ? sizing.text : sizing.filesText))
    }
    if let reviewed = data.reviewed { facts.append(.init("verdicts", reviewed.summary)) }
    if let noise = data.noise { facts.append(.init("noise", noise.summary)) }
    if let trusted = dataset.trusted { facts.append(.init("trusted", trusted.summary)) }
    return facts
  }
}

import Datasets
import Detection
import FileFormats
import Losses
import Pages
import Reports
import Statistics

/// Gathers what the page about a detection shows, a function of a finished detection and the time.
public enum DetectionReport {
  /// Samples of each kind in the blind check.
  static let blindCount = 50
  /// The most suspicious samples, which are shown with their image.
  static let mostImages = 1000
  /// The most bytes of the whole page.
  static let mostBytes = 25_000_000
  /// Near-duplicates that are shown with their image, besides the most suspicious.
  private static let mostOfGroups = 300
  /// Groups of equal images that are shown with their image.
  private static let mostGroups = 50

  /// The page about a finished detection, which says that it was written at `time`.
  ///
  /// - Throws: `.outOfMemory`, when an image cannot be encoded.
  public static func page(_ finished: FinishedDetection, written time: UTCTime = .now) throws -> DetectionPage {
    let dataset = finished.data.dataset, result = finished.result, usesArea = result.ranksByArea
    let ranked = result.samples.sorted { $0.rank < $1.rank }
    let paths = dataset.train.paths
    var page = DetectionPage(
      data: .init(
        name: dataset.name, source: dataset.source + judgedPhrase(finished), classNames: dataset.classNames,
        fingerprint: finished.fingerprint),
      samples: ranked.map { sample in
        DetectionPage.Sample(
          id: sample.id, rank: sample.rank,
          key: sample.isReviewed ? nil : usesArea ? sample.area : sample.quality, given: sample.given,
          suggested: sample.suggested, confidence: sample.suggestedConfidence, isFlagged: sample.isIssue,
          truth: sample.truth, path: paths.isEmpty ? nil : paths[sample.id])
      }, tables: finished.tables)
    (page.score, page.passCorrelation, page.duplicates) = (result.score, result.passCorrelation, result.duplicates)
    addGroups(finished, to: &page)
    page.classAccuracies = finished.classAccuracies ?? []
    page.measure = measure(result)
    page.statement =
      result.features.map { FeatureStatement($0, classNames: dataset.classNames).text } ?? result.selectionStatement
    if usesArea {
      let cuts = result.passes.compactMap(\.cutoff.area)
      page.cut = cuts.isEmpty ? nil : cuts.reduce(0, +) / Double(cuts.count)
      page.thresholds = result.passes.flatMap(\.cutoff.thresholds)
    }
    (page.root, page.absentPrefix) = (dataset.root.map(FileBytes.absolute), dataset.absentPrefix)
    page.blindCheck = blindCheck(ranked, seed: finished.settings.seed)
    let groups = result.duplicates.filter(\.hasDifferentLabels).prefix(mostGroups).map { Int($0.ids[0]) }
    // What must have its image comes first; the most suspicious fill the room that is left.
    var seen: Set<Int> = []
    let others = page.groups.flatMap { $0 }.prefix(mostOfGroups)
    let wanted = (page.blindCheck + groups + ranked.prefix(mostImages).map(\.id) + others)
      .filter { seen.insert($0).inserted }
    addMargins(finished, of: wanted, to: &page)
    page.blankImages = blankImages(dataset.train)
    page.unreadable = dataset.badImages.map { ($0.path, $0.reason) }
    page.facts = try facts(finished, written: time)
    page.commands = commands(finished)
    page.images = try DetectionImages(of: wanted, settings: finished.settings, dataset: dataset)
      .fitting(page, mostBytes: mostBytes)
    return page
  }

  private static func measure(_ result: DetectionResult) -> DetectionPage.Measure {
    let detector = result.settings.detector, isUnlearnt = result.selectionAgreement?.isLearnt == false
    guard detector.isAlone || isUnlearnt else { return .rank }
    switch detector.isAlone ? detector.selection : nil {
    case .divideMix: return .divided
    case .coTeaching: return .loss
    case nil: return detector.usesMargins ? .area : detector.usesFolds ? .quality : .probability
    }
  }

  /// Suspected and other judged samples in one random order; as many as there are, up to 50 each.
  private static func blindCheck(_ ranked: [DetectionResult.Sample], seed: UInt64) -> [Int] {
    let random = CounterRandom(seed: seed)
    func shuffled(_ ids: [Int], _ draw: UInt32) -> [Int] {
      random.permutation(of: ids.count, .blindCheck, draw).map { ids[Int($0)] }
    }
    let flagged = shuffled(ranked.filter(\.isIssue).map(\.id), 0).prefix(blindCount)
    let others = shuffled(ranked.filter { !$0.isIssue && $0.quality != nil && !$0.isReviewed }.map(\.id), 1).prefix(
      blindCount)
    return shuffled(Array(flagged) + others, 2)
  }

  /// The mean over the passes in which a sample had its own label, epoch by epoch.
  private static func addMargins(_ finished: FinishedDetection, of ids: [Int], to page: inout DetectionPage) {
    let labels = finished.data.judged.labels
    let sources = zip(finished.stages, finished.results).filter { $0.0.isPass }.map {
      (own: $0.0.hasOwnLabel(labels), sketch: $0.1.sketch)
    }
    guard let epochs = sources.first?.sketch.epochs, epochs.count > 1 else { return }
    for id in ids {
      let passes = sources.filter { $0.own[id] && $0.sketch.epochs == epochs }
      guard !passes.isEmpty else { continue }
      page.margins[id] = epochs.indices.map { row in
        let known = passes.map { $0.sketch.rows[row][id] }.filter(\.isFinite)
        return known.isEmpty ? .nan : known.reduce(0, +) / Float(known.count)
      }
    }
  }

  /// Samples whose values are all but equal in every channel.
  private static func blankImages(_ set: LabelledSet) -> [Int] {
    let size = set.images.imageSize, channels = set.images.channels
    return set.images.pixels.withUnsafeBufferPointer { pixels in
      set.labelledIDs.map { Int($0) }.filter { id in
        let values = pixels[id * size..<(id + 1) * size]
        return values.indices.allSatisfy { index in
          let first = values[values.startIndex + (index - values.startIndex) % channels]
          return abs(Int(values[index]) - Int(first)) <= 2
        }
      }
    }
  }

  private static func facts(_ finished: FinishedDetection, written time: UTCTime) throws -> [DetectionPage.Fact] {
    let settings = finished.settings, result = finished.result, detection = result.settings, folder = finished.folder
    var facts: [DetectionPage.Fact] = []
    if let record = finished.record {
      facts.append(.init("command", line(record.arguments.dropFirst()), isCommand: true))
    }
    // The command may have been one that resumes; the configuration has every setting.
    facts += [
      .init("to repeat it", line(["detect", "--config", folder + "/config.toml"]), isCommand: true),
      .init("run", folder),
    ]
    if let record = finished.record {
      let driver = record.driver.isEmpty || record.device.contains(record.driver) ? "" : " (\(record.driver))"
      facts += [
        .init("program", "gpunoisy \(record.version), started \(record.started.text), written \(time.text)"),
        .init("device", record.device + driver),
      ]
    }
    facts.append(.init("data fingerprint", finished.fingerprint))
    if let found = result.features {
      facts += [
        .init("features", "\(found.source.title); \(NumberFormatting.decimal(found.seconds, places: 1)) s"),
        .init(
          "judged by",
          "ridge regression on one-hot labels, each sample left out in closed form; chances by a likelihood with a rate "
            + "of wrong labels for each class"),
      ]
    }
    if detection.detector.trainsNetworks {
      facts.append(
        .init(
          "training",
          // The loss in full, as config.toml has it.
          "\(settings.model), \(settings.loss), learning rate "
            + "\(NumberFormatting.shortest(settings.optimizer.learningRate)), batch \(settings.batchSize), "
            + "\(settings.epochs) epochs, seed \(settings.seed)"))
    }
    if !result.passes.isEmpty {
      let counts = result.passes.map { "\($0.ids.count)" }.joined(separator: " and ")
      let cuts = result.passes.compactMap(\.cutoff.area).map { NumberFormatting.decimal($0, places: 3) }
      facts += [
        .init("threshold samples", "\(counts), one set for each pass, moved to an extra class"),
        .init(
          "cut-off",
          "percentile \(NumberFormatting.shortest(detection.percentile)) of them: "
            + cuts.joined(separator: " and ")),
        .init(
          "margins", "of \(detection.margin.rawValue), each step before its update, epochs 2 to \(settings.epochs)"),
        .init("verdict", "\(detection.combine.rawValue) of \(result.passes.count) passes"),
        .init("paper", "Pleiss et al., Identifying Mislabeled Data using the Area Under the Margin Ranking, 2020"),
      ]
    }
    if detection.detector.usesFolds {
      facts.append(
        .init(
          "confident learning",
          "\(detection.folds) folds, \(detection.filter.rawValue), ranked by \(detection.quality.rawValue) "
            + "(Northcutt et al., Confident Learning: Estimating Uncertainty in Dataset Labels, 2021)"))
    }
    if let selection = settings.effectiveSelection {
      facts.append(.init("method", "\(selection), trained on all samples (\(selection.entry.source))"))
    }
    return facts
  }
}

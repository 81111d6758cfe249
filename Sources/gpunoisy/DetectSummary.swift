import Detection
import FileFormats
import Reports
import Training

/// A detection's result as text for people.
struct DetectSummary {
  let result: DetectionResult
  let tables: DetectionTables
  let classNames: [String]
  /// What is said of images in several parts; nil where there are none.
  var overlap: String?

  /// Classes and pairs that are shown; the files have all.
  private static let maxClassesInTable = 20, maxPairs = 10

  var text: String {
    let count = result.samples.count, flagged = result.samples.count(where: \.isIssue)
    var text = result.features.map { "\n\(FeatureStatement($0, classNames: classNames).text)\n\n" } ?? ""
    // Nothing listed and nothing known makes a table of zeros.
    if flagged > 0 || result.features == nil || result.score != nil { text += classTable + pairTable }
    text +=
      "suspected      \(flagged) of \(count) labels, "
      + "\(NumberFormatting.percent(Double(flagged) / Double(max(count, 1))))\n"
    if result.features == nil, result.verdict == .cannotTell, !result.settings.trusts {
      text +=
        "verdict        more than half of the labels would be suspected, so that the networks have learned too little: "
        + "none is listed\n"
    }
    if let statement = result.selectionStatement { text += "verdict        \(statement)\n" }
    if let reviewed = result.reviewed {
      text += "reviewed       \(reviewed.summary); trusted, and not listed again\n"
    }
    if result.extraClassShare > DetectionResult.mostForExtraClass {
      text +=
        "extra class    it takes \(NumberFormatting.percent(result.extraClassShare, places: 0)) of the samples from their "
        + "classes, so that areas say little: use more --epochs, or fewer --threshold-samples\n"
    }
    let unjudged = result.samples.count { $0.quality == nil && !$0.isReviewed }
    if unjudged > 0 {
      let reason = result.passes.isEmpty ? "" : ", which were threshold samples in every pass"
      text += "not judged     \(unjudged) samples\(reason)\n"
    }
    if let correlation = result.passCorrelation {
      text +=
        "agreement      rank correlation of the first two passes \(NumberFormatting.decimal(correlation, places: 3))\n"
      if correlation < DetectionResult.leastCorrelation {
        text += "               the passes hardly agree, so this is mostly chance: use more --epochs\n"
      }
    }
    let differing = result.duplicates.filter(\.hasDifferentLabels)
    if !differing.isEmpty {
      let images = differing.reduce(0) { $0 + $1.ids.count }
      text += "duplicates     \(images) equal images in \(differing.count) groups have different labels\n"
    }
    if let overlap { text += "warning        \(overlap); see overlap.csv\n" }
    if let score = result.score { text += Self.line(score) }
    return text
  }

  private static func line(_ score: DetectionScore) -> String {
    func percent(_ value: Double?) -> String { value.map { NumberFormatting.percent($0) } ?? "none" }
    func decimal(_ value: Double?) -> String { value.map { NumberFormatting.decimal($0, places: 4) } ?? "none" }
    return """
      truth          \(score.wrong) of \(score.samples) labels are wrong, \(score.hits) of them suspected
      precision      \(percent(score.precision))   recall \(percent(score.recall))   F1 \(percent(score.f1))
      ranking        AUROC \(decimal(score.areaUnderROC))   average precision \(decimal(score.averagePrecision))

      """
  }

  private var classTable: String {
    let hasTruth = tables.classes.contains { $0.wrong != nil }
    let hasArea = tables.classes.contains { $0.meanArea != nil }
    var table = TextTable(
      [
        .init("class"), .init("samples", .right), .init("suspected", .right), .init("share", .right),
        .init("from others", .right),
      ] + (hasArea ? [.init("mean AUM", .right)] : []) + (hasTruth ? [.init("wrong", .right)] : []))
    var classes = tables.classes
    func share(_ found: DetectionTables.Class) -> Double { Double(found.flagged) / Double(max(found.size, 1)) }
    if classes.count > Self.maxClassesInTable {
      classes = Array(classes.sorted { (share($1), $0.label) < (share($0), $1.label) }.prefix(Self.maxClassesInTable))
    }
    for found in classes {
      table.append(
        [
          classNames[found.label], "\(found.size)", "\(found.flagged)",
          NumberFormatting.percent(share(found), places: 1),
          "\(found.suggested)",
        ] + (hasArea ? [found.meanArea.map { NumberFormatting.decimal($0, places: 2) } ?? ""] : [])
          + (hasTruth ? ["\(found.wrong ?? 0)"] : []))
    }
    let rest = tables.classes.count - classes.count
    return table.text + (rest > 0 ? "… and \(rest) classes with smaller shares\n" : "") + "\n"
  }

  private var pairTable: String {
    guard !tables.pairs.isEmpty else { return "" }
    var table = TextTable([.init("given"), .init("suggested"), .init("samples", .right)])
    for pair in tables.pairs.prefix(Self.maxPairs) {
      table.append([classNames[pair.given], classNames[pair.predicted], "\(pair.count)"])
    }
    let rest = tables.pairs.count - Self.maxPairs
    return table.text + (rest > 0 ? "… and \(rest) more pairs\n" : "") + "\n"
  }
}

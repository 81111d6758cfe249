import FileFormats

/// What a detection by features says, in sentences for people.
public struct FeatureStatement: Sendable {
  /// What was found.
  public let findings: FeatureFindings
  /// The names of the data set's classes.
  public let classNames: [String]

  /// A statement about findings in a data set with these classes.
  public init(_ findings: FeatureFindings, classNames: [String]) {
    (self.findings, self.classNames) = (findings, classNames)
  }

  /// The verdict and what it rests on, one sentence after the other.
  public var text: String { ([verdict] + [smallClasses, pretrained].compactMap { $0 }).joined(separator: " ") }

  /// The verdict.
  public var verdict: String {
    guard let found = findings.judgement else {
      return "Nothing can be said about these labels: fewer than two classes have \(FeatureFindings.leastJudged) "
        + "images or more, or the images are all alike."
    }
    let whole = self.whole(found), listed = found.isListed.count { $0 }
    let heldOut =
      "held out, \(percent(found.agreement)) of the images are taken for the class of their label; "
      + "guessing gives \(percent(found.guessing))"
    switch found.verdict {
    case .notLearnt:
      return "These images could not be distinguished: \(heldOut). Nothing is listed."
    case .none:
      return "No sign of wrong labels (at most \(count(found.most)) of \(whole)). \(capitalized(heldOut))."
    case .cannotTell:
      return "Whether labels are wrong cannot be determined: the images of these classes look too alike, or there are "
        + "too few. The order may still help: wrong labels stand nearer its beginning."
    case .few:
      let likely = "\(listed == 1 ? "the likeliest one is" : "the \(grouped(listed)) likeliest are") listed"
      return "Hardly any label is wrong (some \(count(found.share)) of \(whole)); "
        + "\(listed == 0 ? "none is likely enough to be listed" : likely)."
    case .rough:
      let (low, high) = (count(found.share), count(found.most))
      let number = low == high ? low : "\(low) to \(high)"
      var text = "Some labels are wrong, perhaps \(number) of \(whole). The classes are hard to distinguish "
      text += "(\(heldOut))"
      guard listed > 0, let right = found.expectedRight else { return text + ". None is likely enough to be listed." }
      return text + ": of the \(grouped(listed)) listed, about \(grouped(Int((right * Double(listed)).rounded()))) "
        + "should be wrong."
    case .list:
      var text = "About \(grouped(found.estimate)) of \(self.whole(found, "labels")) are wrong"
      text += listed == found.estimate ? ", and listed" : "; \(grouped(listed)) are listed"
      if let right = found.expectedRight {
        text += "; some \(grouped(Int((right * Double(listed)).rounded()))) of these should be truly wrong"
      }
      text += "."
      if let recall = found.expectedFound {
        text += " Tried with made-up wrong labels, the list finds \(Int((recall * 100).rounded())) of 100."
      }
      return text + " Look at each before you change it."
    }
  }

  /// How many labels are in question: all, or those that nobody has looked at.
  private func whole(_ found: FeatureJudgement, _ noun: String? = nil) -> String {
    let number = grouped(found.questioned) + (noun.map { " \($0)" } ?? "")
    return found.isTrusted.contains(true) ? "the \(number) that nobody has looked at" : number
  }

  /// Names classes that are too small to be judged, or nearly so.
  private var smallClasses: String? {
    func names(_ labels: [Int]) -> String {
      let shown = labels.prefix(5).map { "'\(classNames.indices.contains($0) ? classNames[$0] : "\($0)")'" }
      return shown.joined(separator: ", ") + (labels.count > 5 ? " and \(labels.count - 5) more" : "")
    }
    var parts: [String] = []
    if !findings.tooSmall.isEmpty {
      parts.append(
        "Not judged, with fewer than \(FeatureFindings.leastJudged) images: \(names(findings.tooSmall)).")
    }
    if !findings.small.isEmpty {
      parts.append(
        "With fewer than \(FeatureFindings.fewSamples) images, less sure: \(names(findings.small)).")
    }
    return parts.isEmpty ? nil : parts.joined(separator: " ")
  }

  /// What would help where patches were too weak.
  private var pretrained: String? {
    guard findings.source == .patches, !findings.verdict.isTrusted || findings.judgement == nil else { return nil }
    return "With a pretrained network this is far more exact: see 'gpunoisy weights'."
  }

  private func count(_ share: Double) -> String {
    grouped(Int((share * Double(findings.judgement?.questioned ?? 0)).rounded()))
  }
  private func grouped(_ number: Int) -> String { NumberFormatting.grouped(number) }
  private func percent(_ share: Double) -> String { NumberFormatting.percent(share, places: 0) }
  private func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
}

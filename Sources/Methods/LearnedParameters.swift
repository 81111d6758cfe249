import Failures
import Losses

/// The parameters of a loss that are learned, and how their values become numbers that a kernel reads.
struct LearnedParameters: Sendable {
  /// The text for those that the paper learns.
  static let automatic = "auto"

  /// The parameters that the paper, arXiv 2002.06482, learns, by the loss.
  private static let published = [
    "gce": ["q"], "sce": ["alpha", "beta"], "polysoft": ["d"], "bitempered": ["t1", "t2"],
  ]

  /// Their names.
  let names: [String]
  private let loss: Loss
  /// Their places among the parameters of the loss.
  private let places: [Int]

  /// Finds parameters of a loss.
  ///
  /// - Parameter text: their names with plus signs between, or `auto`.
  /// - Throws: `.configuration` for a parameter that the loss lacks, or that cannot be learned.
  init(_ text: String, of loss: Loss) throws(Failure) {
    let entry = loss.entry, learnable = entry.parameters.filter { !$0.isWhole }.map(\.name)
    if text == Self.automatic {
      guard let names = Self.published[entry.name] ?? (learnable.count == 1 ? learnable : nil) else {
        throw Self.refusal(
          loss, "does not say which parameters of --loss \(entry.name) are learned.",
          learnable.isEmpty ? "the loss has none that can be." : "it has \(learnable.joined(separator: ", ")).",
          learnable.isEmpty
            ? "use a loss with parameters, such as --loss gce:q=0.7." : "add them, such as learn=\(learnable[0]).")
      }
      self.names = names
    } else {
      names = text.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
    }
    var places: [Int] = []
    for name in names {
      guard learnable.contains(name), let place = entry.parameters.firstIndex(where: { $0.name == name }) else {
        throw Self.refusal(
          loss, "cannot learn '\(name)' of --loss \(entry.name).",
          learnable.isEmpty
            ? "the loss has no parameters that can be learned."
            : "those that can be learned are \(learnable.joined(separator: ", ")).",
          learnable.isEmpty ? "use a loss with parameters, such as --loss gce:q=0.7." : "write learn=\(learnable[0]).")
      }
      guard !places.contains(place) else {
        throw Self.refusal(loss, "learns '\(name)' twice.", "learn is \(text).", "write each parameter once.")
      }
      guard loss.schedules[place].points.count == 1 else {
        throw Self.refusal(
          loss, "cannot learn '\(name)', whose values over the epochs are given.", "it is \(loss.schedules[place]).",
          "give the value that it begins with, or learn another parameter.")
      }
      places.append(place)
    }
    // The derivative of such a loss is not what networks learn from.
    if let place = entry.parameters.firstIndex(where: { $0.name.hasSuffix("detached") }),
      loss.schedules[place].points.contains(where: { $0.value > 0 })
    {
      throw Self.refusal(
        loss, "cannot be used with --loss \(entry.name) and detached=1.",
        "its gradient is not the derivative of its value, by which parameters are learned.", "use detached=0.")
    }
    (self.loss, self.places) = (loss, places)
  }

  private static func refusal(_ loss: Loss, _ what: String, _ why: String, _ fix: String) -> Failure {
    Failure(.configuration, "--method \(MethodEntry.adaptiveLoss) \(what)", why: why, fix: fix)
  }

  /// The values that the loss was given.
  var start: [Float] { places.map { loss.values()[$0] } }

  /// A parameter's range.
  func range(_ index: Int) -> ClosedRange<Float> { loss.entry.parameters[places[index]].range }

  /// The two values between which the derivative by a parameter is taken: 1/256 of the value, or of 1 where that is more,
  /// below and above it, within its range.
  func neighbours(of value: Float, _ index: Int) -> (below: Float, above: Float) {
    let range = range(index), width = range.upperBound - range.lowerBound
    let step = min(max(abs(value), 1), width) / 256
    return (max(value - step, range.lowerBound), min(value + step, range.upperBound))
  }

  /// What the kernel of the loss reads for these values.
  func kernelParameters(_ values: [Float], epoch: Int) -> [Float] {
    zip(places, values).reduce(loss) { $0.setting($1.0, to: $1.1) }.kernelParameters(epoch: epoch)
  }
}

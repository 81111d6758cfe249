import Failures
import Statistics

/// The noise models, and how they are called on the command line.
public enum NoiseCatalogue {
  /// All models.
  public static let models: [any NoiseModel.Type] = [
    NoNoise.self, SymmetricNoise.self, RandomLabels.self, AsymmetricNoise.self, SequentialNoise.self,
    HierarchicalNoise.self, PairFlipNoise.self, FlipNoise.self, TwoFlipNoise.self, RandomMatrixNoise.self,
    SparseNoise.self, PeerLossNoise.self, MatrixNoise.self, PartDependentNoise.self, PolynomialMarginNoise.self,
    SEALNoise.self, PublishedLabels.self,
  ]

  /// All models' lines for help texts.
  public static var entries: [NoiseEntry] { models.map { $0.entry } }

  /// The model that a text such as `symmetric:0.4` names; several joined by `+` work one after another.
  ///
  /// - Throws: `.usage`.
  public static func parse(_ text: String) throws -> any NoiseModel {
    let parts = Self.parts(of: text)
    guard parts.count > 1 else { return try single(text) }
    return try NoiseChain(parts.map { try single($0) })
  }

  private static func single(_ text: String) throws -> any NoiseModel {
    let colon = text.firstIndex(of: ":") ?? text.endIndex
    let name = String(text[..<colon])
    guard let model = models.first(where: { $0.entry.name == name }) else {
      throw Failure.unknown(
        "noise", name, names: entries.map(\.name),
        fix: "choose one of these; 'gpunoisy data noise --list' explains them.")
    }
    let rest = colon == text.endIndex ? "" : String(text[text.index(after: colon)...])
    return try model.init(arguments: NoiseArguments(text: text, rest: rest, entry: model.entry))
  }

  /// The parts of a chain: a `+` divides where the name of a model and a colon or the end follow, since files may have
  /// a `+` in their names.
  private static func parts(of text: String) -> [String] {
    var parts: [String] = []
    for piece in text.split(separator: "+", omittingEmptySubsequences: false).map(String.init) {
      let name = piece.prefix { $0 != ":" }
      if parts.isEmpty || models.contains(where: { $0.entry.name == name }) {
        parts.append(piece)
      } else {
        parts[parts.count - 1] += "+" + piece
      }
    }
    return parts
  }
}

/// Noises one after another, each on the labels of the one before, with draws of its own.
///
/// - Source: Zhang et al. (PLC), ICLR 2021, put symmetric or asymmetric noise on top of noise by images ("hybrid").
struct NoiseChain: NoiseModel {
  static let entry = NoiseEntry(
    name: "A+B", grammar: "A+B", summary: "Noise A, then noise B on its labels.",
    source: "Zhang et al. (PLC), ICLR 2021")

  private(set) var parts: [any NoiseModel]

  init(_ parts: [any NoiseModel]) { self.parts = parts }

  init(arguments: NoiseArguments) throws { throw arguments.wrong("a chain has no name of its own") }

  var text: String { parts.map(\.text).joined(separator: "+") }
  var files: [String] { parts.flatMap(\.files) }

  mutating func changeFiles(_ change: (String) -> String) {
    for index in parts.indices { parts[index].changeFiles(change) }
  }

  func labels(for dataset: Dataset, draws: NoiseDraws) throws -> NoisyLabels {
    var changed = dataset
    changed.train.trueLabels = dataset.train.trueLabels ?? dataset.train.labels
    var result = NoisyLabels(
      labels: dataset.train.labels, expected: TransitionMatrix(identity: dataset.classCount), isDrawn: false)
    for (stage, part) in parts.enumerated() {
      let next = try part.labels(for: changed, draws: draws.part(stage))
      changed.train.labels = next.labels
      result = NoisyLabels(
        labels: next.labels, expected: result.expected.followed(by: next.expected),
        isDrawn: result.isDrawn || next.isDrawn, notes: result.notes + next.notes)
    }
    return result
  }
}

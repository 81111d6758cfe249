import Failures
import Statistics

/// A way in which labels become wrong: for each class, the chances of the labels that its samples get.
///
/// A conformer must pass: every row of its matrix sums to 1; parsing its `text` gives an equal model; the realised
/// matrix of 50,000 samples lies within binomial bounds of the requested one.
public protocol NoiseModel: Sendable {
  /// What the catalogue says about it.
  static var entry: NoiseEntry { get }

  /// Reads what follows the name and the colon on the command line.
  ///
  /// - Throws: `.usage` for an unknown word or a value out of range.
  init(arguments: NoiseArguments) throws

  /// The model as written on the command line.
  var text: String { get }

  /// The chances [K, K] for the classes of a data set.
  ///
  /// - Throws: `.usage` when the model does not fit the data set; `.badInput` or `.missingInput` for a matrix file.
  func transition(for dataset: Dataset) throws -> TransitionMatrix
}

/// One line of the catalogue of noise models.
public struct NoiseEntry: Sendable {
  /// The first word of the model's text.
  public let name: String
  /// How it is written, such as `symmetric:R[,inclusive]`.
  public let grammar: String
  /// One sentence.
  public let summary: String
  /// Where it is defined.
  public let source: String
}

/// The noise models, and how they are called on the command line.
public enum NoiseCatalogue {
  /// All models.
  public static let models: [any NoiseModel.Type] = [
    NoNoise.self, SymmetricNoise.self, AsymmetricNoise.self, PairFlipNoise.self, MatrixNoise.self,
  ]

  /// All models' lines for help texts.
  public static var entries: [NoiseEntry] { models.map { $0.entry } }

  /// The model that a text such as `symmetric:0.4` names.
  ///
  /// - Throws: `.usage`.
  public static func parse(_ text: String) throws -> any NoiseModel {
    let colon = text.firstIndex(of: ":") ?? text.endIndex
    let name = String(text[..<colon])
    guard let model = models.first(where: { $0.entry.name == name }) else {
      throw Failure(
        .usage, "there is no noise called '\(name)'.",
        why: "the models are \(entries.map(\.grammar).joined(separator: ", ")).", fix: "choose one of these.")
    }
    let rest = colon == text.endIndex ? "" : String(text[text.index(after: colon)...])
    return try model.init(arguments: NoiseArguments(text: text, rest: rest, entry: model.entry))
  }
}

/// What follows a noise model's name, with failures that show how it is written.
public struct NoiseArguments: Sendable {
  let text: String
  let rest: String
  let entry: NoiseEntry

  /// The comma-separated words.
  var words: [String] {
    rest.isEmpty ? [] : rest.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }

  /// A rate in 0...1.
  func rate(_ word: String) throws -> Double {
    guard let rate = Double(word), rate >= 0, rate <= 1 else { throw wrong("'\(word)' is not a rate between 0 and 1") }
    return rate
  }

  func wrong(_ why: String) -> Failure {
    Failure(.usage, "the noise '\(text)' is not valid.", why: "\(why).", fix: "write it as \(entry.grammar).")
  }
}

/// No noise: labels stay as they are given.
public struct NoNoise: NoiseModel {
  /// What the catalogue says about it.
  public static let entry = NoiseEntry(
    name: "none", grammar: "none", summary: "Labels stay as they are given.", source: "-")

  /// Reads nothing; anything after the name is a `.usage` failure.
  public init(arguments: NoiseArguments) throws {
    guard arguments.rest.isEmpty else { throw arguments.wrong("none takes no value") }
  }

  /// `none`.
  public var text: String { "none" }

  /// The identity.
  public func transition(for dataset: Dataset) -> TransitionMatrix { TransitionMatrix(identity: dataset.classCount) }
}

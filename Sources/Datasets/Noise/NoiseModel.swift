import Failures
import Statistics

/// A way in which labels become wrong.
///
/// A conformer must pass: parsing its `text` gives an equal model; the same seed gives the same labels; the realised
/// matrix of 50,000 samples lies within binomial bounds of the expected one; samples without a label keep none.
public protocol NoiseModel: Sendable {
  /// What the catalogue says about it.
  static var entry: NoiseEntry { get }

  /// Reads what follows the name and the colon on the command line; files are not opened yet.
  ///
  /// - Throws: `.usage` for an unknown word or a value out of range.
  init(arguments: NoiseArguments) throws

  /// The model as written on the command line.
  var text: String { get }

  /// The files that it reads.
  var files: [String] { get }

  /// Names each of these files otherwise, such as by its absolute path.
  mutating func changeFiles(_ change: (String) -> String)

  /// The labels that the training samples get in place of their own.
  ///
  /// - Throws: `.usage` when the model does not fit the data set; `.badInput` or `.missingInput` for a file.
  func labels(for dataset: Dataset, draws: NoiseDraws) throws -> NoisyLabels
}

extension NoiseModel {
  /// None.
  public var files: [String] { [] }

  /// Nothing is named.
  public mutating func changeFiles(_ change: (String) -> String) {}
}

/// Labels that noise made, and what was to be expected of it.
public struct NoisyLabels: Sendable, Equatable {
  /// The labels [N] in the order of ids; `LabelledSet.noLabel` where there was none.
  public let labels: [Int32]
  /// The chances [K, K] of each class's samples to carry each label: those of the model for noise by class, the mean
  /// over the class's samples for noise that depends on the image.
  public let expected: TransitionMatrix
  /// Whether another seed would give other labels.
  public let isDrawn: Bool
  /// How the entries of files were matched to samples, as lines for people.
  public let notes: [String]

  /// Labels with what was expected.
  public init(labels: [Int32], expected: TransitionMatrix, isDrawn: Bool = true, notes: [String] = []) {
    (self.labels, self.expected, self.isDrawn, self.notes) = (labels, expected, isDrawn, notes)
  }
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
  /// The worst of what misleads those who compare with published numbers, in a line; empty where nothing is known.
  public let brief: String
  /// All of it.
  public let trap: String

  init(name: String, grammar: String, summary: String, source: String, brief: String = "", trap: String = "") {
    (self.name, self.grammar, self.summary, self.source) = (name, grammar, summary, source)
    (self.brief, self.trap) = (brief, trap)
  }
}

/// No noise: labels stay as they are given.
public struct NoNoise: NoiseModel {
  /// What the catalogue says about it.
  public static let entry = NoiseEntry(
    name: "none", grammar: "none", summary: "Labels stay as given.", source: "-")

  /// The only one.
  public init() {}

  /// Reads nothing; anything after the name is a `.usage` failure.
  public init(arguments: NoiseArguments) throws {
    guard arguments.rest.isEmpty else { throw arguments.wrong("none takes no value") }
  }

  /// `none`.
  public var text: String { "none" }

  /// The labels as they are.
  public func labels(for dataset: Dataset, draws: NoiseDraws) -> NoisyLabels {
    NoisyLabels(labels: dataset.train.labels, expected: TransitionMatrix(identity: dataset.classCount), isDrawn: false)
  }
}

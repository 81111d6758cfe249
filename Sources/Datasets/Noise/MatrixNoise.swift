import FileFormats
import Statistics

/// Noise by a matrix from a file: row = class, column = label, rows sum to 1; see `TransitionMatrix.init(fromFile:…)`.
struct MatrixNoise: ClassNoise {
  static let entry = NoiseEntry(
    name: "matrix", grammar: "matrix:FILE",
    summary: "By a K x K matrix from a file (.npy, text, or a run's noise_transition.csv), rows summing to 1.",
    source: "-",
    brief: "a row is a true class; some code uses columns.",
    trap: "A row is a true class, a column a given label; a transposed matrix shows only where noise is not symmetric.")

  /// How far the sum of a row may be from 1: matrices are often written with six decimals.
  static let rowSumTolerance = 1e-6

  var path: String
  var files: [String] { [path] }

  init(arguments: NoiseArguments) throws {
    guard !arguments.rest.isEmpty else { throw arguments.wrong("the file is missing") }
    path = FileBytes.expandingHome(arguments.rest)
  }

  var text: String { "matrix:\(path)" }

  mutating func changeFiles(_ change: (String) -> String) { path = change(path) }

  func transition(for dataset: Dataset, draws: NoiseDraws) throws -> TransitionMatrix {
    try TransitionMatrix(fromFile: path, classNames: dataset.classNames, tolerance: Self.rowSumTolerance)
  }
}

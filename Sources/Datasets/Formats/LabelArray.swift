import Failures
import FileFormats

/// The labels of samples that a NumPy array holds: numbers or names, in a row or one-hot.
enum LabelArray {
  /// Class numbers [N]; nil where there is no label.
  case numbers([Int?])
  /// Texts [N], each a name or a number; see `ClassLabels` for those that mean "no label".
  case texts([String])

  /// Reads an array for N samples.
  ///
  /// Numbers and texts may have the shape [N] or one that differs from it by axes of length 1. Numbers [N, K], with K of
  /// at least 2, must be one-hot: a single 1 in each row, or nothing but 0 or NaN for a sample without a label. Whole
  /// floats are numbers; NaN and -1 mean "no label".
  ///
  /// - Parameters:
  ///   - count: N.
  ///   - name: names the array in failures, to begin a sentence.
  /// - Throws: `.badInput` for other shapes, and numbers that are not whole.
  init(_ array: NumPyArray, count: Int, name: String) throws {
    let lengths = array.shape.filter { $0 != 1 }
    if array.count == count, lengths.count <= 1 {
      if let texts = array.texts {
        self = .texts(texts.map(\.trimmingBlanks))
      } else {
        self = .numbers(try Self.numbers(array, name))
      }
    } else if array.shape.count == 2, array.shape[0] == count, array.shape[1] >= 2, let values = array.doubles {
      self = .numbers(try Self.oneHot(values, array.shape[1], name))
    } else {
      throw Failure(
        .badInput, "\(name) has \(array.shape.first ?? 1) labels, in an array of shape \(array.shape).",
        why: "there are \(count) samples, and each needs one label.",
        fix: array.shape.first == count
          ? "save one number or name for each sample." : "use the labels that were made for this data set.")
    }
  }

  /// Whole numbers of any type; nil for NaN and -1.
  ///
  /// - Throws: `.badInput` for numbers that are not whole, or too large.
  static func numbers(_ array: NumPyArray, _ name: String) throws -> [Int?] {
    if let values = array.integers { return values.map { $0 == -1 ? nil : $0 } }
    guard let values = array.doubles else {
      throw Failure(
        .badInput, "\(name) holds elements of type \(array.element.descriptor).", why: "labels must be numbers here.",
        fix: "save the number of each class, counted from 0, as int64.")
    }
    return try values.enumerated().map { index, value in
      if value.isNaN || value == -1 { return nil }
      guard let number = Int(exactly: value) else {
        throw Failure(
          .badInput, "entry \(index) of \(name) is \(NumberFormatting.shortest(value)), which is no label.",
          why: "labels are whole numbers, counted from 0.",
          fix: "save the number of each sample's class, as int64; for probabilities [N, K] that is p.argmax(axis=1).")
      }
      return number
    }
  }

  private static func oneHot(_ values: [Double], _ K: Int, _ name: String) throws -> [Int?] {
    try (0..<values.count / K).map { row in
      let cells = values[row * K..<(row + 1) * K]
      if cells.allSatisfy({ $0 == 0 || $0.isNaN }) { return nil }
      let ones = cells.indices.filter { cells[$0] == 1 }
      if ones.count == 1, cells.count(where: { $0 == 0 }) == K - 1 { return ones[0] - cells.startIndex }
      let isBinary = cells.allSatisfy { $0 == 0 || $0 == 1 }
      throw Failure(
        .badInput, "row \(row) of \(name), which has the shape [\(values.count / K), \(K)], is not one-hot.",
        why: isBinary
          ? "it has \(ones.count) ones, and a sample has one label here." : "it has numbers other than 0 and 1.",
        fix: isBinary
          ? "choose one label for each sample." : "save the number of each sample's class: labels.argmax(axis=1).")
    }
  }

  /// The entries as texts; empty where there is no label.
  var texts: [String] {
    switch self {
    case .numbers(let values): values.map { $0.map(String.init) ?? "" }
    case .texts(let texts): texts
    }
  }
}

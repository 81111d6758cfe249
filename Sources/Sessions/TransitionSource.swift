import Datasets
import Detection
import Failures
import Statistics

/// Where the transition matrix of a loss that corrects labels comes from: `--transition`.
public enum TransitionSource: Sendable, Equatable, CustomStringConvertible {
  /// What the labels that are trained on tell, compared with the true ones.
  case exact
  /// Estimated after so many epochs of cross entropy, from the samples that are surest of each class.
  case anchors(epochs: Int)
  /// A file, as `TransitionMatrix.init(fromFile:classNames:tolerance:)` reads it.
  case file(String)

  /// Reads `true`, `anchors:EPOCHS` or a path.
  ///
  /// - Throws: `.usage`.
  public init(parsing text: String) throws(Failure) {
    if text == "true" {
      self = .exact
    } else if text == "anchors" || text.hasPrefix("anchors:") {
      guard let epochs = Int(text.dropFirst("anchors:".count)), epochs > 0 else {
        throw Failure(
          .usage, "--transition \(text) is out of range.", why: "anchors needs the initial epochs of cross entropy.",
          fix: "write --transition anchors:40")
      }
      self = .anchors(epochs: epochs)
    } else {
      self = .file(text)
    }
  }

  /// The text that `init(parsing:)` reads.
  public var description: String {
    switch self {
    case .exact: "true"
    case .anchors(let epochs): "anchors:\(epochs)"
    case .file(let path): path
    }
  }

  /// How far the sum of a row may be from 1.
  private static let rowSumTolerance = 1e-3

  /// The matrix to begin with, which is that of no noise where it is estimated later.
  ///
  /// - Parameter classNames: the classes [K].
  /// - Throws: `.configuration` where true labels are needed and not known, or where a label that occurs has no class;
  ///   `.missingInput`; `.badInput` for a file that holds no matrix of these classes.
  public func matrix(for train: LabelledSet, classNames: [String]) throws -> TransitionMatrix {
    let K = classNames.count, matrix: TransitionMatrix
    switch self {
    case .anchors: return TransitionMatrix(identity: K)
    case .file(let path):
      matrix = try TransitionMatrix(fromFile: path, classNames: classNames, tolerance: Self.rowSumTolerance)
    case .exact:
      guard let truth = train.trueLabels else {
        throw Failure(
          .configuration, "--transition true needs the true labels.", why: "this data set does not have them.",
          fix: "give them with --clean-labels, or use --transition anchors:40.")
      }
      matrix = TransitionMatrix(from: truth, to: train.labels, classCount: K)
    }
    for label in Set(train.labels) where label >= 0 {
      guard (0..<K).contains(where: { matrix[$0, Int(label)] > 0 }) else {
        throw Failure(
          .configuration, "by the transition matrix, no class can have the label \(label).",
          why: "its column \(label + 1) is zero, but training samples have that label.", fix: "correct --transition.")
      }
    }
    return matrix
  }

  /// The estimate from anchor points: row i is the prediction [K] for the sample that is surest to be of class i.
  ///
  /// With a quantile below 1 the surest samples are passed over as outliers: the anchor is the surest of those below
  /// that quantile of the chances of class i. The authors use 0.97, but 1 for data with 100 classes.
  ///
  /// - Parameter logits: of all samples, [N, K], N at least 1.
  /// - Source: Patrini et al., CVPR 2017, arXiv:1609.03683, section 4.2, and its code.
  public static func estimate(fromLogits logits: [Float], classes K: Int, quantile: Double) -> TransitionMatrix {
    let probabilities = Softmax.rows(logits, classes: K), count = logits.count / K
    var matrix = TransitionMatrix(identity: K)
    for i in 0..<K {
      let chances = (0..<count).map { probabilities[$0 * K + i] }
      var candidates = Array(chances.indices)
      if quantile < 1 {
        let limit = chances.sorted()[Int((quantile * Double(count - 1)).rounded(.up))]
        let below = candidates.filter { chances[$0] < limit }
        if !below.isEmpty { candidates = below }
      }
      guard let anchor = candidates.max(by: { chances[$0] < chances[$1] }) else { continue }
      for j in 0..<K { matrix[i, j] = probabilities[anchor * K + j] }
    }
    return matrix
  }

  /// The quantile below which anchors are looked for: the authors' 0.97 for 10 classes, and 1 for 100.
  ///
  /// Between, what is passed over stays a third of a class: 3 % of 50 classes would be more than all of one.
  public static func quantile(classes: Int) -> Double { classes >= 100 ? 1 : 1 - min(0.03, 0.3 / Double(classes)) }

  /// The inverse of a matrix, row by row.
  ///
  /// - Throws: `.configuration` if it has none.
  public static func inverse(of matrix: TransitionMatrix) throws(Failure) -> [Double] {
    guard let inverse = MatrixInverse(of: matrix.values, size: matrix.classCount, minimum: 1e-9) else {
      throw Failure(
        .configuration, "the transition matrix has no inverse.",
        why: "its rows are linearly dependent.",
        fix: "use --loss forward, which needs none.")
    }
    return inverse.values
  }
}

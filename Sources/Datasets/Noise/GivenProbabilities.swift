import Failures
import FileFormats

/// Probabilities [N, K] of the training samples from a file, for noise that follows a network's opinion.
struct GivenProbabilities {
  /// How far a row's sum may be from 1: files hold float32, or float16.
  static let rowSumTolerance = 0.01

  let path: String
  /// K.
  let classCount: Int
  /// That rows belong to samples by their order alone.
  let notes: [String]
  private let values: [Double]

  /// Reads a `.npy` file of probabilities, such as `gpunoisy predict --split train --probs` writes.
  ///
  /// - Throws: `.missingInput`; `.badInput` for another shape, a labelled sample's row that is no distribution, and a file in
  ///   the folder of a run that had other samples or classes.
  init(_ path: String, for dataset: Dataset) throws {
    let bytes = try FileBytes.read(path)
    guard NumPyArray.isNumPy(bytes) else {
      throw Failure(
        .badInput, "'\(path)' is not a NumPy array.", why: "it must be a .npy file of probabilities [N, K].",
        fix: "write them with: gpunoisy predict RUN \(dataset.name) --split train --probs FILE.npy")
    }
    let array = try NumPyArray(decoding: bytes, name: "'\(path)'")
    let K = dataset.classCount, counts = Set([dataset.train.count, dataset.wholeTrainCount])
    guard let values = array.doubles, array.shape.count == 2, array.shape[1] == K, counts.contains(array.shape[0])
    else {
      throw Failure(
        .badInput, "'\(path)' holds an array of shape \(array.shape).",
        why: "the training set of '\(dataset.name)' needs probabilities [\(dataset.wholeTrainCount), \(K)].",
        fix: "write them with: gpunoisy predict RUN \(dataset.name) --split train --probs FILE.npy")
    }
    for id in dataset.train.labelledIDs.map({ Int($0) }) {
      let row = values[id * K..<(id + 1) * K], sum = row.reduce(0, +)
      // Not a number fails all of these.
      guard row.allSatisfy({ $0 >= 0 && $0 <= 1 + Self.rowSumTolerance }), abs(sum - 1) <= Self.rowSumTolerance else {
        throw Failure(
          .badInput, "row \(id) of '\(path)' is not a probability distribution.",
          why: "its \(K) entries sum to \(sum); they must be probabilities, not logits.",
          fix: "write softmax outputs, as predict --probs does.")
      }
    }
    let list = SampleList(path, of: dataset)
    try list.requireSameSamples(rows: array.shape[0])
    self.values = try list.inClassOrder(values, K: K)
    (self.path, classCount) = (path, K)
    notes = [SampleList.Matching(byNumber: array.shape[0]).note("--noise", path)].compactMap { $0 }
  }

  /// The probabilities [K] of a sample.
  func row(_ id: Int) -> ArraySlice<Double> { values[id * classCount..<(id + 1) * classCount] }

  /// The classes of a sample's largest and second largest probability; of equal ones, the lower class first.
  func firstAndSecond(_ id: Int) -> (first: Int, second: Int) {
    let start = id * classCount
    var first = 0, second = -1
    for k in 1..<classCount {
      if values[start + k] > values[start + first] {
        (first, second) = (k, first)
      } else if second < 0 || values[start + k] > values[start + second] {
        second = k
      }
    }
    return (first, second)
  }
}

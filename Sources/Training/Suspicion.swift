import Compute
import Datasets
import Detection
import FileFormats
import Methods
import Reports
import Sessions

/// What a training method thinks of every label: suspicion.csv.
public struct Suspicion: Sendable {
  /// How suspicious each sample's label is [N], higher is worse; not a number for samples that were never seen.
  public let values: [Double]
  /// What the first network last predicted in training [N].
  public let predictions: [Int32]
  /// How well the values rank wrong labels before right ones; nil where the true labels are not known.
  public let score: DetectionScore?
  private let dataset: Dataset

  init(_ values: [Double], predictions: [Int32], of dataset: Dataset) {
    (self.values, self.predictions, self.dataset) = (values, predictions, dataset)
    score = dataset.train.score(ofSuspicion: values)
  }

  /// Writes suspicion.csv into a run folder.
  ///
  /// - Throws: `.cannotCreate`, `.inputOutput`.
  public func write(to folder: RunFolder) throws {
    let train = dataset.train
    try folder.writeSuspicion(
      suspicion: values,
      paths: dataset.trainPaths,
      givenLabels: train.labels.map(Int.init), predictedLabels: predictions.map(Int.init),
      cleanLabels: train.trueLabels?.map(Int.init))
  }
}

extension Trainer {
  /// What the method thinks of every label; nil for a method that judges none.
  public func suspicion() throws -> Suspicion? {
    guard let values = try method.suspicion() else { return nil }
    return Suspicion(values, predictions: try session.sampleResults().predictions, of: data.dataset)
  }
}

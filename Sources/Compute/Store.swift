/// A buffer that outlives a step, by what it holds.
public enum Store: Hashable, Sendable {
  /// Flat, packed (`ParameterTable`): what is learned, its gradients and momenta, and batch norm's running statistics.
  case parameters, gradients, momenta, running
  /// Flat, packed: Adam's means of squared gradients.
  case secondMoments
  /// Flat, packed: parameters as they were, to which a training method compares or pulls them.
  case anchor
  /// Flat, packed: the moving average of the parameters.
  case average
  /// Flat, packed: parameters that a training method tries, a step away from the network's own.
  case stepped
  /// One float: the length of the vector whose direction was last gone (`FlatKernel.step`).
  case norm
  /// The partners of mixed images by position of the epoch's order: their sample ids (or positions, `Augment`), and the
  /// shares of the first images.
  case partners, factors
  /// What changes from step to step (`StepState`): floats and 32-bit integers.
  case numbers, counters
  /// The data set: bytes `[N, H, W, C]`, labels `[N]`, and per channel mean and standard deviation of pixel / 255.
  case pixels, labels, inputStatistics
  /// More of the data set's bytes, where it is larger than a buffer can be (`StepState.imagesPerPart`).
  case pixels2, pixels3, pixels4
  /// The epoch's sample ids by position; and for the peer pass of peer loss, whose images, and whose labels.
  case order, peerOrder, peerLabelOrder
  /// The per-sample table: columns of length N, indexed by sample id.
  case sampleLoss, samplePrediction, sampleConfidence, marginSum, marginLost, marginCount
  /// Shared by all operations of a plan, valid within one operation: partial sums, and vectors of channels.
  case workspace, vectors
  /// How much each sample counts in the loss [N], where not all count alike.
  case sampleWeights
  /// The logits [B, K] of a method's network, by its number, where the others read them.
  case logits(Int)
  /// For losses that correct labels: the transition matrix [K, K], row = true class, or its inverse.
  case transition
  /// A column of the per-sample table that a training method has added, `[N]` or `[N, K]`, by its name.
  case column(String)

  /// The stores that kernels call by a name of their own.
  public static let named: [String: Store] = [
    "parameters": .parameters, "gradients": .gradients, "momenta": .momenta, "running": .running,
    "second_moments": .secondMoments, "anchor": .anchor, "average": .average, "partners": .partners,
    "factors": .factors,
    "numbers": .numbers, "counters": .counters, "pixels": .pixels, "labels": .labels,
    "input_statistics": .inputStatistics, "order": .order, "sample_loss": .sampleLoss,
    "sample_prediction": .samplePrediction, "sample_confidence": .sampleConfidence, "margin_sum": .marginSum,
    "margin_lost": .marginLost, "margin_count": .marginCount, "pixels_2": .pixels2, "pixels_3": .pixels3,
    "pixels_4": .pixels4,
  ]

  /// The buffers of the data set's bytes, in their order.
  public static let pixelParts: [Store] = [.pixels, .pixels2, .pixels3, .pixels4]
}

/// What an operation reads or writes.
public enum Operand: Hashable, Sendable {
  case value(Value)
  case store(Store)
}

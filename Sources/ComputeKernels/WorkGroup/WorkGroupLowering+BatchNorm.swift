import Compute

/// Batch norm and bias.
extension WorkGroupLowering {
  /// How an operation cuts its output into the pieces of which it leaves sums: tiles of `rows` × `columns` of an image of
  /// `H` × `W`.
  struct Pieces {
    let count: Int, rows: Int, columns: Int, H: Int, W: Int
  }

  /// Pixels of one piece of the sums over `[M, C]`: some 512 groups in all, two pixels per work-item at least.
  private func pieceRows(_ M: Int, _ C: Int) -> Int {
    let step = group / 4, wanted = ceilDivide(M * ceilDivide(C, Parameter.lanes), 512)
    return max(2, ceilDivide(wanted, step)) * step
  }

  /// A launch that leaves sums over `[M, C]`, and its number of pieces.
  private func sums(_ kernel: String, M: Int, C: Int) -> (launch: Launch, pieces: Int) {
    let rows = pieceRows(M, C), pieces = ceilDivide(M, rows)
    let own: KernelArguments = ["partials": .store(.workspace), "rows": .int(rows)]
    return (groups(kernel, [pieces, ceilDivide(C, Parameter.lanes)], own), pieces)
  }

  /// Makes statistics of C channels of partial sums.
  func combine(_ statistics: BatchStatistics, C: Int, _ pieces: Pieces) -> Launch {
    groups(
      "batchnorm_combine", [Parameter.padded(C) / 4],
      statistics.arguments + [
        "partials": .store(.workspace), "C": .int(C), "pieces": .int(pieces.count), "rows": .int(pieces.rows),
        "columns": .int(pieces.columns), "H": .int(pieces.H), "W": .int(pieces.W),
      ])
  }

  /// Makes dgamma, dbeta and means of C channels of partial sums.
  func combineBackward(C: Int, pieces: Int, _ own: KernelArguments = [:]) -> Launch {
    groups(
      "batchnorm_backward_combine", [Parameter.padded(C) / 4],
      own + ["partials": .store(.workspace), "pieces": .int(pieces)])
  }

  func lower(_ take: TakeBatchStatistics) -> Lowered {
    let (M, C) = (take.M, take.C), (launch, pieces) = sums("batchnorm_statistics", M: M, C: C)
    return Lowered(
      [
        launch,
        combine(take.statistics, C: C, Pieces(count: pieces, rows: pieceRows(M, C), columns: 1, H: M, W: 1)),
      ], workspace: pieces * 2 * Parameter.padded(C))
  }

  func lower(_ take: TakeRunningStatistics) -> Lowered {
    Lowered([items("batchnorm_inference", Parameter.padded(take.C))])
  }

  func lower(_ normalize: Normalize) -> Lowered {
    Lowered([quads("batchnorm_normalize", normalize.M * normalize.C)])
  }

  func lower(_ backward: NormalizeBackward) -> Lowered {
    let (M, C) = (backward.M, backward.C), vectors = 2 * Parameter.padded(C)
    let (launch, pieces) = sums("batchnorm_backward_sums", M: M, C: C)
    return Lowered(
      [
        launch, combineBackward(C: C, pieces: pieces, ["means": .store(.vectors)]),
        quads("batchnorm_backward_apply", M * C, ["means": .store(.vectors)]),
      ], workspace: pieces * vectors, vectors: vectors)
  }

  func lower(_ halves: NormalizeBackwardSums) -> Lowered? {
    let C = halves.C
    guard C % Parameter.lanes == 0 else { return nil }
    let (launch, pieces) = sums("batchnorm_backward_mask_sums", M: halves.M, C: C)
    return Lowered([launch, combineBackward(C: C, pieces: pieces)], workspace: pieces * 2 * C)
  }

  func lower(_ apply: NormalizeBackwardApply) -> Lowered {
    Lowered([quads("batchnorm_backward_apply", apply.M * apply.C)])
  }

  // MARK: Bias

  func lower(_ bias: AddBias) -> Lowered { Lowered([quads("bias_forward", bias.M * bias.C)]) }

  func lower(_ backward: AddBiasBackward) -> Lowered {
    let C = Parameter.padded(backward.C)
    let (launch, pieces) = sums("bias_backward", M: backward.M, C: backward.C)
    return Lowered([launch, reducePartials(count: C, chunks: pieces)], workspace: pieces * C)
  }
}

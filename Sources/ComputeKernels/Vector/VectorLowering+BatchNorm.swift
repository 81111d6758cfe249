import Compute

/// Batch norm.
extension VectorLowering {
  /// The pieces of which each leaves partial sums: all, those of an image, and the pixels of each in rows of Q.
  struct Pieces {
    let count: Int, perImage: Int, rows: Int, H: Int, Q: Int
  }

  /// Makes statistics of C channels of partial sums.
  func combine(_ statistics: BatchStatistics, C: Int, _ pieces: Pieces, in partials: Store = .workspace) -> Launch {
    Launch(
      "batchnorm_combine", global: [ceilDivide(C, Parameter.lanes)],
      statistics.arguments + [
        "partials": .store(partials), "C": .int(C), "pieces": .int(pieces.count), "per_image": .int(pieces.perImage),
        "rows": .int(pieces.rows), "H": .int(pieces.H), "Q": .int(pieces.Q),
      ])
  }

  /// Makes dgamma, dbeta and means of C channels of partial sums.
  func combineBackward(C: Int, pieces: Int, in partials: Store = .workspace, _ own: KernelArguments = [:]) -> Launch {
    Launch(
      "batchnorm_backward_combine", global: [ceilDivide(C, Parameter.lanes)],
      own + ["partials": .store(partials), "pieces": .int(pieces)])
  }

  /// One work-item for every 512 of M rows.
  private func byRows(_ kernel: String, _ M: Int, _ own: KernelArguments = [:]) -> Launch {
    Launch(kernel, global: [ceilDivide(M, Self.rows)], own + ["rows": .int(Self.rows)])
  }

  func lower(_ take: TakeBatchStatistics) -> Lowered {
    let count = ceilDivide(take.M, Self.rows)
    let pieces = Pieces(count: count, perImage: count, rows: Self.rows, H: take.M, Q: 1)
    return Lowered(
      [
        byRows("batchnorm_statistics", take.M, ["partials": .store(.workspace)]),
        combine(take.statistics, C: take.C, pieces),
      ], workspace: count * 2 * Parameter.padded(take.C))
  }

  func lower(_ take: TakeRunningStatistics) -> Lowered {
    Lowered([Launch("batchnorm_inference", global: [Parameter.padded(take.C)])])
  }

  func lower(_ normalize: Normalize) -> Lowered { Lowered([byRows("batchnorm_normalize", normalize.M)]) }

  func lower(_ backward: NormalizeBackward) -> Lowered {
    let pieces = ceilDivide(backward.M, Self.rows), sums = 2 * Parameter.padded(backward.C)
    return Lowered(
      [
        byRows("batchnorm_backward_sums", backward.M, ["partials": .store(.workspace)]),
        combineBackward(C: backward.C, pieces: pieces, ["means": .store(.vectors)]),
        byRows("batchnorm_backward_apply", backward.M, ["means": .store(.vectors)]),
      ], workspace: pieces * sums, vectors: sums)
  }

  func lower(_ sums: NormalizeBackwardSums) -> Lowered {
    let pieces = ceilDivide(sums.M, Self.rows)
    return Lowered(
      [
        byRows("batchnorm_backward_mask_sums", sums.M, ["partials": .store(.workspace)]),
        combineBackward(C: sums.C, pieces: pieces),
      ], workspace: pieces * 2 * Parameter.padded(sums.C))
  }

  func lower(_ apply: NormalizeBackwardApply) -> Lowered { Lowered([byRows("batchnorm_backward_apply", apply.M)]) }

  // MARK: Bias

  func lower(_ bias: AddBias) -> Lowered { Lowered([byRows("bias_forward", bias.M)]) }

  func lower(_ backward: AddBiasBackward) -> Lowered {
    let pieces = ceilDivide(backward.M, Self.rows), C = Parameter.padded(backward.C)
    return Lowered(
      [
        byRows("bias_backward", backward.M, ["partials": .store(.workspace)]), reducePartials(count: C, chunks: pieces),
      ], workspace: pieces * C)
  }
}

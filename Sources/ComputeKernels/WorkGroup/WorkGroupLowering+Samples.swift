import Compute

/// What reads the data set and the per-sample table, and dropout.
extension WorkGroupLowering {
  func lower(_ augment: Augment) -> Lowered {
    let pixels = augment.isFloat ? augment.count : augment.shape.dropLast().reduce(1, *)
    return Lowered([items(augment.kernel, pixels)])
  }

  func lower(_ dropout: ApplyDropout) -> Lowered {
    let quads = ceilDivide(dropout.M * dropout.C, 4)
    return Lowered([items("dropout_scale", dropout.B * quads, ["quads": .int(quads)])])
  }

  /// One work-item for each of `count` rows, for kernels that do not guard the edge: groups of the largest divisor.
  func rows(_ kernel: String, _ count: Int) -> Launch {
    Launch(kernel, global: [count], local: [(1...64).last { count % $0 == 0 } ?? 1])
  }

  func lower(_ loss: LossRows) -> Lowered {
    let launch = rows(loss.function.kernel, loss.B)
    switch loss.function.inputs {
    case .row, .transition: return Lowered([launch])
    case .determinant:
      return loss.determinant(rows("determinant_softmax", loss.B), groups("determinant_invert", [1]), launch)
    }
  }

  func lower(_ update: Update) -> Lowered { squared(update.optimizer.kernel, update.count, isNeeded: update.clip) }

  func lower(_ flat: ComputeFlat) -> Lowered {
    guard let isNeeded = flat.kernel.needsNorm else { return Lowered([quads(flat.kernel.kernel, flat.count)]) }
    return squared(flat.kernel.kernel, flat.count, isNeeded: isNeeded)
  }

  /// A kernel over all parameters, with the sums of squares of their gradients before it where it needs them.
  private func squared(_ kernel: String, _ count: Int, isNeeded: Bool) -> Lowered {
    // At most 256 sums of squares, which every group of the kernel adds up.
    let piece = 4 * max(1024, ceilDivide(count, 4 * 256)), pieces = ceilDivide(count, piece)
    let step = quads(kernel, count, ["squares": .store(.workspace), "pieces": .int(isNeeded ? pieces : 0)])
    guard isNeeded else { return Lowered([step]) }
    return Lowered(
      [
        groups(
          "reduce_squares", [pieces],
          ["input": .store(.gradients), "partials": .store(.workspace), "piece": .int(piece)]), step,
      ], workspace: pieces)
  }
}

import CLayout
import Compute

/// What reads the data set and the per-sample table, and what is done element by element.
extension VectorLowering {
  func pointwise(_ kernel: String, _ count: Int) -> Lowered {
    Lowered([Launch(kernel, global: [ceilDivide(count, ELEMENTS_PER_ITEM)])])
  }

  func lower(_ augment: Augment) -> Lowered {
    let rows = augment.isFloat ? [augment.shape[0]] : [augment.shape[1], augment.shape[0]]
    return Lowered([Launch(augment.kernel, global: rows)])
  }

  func lower(_ loss: LossRows) -> Lowered {
    let rows = Launch(loss.function.kernel, global: [loss.B])
    switch loss.function.inputs {
    case .row, .transition: return Lowered([rows])
    case .determinant:
      return loss.determinant(
        Launch("determinant_softmax", global: [loss.B]), Launch("determinant_invert", global: [1]), rows)
    }
  }

  func lower(_ update: Update) -> Lowered { squared(update.optimizer.kernel, update.count, isNeeded: update.clip) }

  func lower(_ flat: ComputeFlat) -> Lowered {
    guard let isNeeded = flat.kernel.needsNorm else { return pointwise(flat.kernel.kernel, flat.count) }
    return squared(flat.kernel.kernel, flat.count, isNeeded: isNeeded)
  }

  /// A kernel over all parameters, with the sums of squares of their gradients before it where it needs them.
  private func squared(_ kernel: String, _ count: Int, isNeeded: Bool) -> Lowered {
    let pieces = ceilDivide(count, ELEMENTS_PER_ITEM)
    let step = Launch(
      kernel, global: [pieces], ["squares": .store(.workspace), "pieces": .int(isNeeded ? pieces : 0)])
    guard isNeeded else { return Lowered([step]) }
    return Lowered(
      [
        Launch(
          "reduce_squares", global: [pieces], ["input": .store(.gradients), "partials": .store(.workspace)]), step,
      ], workspace: pieces)
  }
}

extension LossRows {
  /// The determinant loss: probabilities, the inverse of their sums by label, then the rows.
  func determinant(_ softmax: Launch, _ invert: Launch, _ rows: Launch) -> Lowered {
    var (invert, rows) = (invert, rows)
    invert.own = ["probabilities": .value(dlogits), "order": .store(labelOrder), "matrix": .store(.workspace)]
    rows.own = ["matrix": .store(.workspace)]
    return Lowered([softmax, invert, rows], workspace: K * K + K + 1)
  }
}

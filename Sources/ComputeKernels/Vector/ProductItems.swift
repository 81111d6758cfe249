import CLayout
import Compute

/// How products of panels and weights are shared out: a formula of their shape, never of the number of threads.
struct ProductItems {
  /// Output channels of a work-item: 32, which share each number that is read from a panel, or 16.
  let outputs: Int
  /// Their number.
  let blocks: Int
  /// Groups whose panels are made together, in turn with their products.
  let groupsAtOnce: Int
  /// Whether work-items of the same outputs are neighbours, and not those of the same group: then each weight is read by one
  /// thread, the one that transformed it, and each panel by all.
  let byOutputs: Bool

  /// Floats of the panels that are made before they are multiplied, which caches keep until then, and the fewest work-items
  /// that multiply them: four for each of 16 threads.
  static let wave = 1 << 19, fewest = 64

  /// Items for groups with panels of so many floats each, weights of so many, and O output channels.
  init(groups: Int, panel: Int, weights: Int, O: Int, _ panels: ElementType) {
    let lanes = Parameter.lanes, fitting = max(1, Self.wave / max(1, panel)), pairs = ceilDivide(O, 2 * lanes)
    // More panels at once leave the caches; sixteen outputs cost float32 nothing, but products of bfloat16, which wait for
    // panels, a tenth of their speed.
    let together = panels == .float32 ? min(groups, fitting) : groups
    outputs = together * pairs < Self.fewest ? lanes : 2 * lanes
    blocks = ceilDivide(O, outputs)
    let least = ceilDivide(Self.fewest, blocks)
    groupsAtOnce = ceilDivide(groups, min(ceilDivide(groups, fitting), max(1, groups / least)))
    byOutputs = weights > groupsAtOnce * panel
  }

  /// The grid of products for so many groups.
  func grid(_ groups: Int) -> [Int] { byOutputs ? [groups, blocks] : [blocks, groups] }
}

import CLayout
import Compute

/// How a 3×3 convolution with stride 1 and many channels is cut for winograd_wide.cl.
///
/// It reads B·H·W·C numbers and writes B·P·Q·O. Backward-data is the same with both ends exchanged.
struct Wide {
  let B: Int, H: Int, W: Int, C: Int, P: Int, Q: Int, O: Int, padding: Int, left: Int
  /// Pixels of a tile's side, 2 or 4.
  let tile: Int
  /// What panels hold.
  let panels: ElementType

  /// What transforming a weight costs, in products.
  private static let weightCost = 16
  /// The fewest channels of either side.
  private static let least = 32

  /// The forward convolution; nil where these kernels do not apply, or are not the fastest.
  init?(forward window: Window, _ panels: ElementType) {
    guard
      let tile = Self.tile(
        window, panels, P: window.P, Q: window.Q, edge: max(window.padding, window.left), weightCost: Self.weightCost)
    else { return nil }
    (B, H, W, C, P, Q, O) = (window.B, window.H, window.W, window.C, window.P, window.Q, window.O)
    (padding, left, self.tile, self.panels) = (window.padding, window.left, tile, panels)
  }

  /// Backward-data of a convolution.
  init?(backward window: Window, _ panels: ElementType) {
    guard
      let tile = Self.tile(
        window, panels, P: window.H, Q: window.W, edge: 2 - min(window.padding, window.left),
        weightCost: Self.weightCost)
    else { return nil }
    (B, H, W, C, P, Q, O) = (window.B, window.P, window.Q, window.O, window.H, window.W, window.C)
    (padding, left, self.tile, self.panels) = (2 - window.padding, 2 - window.left, tile, panels)
  }

  /// The gradient of weights: their sums are written and read besides.
  init?(weights window: Window, _ panels: ElementType) {
    guard
      let tile = Self.tile(window, panels, P: window.P, Q: window.Q, edge: 0, weightCost: 2 * Self.weightCost)
    else { return nil }
    (B, H, W, C, P, Q, O) = (window.B, window.H, window.W, window.C, window.P, window.Q, window.O)
    (padding, left, self.tile, self.panels) = (window.padding, window.left, tile, panels)
  }

  /// The tile with the fewest multiply-adds, or nil where that is the direct convolution.
  ///
  /// - Parameter edge: zero rows or columns at an edge of what is read. Beside two of them a result is the sum of few
  ///   products, against which the error of a large tile, which all of its numbers make, would be too large.
  private static func tile(
    _ window: Window, _ panels: ElementType, P: Int, Q: Int, edge: Int, weightCost: Int
  ) -> Int? {
    guard window.KH == 3, window.KW == 3, window.stride == 1, (0...2).contains(window.padding),
      (0...2).contains(window.left), min(window.C, window.O) >= least, max(window.C, window.O) >= WINOGRAD_CHANNELS
    else { return nil }
    func cost(_ tile: Int) -> Int {
      let tiles = window.B * ceilDivide(P, tile) * ceilDivide(Q, tile)
      return (tile + 2) * (tile + 2) * (max(tiles, Int(CONV_PIXELS_MAX)) + weightCost)
    }
    // With products of bfloat16, which are twice as fast, F(4×4) would make errors 4 times a direct convolution's.
    if panels == .bfloat16 { return 2 }
    let direct = 9 * window.B * P * Q, best = edge < 2 && cost(4) < cost(2) ? 4 : 2
    // Up to so many channels, the small tiles of winograd_narrow.cl are faster than these.
    if max(window.C, window.O) == WINOGRAD_CHANNELS, best == 2 || window.C != window.O { return nil }
    return cost(best) < direct ? best : nil
  }

  /// Whether what is read has the size of what is written, so that each tile has pixels of its own.
  var keepsSize: Bool { padding == 1 && left == 1 && H == P && W == Q }
  /// Tiles of all images.
  var tiles: Int { B * ceilDivide(P, tile) * ceilDivide(Q, tile) }
  /// Points of a tile.
  var points: Int { (tile + 2) * (tile + 2) }
  /// Tiles of a group: its panels should stay in a core's cache, together with what they are multiplied with.
  var group: Int { tile == 4 || panels.words(C) > 128 ? WIDE_GROUP_4X4 : WIDE_GROUP }
  /// Groups of all tiles.
  var groups: Int { ceilDivide(tiles, group) }
  /// Transformed weights, or the sums of their gradient.
  var weightCount: Int { points * Parameter.padded(C) * Parameter.padded(O) }

  /// Floats of a panel for T tiles.
  func panelCount(_ channels: Int, T: Int) -> Int { points * (panels.words(channels) * T + Parameter.lanes) }

  /// How its products are shared out.
  var items: ProductItems {
    ProductItems(groups: groups, panel: panelCount(C, T: group), weights: weightCount, O: O, panels)
  }

  /// Tiles that a gradient of weights takes together: as many as let the panels of one point stay in a core's cache.
  var chunk: Int {
    let chunks = ceilDivide(tiles, max(144, panels.perWord * 73_728 / (C + O)))
    return ceilDivide(ceilDivide(tiles, chunks), WIDE_GROUP_4X4) * WIDE_GROUP_4X4
  }

  /// The geometry under the names that kernels give it.
  var arguments: KernelArguments {
    [
      "H": .int(H), "W": .int(W), "C": .int(C), "P": .int(P), "Q": .int(Q), "O": .int(O), "padding": .int(padding),
      "left": .int(left), "tile": .int(tile),
    ]
  }
}

extension ElementType {
  /// Numbers of a word of factor.cl.
  var perWord: Int { self == .bfloat16 ? 2 : 1 }

  /// Words of a panel's row of so many channels: whole vectors.
  func words(_ channels: Int) -> Int { Parameter.padded(ceilDivide(channels, perWord)) }
}

import CLayout
import Compute

/// How a 3×3 convolution with stride 1, padding 1 and few channels is cut for winograd_narrow.cl.
///
/// It reads and writes as many pixels, so that backward-data is cut as the forward pass is.
struct Narrow {
  let window: Window
  /// Pixels of a tile's side, 2 or 4.
  let tile: Int
  /// Rows of a piece, whole tiles.
  let rows: Int

  /// Nil where these kernels do not apply.
  ///
  /// - Parameter tuned: the rows of a piece that tuning has found.
  init?(_ window: Window, _ panels: ElementType, tuned: Int?) {
    let lanes = Parameter.lanes, channels = max(window.C, window.O)
    guard window.KH == 3, window.KW == 3, window.stride == 1, window.padding == 1, window.left == 1,
      window.C % lanes == 0, window.O % lanes == 0, channels <= WINOGRAD_CHANNELS,
      let small = Self.rows(window, tile: 2, tuned)
    else { return nil }
    self.window = window
    // With products of bfloat16, which are twice as fast, F(4×4) would make errors 4 times a direct convolution's.
    if panels == .float32, channels <= WINOGRAD_CHANNELS_4X4, let large = Self.rows(window, tile: 4, tuned),
      Self.products(window, tile: 4, rows: large) < Self.products(window, tile: 2, rows: small)
    {
      (tile, rows) = (4, large)
    } else {
      (tile, rows) = (2, small)
    }
  }

  /// Rows of a piece, or nil if not even those of a tile can be staged.
  private static func rows(_ window: Window, tile: Int, _ tuned: Int?) -> Int? {
    let pitch = ceilDivide(window.W, tile) * tile + 2
    // Forward stages C channels, backward O.
    let fitting = WINOGRAD_STAGED / (pitch * max(window.C, window.O)) - 2
    let most = min(16, fitting / tile * tile, ceilDivide(window.H, tile) * tile)
    return most < tile ? nil : max(tile, min(tuned ?? most, most) / tile * tile)
  }

  /// The products of an image with each weight: all points of whole groups of tiles.
  private static func products(_ window: Window, tile: Int, rows: Int) -> Int {
    let across = ceilDivide(window.W, tile)
    let groups = stride(from: 0, to: window.H, by: rows).reduce(0) { sum, first in
      sum + ceilDivide(across * ceilDivide(min(rows, window.H - first), tile), Int(WINOGRAD_TILES))
    }
    return groups * Int(WINOGRAD_TILES) * (tile + 2) * (tile + 2)
  }

  /// Points of a tile.
  var points: Int { (tile + 2) * (tile + 2) }
}

import Failures

/// The width and height of an image in pixels.
public struct PixelSize: Sendable, Hashable, CustomStringConvertible {
  /// The number of columns.
  public let width: Int
  /// The number of rows.
  public let height: Int

  /// The longest side that images can be brought to.
  public static let longestSide = 4096

  /// A size; its sides are not checked.
  public init(width: Int, height: Int) {
    (self.width, self.height) = (width, height)
  }

  /// Reads `64` (a square) or `64x48` (width x height).
  ///
  /// - Throws: `.usage` for anything else, and for sides outside of 1...4096.
  public init(parsing text: String) throws {
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sides.count == 1 || sides.count == 2, let width = sides[0], let height = sides[sides.count - 1],
      (1...Self.longestSide).contains(height), (1...Self.longestSide).contains(width)
    else {
      throw Failure(
        .usage, "'\(text)' is not an image size.", why: "width and height must be 1 to \(Self.longestSide) pixels.",
        fix: "write one number, such as 64, or width and height, such as 64x48.")
    }
    self.init(width: width, height: height)
  }

  /// The size as `init(parsing:)` reads it.
  public var description: String { "\(width)x\(height)" }

  /// The size as people write it: `64` for a square.
  public var option: String { width == height ? "\(width)" : description }

  /// Smaller sizes of about this shape, the largest first: the longer side is a multiple of 8.
  public var smaller: [PixelSize] {
    let longer = max(width, height)
    return stride(from: (longer - 1) / 8 * 8, to: 0, by: -8).map { side in
      func scaled(_ length: Int) -> Int { max(1, (length * side + longer / 2) / longer) }
      return PixelSize(width: scaled(width), height: scaled(height))
    }
  }

  /// The size as people read it: 500×375.
  public var text: String { "\(width)×\(height)" }
}

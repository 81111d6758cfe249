import Failures
import FileFormats

/// Images in a NumPy array as bytes.
///
/// Bytes are taken as they are, truth values as 0 and 255, and floats in 0…1 as round(255 · x); floats that are whole
/// numbers up to 255 are taken as bytes. What else an array may hold is refused with the line of Python that fits it.
struct ImageArray {
  /// What the value of a white pixel is in an array of floats.
  enum White {
    case one, byte
  }

  /// The images.
  let images: ImageSet
  /// What floats were read by; nil for other types.
  let white: White?

  /// How much floats may exceed 1 by rounding.
  private static let roundingError = 1e-3

  /// - Parameters:
  ///   - name: names the array in failures, to begin a sentence.
  ///   - variable: what the array is called in Python.
  ///   - white: what the floats of the training images were read by, where these are others.
  /// - Throws: `.badInput` for other shapes, types and values.
  init(_ array: NumPyArray, name: String, variable: String, white: White? = nil) throws {
    let shape = array.shape, channels = shape.count == 4 ? shape[3] : 1
    guard shape.count == 3 || shape.count == 4, !shape.contains(0) else {
      throw Failure(
        .badInput, "\(name) has the shape \(shape).",
        why: "images must be [N, H, W] or [N, H, W, C], with N at least 1.",
        fix: shape.count == 2
          ? "save \(variable).reshape(-1, height, width) for grey images; rows of colour planes, as CIFAR has them: "
            + "\(variable).reshape(-1, 3, height, width).transpose(0, 2, 3, 1)."
          : "save one image for each sample.")
    }
    guard channels == 1 || channels == 3 else {
      throw Failure(
        .badInput, "\(name) has the shape \(shape).", why: "the last axis must be the channels, 1 or 3.",
        fix: shape[1] == 1 || shape[1] == 3
          ? "save \(variable).transpose(0, 2, 3, 1)."
          : channels == 4 ? "save \(variable)[..., :3]." : "save grey or RGB images, channels last.")
    }
    let read = try Self.pixels(array, name, variable, white)
    self.white = read.white
    images = ImageSet(count: shape[0], height: shape[1], width: shape[2], channels: channels, pixels: read.pixels)
  }

  private static func pixels(
    _ array: NumPyArray, _ name: String, _ variable: String, _ given: White?
  ) throws -> (white: White?, pixels: [UInt8]) {
    switch array.element {
    case .unsigned(1): return (nil, array.bytes)
    case .bool: return (nil, array.bytes.map { $0 == 0 ? 0 : 255 })
    case .text:
      throw Failure(
        .badInput, "\(name) holds text.", why: "images are numbers.", fix: "save the pixels of the images as uint8.")
    case .signed, .unsigned, .float: break
    }
    var low = Double.infinity, high = -Double.infinity, isWhole = true, isFinite = true
    for index in 0..<array.count {
      let value = array.double(at: index)
      isFinite = isFinite && value.isFinite
      (low, high) = (min(low, value), max(high, value))
      isWhole = isWhole && value == value.rounded()
    }
    func refusal(_ why: String, _ fix: String) -> Failure {
      Failure(
        .badInput, "\(name) holds images of the type \(array.element.descriptor).", why: why, fix: "save \(fix).")
    }
    let range = "its values go from \(NumberFormatting.shortest(low)) to \(NumberFormatting.shortest(high))"
    guard isFinite else {
      throw refusal("some of its values are NaN or infinite.", "\(variable) without them, as uint8 from 0 to 255")
    }
    guard low >= 0, high <= 255 else {
      throw refusal(
        "\(range); bytes go from 0 to 255.",
        low >= -1 && high <= 1
          ? "((\(variable) + 1) * 127.5).round().astype('uint8'), if -1 is black and 1 is white"
          : "((\(variable) - \(variable).min()) / (\(variable).max() - \(variable).min()) * 255).round().astype('uint8')"
      )
    }
    let isUnit = high <= 1 + roundingError
    guard case .float = array.element else {
      throw refusal(
        "images must be unsigned bytes; \(range).",
        isUnit ? "(\(variable) * 255).astype('uint8')" : "\(variable).astype('uint8')")
    }
    let white = given ?? (isUnit ? .one : .byte)
    guard white == .one ? isUnit : isWhole else {
      throw refusal(
        white == .one
          ? "\(range), while the training images are in 0…1." : "\(range), and some are no whole numbers.",
        "\(variable).round().astype('uint8')")
    }
    let scale: Double = white == .one ? 255 : 1
    return (white, (0..<array.count).map { UInt8(min(255, (array.double(at: $0) * scale).rounded())) })
  }
}

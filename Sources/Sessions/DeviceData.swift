import Compute
import Datasets
import Failures

/// A set of images on a device: bytes that are written once, and read by every network that trains on them or is
/// evaluated over them.
public final class DeviceData<D: Device> {
  /// The images, and the labels that they were given.
  public let set: LabelledSet
  /// The device.
  public let device: D
  /// The images' bytes [N, H, W, C], in one buffer or in several.
  private let parts: [D.Buffer]
  /// Images in each buffer but the last.
  let imagesPerPart: Int

  /// Uploads the images.
  ///
  /// - Parameter largest: the most bytes of a buffer, where a test wants several; otherwise there are several only where
  ///   the device does not make one of all.
  /// - Throws: what the device throws; `.outOfMemory` names what makes the images fit.
  public init(_ set: LabelledSet, on device: D, largest: Int = .max) throws {
    (self.set, self.device) = (set, device)
    let fix = "use a smaller --image-size, or fewer images with --limit-train, or another --device."
    try device.requireRoom(for: set.images.byteCount, of: "a set of \(set.count) images", "its pixels") { _ in fix }
    (parts, imagesPerPart) = try Self.upload(set.images, to: device, largest: largest, fix)
  }

  /// Writes images into one buffer, or into the smallest number of equal ones that the device makes.
  private static func upload(
    _ images: ImageSet, to device: D, largest: Int, _ fix: String
  ) throws -> (parts: [D.Buffer], imagesPerPart: Int) {
    // Rows of floats are not taken apart.
    let most = images.element == .byte ? min(Store.pixelParts.count, max(images.count, 1)) : 1
    let imageSize = images.byteCount / max(images.count, 1)
    func count(_ pieces: Int) -> Int { max(1, (images.count + pieces - 1) / pieces) }
    var pieces = (1..<most).first { count($0) * imageSize <= largest } ?? most
    while true {
      let perPart = count(pieces)
      do {
        let ranges = stride(from: 0, to: max(images.count, 1), by: perPart).map {
          $0 * imageSize..<min($0 + perPart, images.count) * imageSize
        }
        let parts = try ranges.map { try device.allocate(byteCount: $0.count) }
        try images.pixels.withUnsafeBytes { bytes in
          // An outline, for counting memory, has no pixels.
          for (range, part) in zip(ranges, parts) where range.upperBound <= bytes.count {
            try device.write(UnsafeRawBufferPointer(rebasing: bytes[range]), to: part, at: 0)
          }
        }
        return (parts, perPart)
      } catch let failure as Failure where failure.kind == .outOfMemory {
        guard pieces < most else {
          throw Failure(
            .outOfMemory, failure.what,
            why: "the \(images.count) images are \(images.byteCount / 1_000_000) MB in "
              + "\(pieces == 1 ? "one piece" : "\(pieces) pieces"); \(failure.why)",
            fix: fix)
        }
        pieces += 1
      }
    }
  }

  /// The buffers by what kernels call them.
  var stores: [Store: D.Buffer] { Dictionary(uniqueKeysWithValues: zip(Store.pixelParts, parts)) }
}

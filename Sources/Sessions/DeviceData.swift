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
  /// The images' bytes [N, H, W, C].
  let pixels: D.Buffer

  /// Uploads the images.
  ///
  /// - Throws: what the device throws; `.outOfMemory` names what makes the images fit.
  public init(_ set: LabelledSet, on device: D) throws {
    (self.set, self.device) = (set, device)
    let fix = "use a smaller --image-size, or fewer images with --limit-train, or another --device."
    try device.requireRoom(for: set.images.byteCount, of: "a set of \(set.count) images", "its pixels") { _ in fix }
    do {
      pixels = try device.allocate(byteCount: set.images.byteCount)
    } catch let failure as Failure where failure.kind == .outOfMemory {
      throw Failure(
        .outOfMemory, failure.what,
        why: "the \(set.count) images are \(set.images.byteCount / 1_000_000) MB in one piece; \(failure.why)",
        fix: fix)
    }
    try device.write(set.images.pixels, to: pixels)
  }
}

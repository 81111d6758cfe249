import Compute
import Datasets

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
  /// - Throws: what the device throws.
  public init(_ set: LabelledSet, on device: D) throws {
    (self.set, self.device) = (set, device)
    pixels = try device.allocate(byteCount: set.images.pixels.count)
    try device.write(set.images.pixels, to: pixels)
  }
}

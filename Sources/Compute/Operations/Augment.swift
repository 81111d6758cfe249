/// Random crop (from a border of `crop` black pixels) and flip; 0 and false for none.
public struct Augmentation: Hashable, Sendable {
  /// Width of the black border from which the window is cut; 0 for no cropping.
  public var crop: Int
  /// Whether images are mirrored left to right with probability 1/2.
  public var flip: Bool

  /// A crop and a flip.
  public init(crop: Int, flip: Bool) {
    self.crop = crop
    self.flip = flip
  }

  /// Whether it changes images.
  var changes: Bool { crop > 0 || flip }
}

/// Gathers, crops, flips and normalises the batch's images: (pixel / 255 − mean) / deviation per channel.
///
/// Or gathers rows of floats `[B, 1, 1, C]`, such as features, in place of images: (value − mean) / deviation.
///
/// Mixed, an image (or a row) is f · (its own) + (1 − f) · (its partner's), each cropped and mirrored as it is by itself in
/// that epoch; `Store.partners` and `Store.factors` say with which, and f. Among peers, where a sample may occur twice,
/// partners are positions of the order.
public struct Augment: OperationBody {
  /// `[B, H, W, C]`.
  public var output: Value
  /// `[B, H, W, C]`.
  public var shape: [Int]
  /// How images are cropped and mirrored.
  public var augmentation: Augmentation
  /// Whether the images are those of the peer pass.
  public var peer: Bool
  /// Whether each image is mixed with its partner.
  public var mixed: Bool
  /// Whether the data set is float32, not bytes; such rows are neither cropped nor mirrored.
  public var isFloat: Bool

  /// The images of a batch.
  public init(
    output: Value, shape: [Int], augmentation: Augmentation, peer: Bool, mixed: Bool = false, isFloat: Bool = false
  ) {
    precondition(!isFloat || shape[1] * shape[2] == 1 && !augmentation.changes, "floats are no images")
    (self.output, self.shape, self.augmentation, self.peer, self.mixed) = (output, shape, augmentation, peer, mixed)
    self.isFloat = isFloat
  }

  /// The kernel.
  public var kernel: String {
    switch (isFloat, mixed) {
    case (false, false): "augment_crop_flip"
    case (false, true): "augment_mix"
    case (true, false): "gather_floats"
    case (true, true): "gather_mix"
    }
  }

  /// Bytes of the data set that are read.
  var byteCount: Int { (isFloat ? 4 : 1) * (mixed ? 2 : 1) * count }

  /// Numbers that are written.
  public var count: Int { shape.reduce(1, *) }

  var name: String { isFloat ? "gather" : "augment" }
  var tensors: [Tensor] { [.write("output", output)] }
  var scalars: KernelArguments {
    [
      "order": .store(peer ? .peerOrder : .order), "B": .int(shape[0]), "H": .int(shape[1]), "W": .int(shape[2]),
      "C": .int(shape[3]), "crop": .int(augmentation.crop), "flip": .flag(augmentation.flip), "peer": .flag(peer),
    ]
  }
  var cost: TensorOperation.Cost {
    .init(operations: (mixed ? 6 : 2) * Double(count), bytes: Double(4 * count + byteCount))
  }
  var shapeText: String { shape.dropFirst().map(String.init).joined(separator: "×") + (mixed ? " mixed" : "") }
}

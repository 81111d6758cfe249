/// The name that a run folder gets when the user gives none.
public struct RunName: Sendable, Equatable {
  /// When the run began.
  public var time: UTCTime
  /// The data set's name or the path that was given; only its last part is used.
  public var dataset: String
  /// The network's name; nil where none is trained.
  public var network: String?
  /// The loss without its parameters.
  public var loss: String
  /// The run's seed.
  public var seed: UInt64

  /// A name of these parts.
  public init(time: UTCTime = .now, dataset: String, network: String?, loss: String, seed: UInt64) {
    self.time = time
    self.dataset = dataset
    self.network = network
    self.loss = loss
    self.seed = seed
  }

  /// `2026-11-21T0031_cifar10_resnet32_sce_s1`: letters, digits and `+ - . _` only, at most 160 characters.
  public var text: String {
    let parts = [Self.part(dataset), network.map(Self.part), Self.part(loss), "s\(seed)"].compactMap { $0 }
    return ([time.minuteText] + parts).joined(separator: "_")
  }

  private static func part(_ text: String) -> String {
    let last = text.split(separator: "/").last ?? ""
    var plain = ""
    for scalar in last.unicodeScalars.prefix(40) {
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", "+", "-", ".": plain.unicodeScalars.append(scalar)
      default: plain += "-"
      }
    }
    return plain.isEmpty || plain.allSatisfy { $0 == "." } ? "data" : plain
  }
}

import Compute
import Failures

/// A network as the command line names it: `resnet32`, `resnet32:shortcut=stride`.
public struct Network: Sendable, Equatable, CustomStringConvertible {
  /// One entry of the catalogue.
  public struct Entry: Sendable {
    /// The name on the command line.
    public let name: String
    /// One line for `--help` and tables.
    public let summary: String
    /// The options after the colon, each with its values; the first is the default.
    public let options: [(name: String, values: [String])]
    /// The side of the square that larger images are brought to unless a size is asked for.
    public var imageSide = 64
    /// What the published weights of this network expect; nil where there are none, and inputs are normalised by the
    /// training images.
    public var preprocessing: Preprocessing?
    /// Adds the layers from images to logits; throws if the images do not fit.
    let build: @Sendable (_ graph: inout Graph, _ classes: Int, _ options: [String: String]) throws -> Void
  }

  /// Every network, in the order of tables.
  public static let catalogue: [Entry] =
    ResNet.entries + ProjectionResNet.entries + PreActResNet.entries + SCENetwork.entries + CoTeachingCNN.entries
    + Perceptron.entries + ImageNetResNet.entries + EfficientNetLite0.entries

  /// The catalogue's entry.
  public let entry: Entry
  /// The value of every option.
  public let options: [String: String]

  /// Parses `NAME[:option=value,…]`.
  ///
  /// - Throws: `.usage` for an unknown name, option or value.
  public init(_ text: String) throws(Failure) {
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    guard let entry = Self.catalogue.first(where: { $0.name == parts.first?.lowercased() }) else {
      throw Failure.unknown(
        "network", text, names: Self.catalogue.map(\.name), fix: "set --model to one of these.")
    }
    var options = Dictionary(uniqueKeysWithValues: entry.options.map { ($0.name, $0.values[0]) })
    for item in parts.count > 1 ? parts[1].split(separator: ",") : [] {
      let pair = item.split(separator: "=", maxSplits: 1).map(String.init)
      guard pair.count == 2, let option = entry.options.first(where: { $0.name == pair[0] }),
        option.values.contains(pair[1])
      else {
        let known = entry.options.map { "\($0.name)=\($0.values.joined(separator: "|"))" }.joined(separator: ", ")
        guard !entry.options.isEmpty else {
          throw Failure(
            .usage, "'\(item)' is not an option of \(entry.name).", why: "it has none.",
            fix: "write --model \(entry.name)."
          )
        }
        throw Failure(
          .usage, "'\(item)' is not an option of \(entry.name).", why: "its options are: \(known).",
          fix:
            "use, for example, --model \(entry.name):\(entry.options.first.map { "\($0.name)=\($0.values[0])" } ?? "")."
        )
      }
      options[pair[0]] = pair[1]
    }
    self.entry = entry
    self.options = options
  }

  /// The name with the options that differ from their defaults.
  public var description: String {
    let changed = entry.options.filter { options[$0.name] != $0.values[0] }
    guard !changed.isEmpty else { return entry.name }
    return "\(entry.name):" + changed.map { "\($0.name)=\(options[$0.name] ?? "")" }.joined(separator: ",")
  }

  /// Same name and options.
  public static func == (left: Self, right: Self) -> Bool { left.description == right.description }

  /// The graph from `batch` images, or from rows of floats in their place, to logits `[batch, classes]`.
  ///
  /// - Throws: `.configuration` if the network cannot take images of this size.
  public func graph(
    batch: Int, height: Int, width: Int, channels: Int, classes: Int, readsFloats: Bool = false
  ) throws -> Graph {
    var graph = Graph(batch: batch, height: height, width: width, channels: channels, readsFloats: readsFloats)
    try entry.build(&graph, classes, options)
    return graph
  }
}

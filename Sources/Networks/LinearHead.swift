import Compute

extension Network {
  /// The last, linear layer of a network by itself, over features that are computed once: `head.weight [K, D]`,
  /// `head.bias [K]`.
  ///
  /// It is no network that can be asked for: runs and checkpoints name the whole one.
  public static let linearHead = Network(
    Entry(name: "linear head", summary: "the last layer of a network over its features", options: []) {
      graph, classes, _ in
      _ = graph.linear(graph.flatten(graph.images), "head", outputs: classes)
    })

  private init(_ entry: Entry) { (self.entry, options) = (entry, [:]) }
}

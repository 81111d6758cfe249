import Compute
import Datasets

extension Evaluator {
  /// The features of every sample, `[N, F]` row by row: what the last, linear layer turns into logits.
  ///
  /// Measured with that layer replaced by one that gives back what it gets, so that every device does it as it is.
  ///
  /// - Returns: the values, and F.
  /// - Throws: `.badInput` if the images have another size or number of channels.
  public func features(_ data: LabelledSet) throws -> (values: [Float], width: Int) {
    let table = try graph(batch: 1, classes: model.classNames.count).parameters
    let head = Array(table.entries.suffix(2))
    precondition(
      head.count == 2 && head[0].shape.count == 2 && head[1].shape == [head[0].shape[0]],
      "a network ends with a linear layer")
    let width = head[0].shape[1]
    let identity = (0..<width * width).map { Float($0 / width == $0 % width ? 1 : 0) }
    let wide = try graph(batch: 1, classes: width).parameters.entries.suffix(2)
    var packed = Array(try parameters(count: table.packedCount)[..<head[0].offset])
    for (entry, values) in zip(wide, [identity, [Float](repeating: 0, count: width)]) { packed += entry.pack(values) }
    var unlabelled = data
    // There may be fewer features than classes, and nothing is to be compared.
    unlabelled.labels = data.labels.map { min($0, 0) }
    return (try plans(for: unlabelled, classes: width, parameters: packed).logits(on: device), width)
  }
}

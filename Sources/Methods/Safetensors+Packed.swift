import Compute
import FileFormats

/// Flat buffers of parameters in checkpoints, under PyTorch's names with a prefix.
extension SafetensorsFile {
  /// Stores a flat buffer, parameter by parameter.
  mutating func store(_ packed: [Float], of table: ParameterTable, prefix: String) {
    for (entry, values) in zip(table.entries, table.unpack(packed)) {
      self[prefix + entry.name] = .init(values, shape: entry.shape)
    }
  }

  /// The flat buffer that `store` took.
  ///
  /// - Throws: `.badInput` where a tensor is missing or has another shape.
  func packed(_ table: ParameterTable, prefix: String) throws -> [Float] {
    try table.pack(table.entries.map { try floats(prefix + $0.name, shape: $0.shape) })
  }
}

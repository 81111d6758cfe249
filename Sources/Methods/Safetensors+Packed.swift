import Compute
import Failures
import FileFormats
import Sessions

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
  /// - Throws: `.badInput` where a tensor is missing, has another shape or is not finite.
  func packed(_ table: ParameterTable, prefix: String) throws -> [Float] {
    let tensors = try table.entries.map { entry in
      let values = try floats(prefix + entry.name, shape: entry.shape)
      guard values.allSatisfy(\.isFinite) else {
        throw Failure.damagedCheckpoint(path, why: "\(prefix + entry.name) holds NaN or infinity.")
      }
      return values
    }
    return table.pack(tensors)
  }
}

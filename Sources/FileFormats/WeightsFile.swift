import Failures

/// The weights of a network from a file as people have it: safetensors, or what `torch.save` writes.
///
/// Which of them a file is follows from its bytes, not from its name. Of a PyTorch file, the dictionary is taken whose
/// names fit best: the outermost, or one of `state_dict`, `model_state_dict`, `model`, `net` and `state_dict_ema` in it.
/// What stands before the names in a file, as `module.` does where it was written by `DataParallel`, is removed.
public struct WeightsFile: Sendable {
  /// The tensors by the network's names, as far as the file has them, with the file's types; there may be others.
  public let tensors: SafetensorsFile
  /// Where in the file they were, such as `state_dict` or `state_dict, names after 'module.'`; nil where they have their
  /// own names in the outermost dictionary.
  public let place: String?

  /// Reads the tensors of these names from a file.
  ///
  /// - Parameter names: the network's parameters and running statistics.
  /// - Throws: `.missingInput`, `.inputOutput` for a file that cannot be read; `.badInput` for one that is damaged, and for
  ///   a weight that would need code of somebody else's to be run.
  public init(reading path: String, for names: [String]) throws {
    try self.init(parsing: FileBytes.read(path), path: path, for: names)
  }

  /// Reads the tensors of these names from a file's bytes.
  ///
  /// - Parameter path: the name for messages.
  /// - Throws: `.badInput`, as the other one.
  public init(parsing bytes: [UInt8], path: String, for names: [String]) throws {
    guard TorchFile.isTorch(bytes) else {
      let file = try SafetensorsFile(parsing: bytes, path: path)
      let prefix = Self.bestPrefix(file.names, for: names).prefix
      place = Self.place("", prefix)
      guard !prefix.isEmpty else {
        tensors = file
        return
      }
      var tensors = SafetensorsFile(path: path, metadata: file.metadata)
      for name in names { tensors[name] = file[prefix + name] }
      self.tensors = tensors
      return
    }
    let file = try TorchFile(parsing: bytes, path: path)
    let found = file.dictionaries.map { ($0, Self.bestPrefix($0.members.map(\.name), for: names)) }
    // Of those that fit equally well, the first.
    guard let (dictionary, best) = found.max(by: { $0.1.count < $1.1.count }), best.count > 0 else {
      let others = file.dictionaries.flatMap(\.members).prefix(3).map { "'\($0.name.shortened(to: 40))'" }
      throw file.refusal(
        "it has none of the network's names, such as '\(names.first ?? "")'"
          + (others.isEmpty ? "" : "; its own begin with \(others.joined(separator: ", "))"))
    }
    let members = Dictionary(uniqueKeysWithValues: dictionary.members.map { ($0.name, $0.content) })
    let views: [(name: String, view: TorchFile.View)] = try names.compactMap { name in
      switch members[best.prefix + name] {
      case .tensor(let view): return (name, view)
      case .other(let why): throw file.refusal("'\(best.prefix + name)' \(why)")
      case nil: return nil
      }
    }
    var tensors = SafetensorsFile(path: path)
    for (name, tensor) in try file.tensors(views) { tensors[name] = tensor }
    self.tensors = tensors
    place = Self.place(dictionary.name, best.prefix)
  }

  private static func place(_ dictionary: String, _ prefix: String) -> String? {
    let parts =
      (dictionary.isEmpty ? [] : [dictionary]) + (prefix.isEmpty ? [] : ["names after '\(prefix.shortened())'"])
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  /// What stands before most of the wanted names, and how many of them are there.
  ///
  /// Candidates are what stands before the first names of the network, which its stem has; of equal ones, the first.
  private static func bestPrefix(_ names: [String], for wanted: [String]) -> (prefix: String, count: Int) {
    let stem = wanted.prefix(2), all = Set(names)
    var prefixes = [""]
    for name in names where prefixes.count < 32 {
      for first in stem where name.hasSuffix("." + first) {
        let prefix = String(name.dropLast(first.count))
        if !prefixes.contains(prefix) { prefixes.append(prefix) }
      }
    }
    var best = (prefix: "", count: 0)
    for prefix in prefixes {
      let count = wanted.count { all.contains(prefix + $0) }
      if count > best.count { best = (prefix, count) }
    }
    return best
  }
}

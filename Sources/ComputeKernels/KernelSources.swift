import CKernels

/// The kernels' text, as it was when the program was built.
public enum KernelSources {
  /// The files in the order of compilation, by name.
  public static let files: [(name: String, text: String)] = {
    var files: [(name: String, text: String)] = []
    var index = 0
    while let source = gpunoisy_source_at(Int32(index)) {
      files.append((String(cString: source.pointee.name), String(cString: source.pointee.text)))
      index += 1
    }
    return files
  }()

  /// The families of kernels that are compiled together.
  public enum Family: Sendable {
    /// For CPU-type devices: everything but the files that begin with `gpu_`.
    case vectors
    /// For GPU-type devices: the `gpu_` files, and those that they build upon.
    case workGroups
  }

  /// The files of one family in the order of compilation.
  public static func files(for family: Family) -> [(name: String, text: String)] {
    let shared: Set = ["common.cl", "random.cl", "loss.cl", "augment.cl", "optimizer.cl", "conv.cl"]
    return files.filter { file in
      switch family {
      case .vectors: !file.name.hasPrefix("gpu_")
      case .workGroups: file.name.hasPrefix("gpu_") || shared.contains(file.name)
      }
    }
  }

  /// The declarations of all kernels by name, against which launches are checked.
  public static let signatures: [String: KernelSignature] = {
    var signatures: [String: KernelSignature] = [:]
    for file in files {
      for signature in KernelSignature.all(in: expandingArgumentLists(file.text)) { signatures[signature.name] = signature }
    }
    return signatures
  }()

  /// Puts argument lists that several kernels share (`#define …_ARGUMENTS`) where they are used.
  private static func expandingArgumentLists(_ text: String) -> String {
    var lines: [Substring] = [], lists: [(name: Substring, list: String)] = []
    var open: (name: Substring, list: String)?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let goesOn = line.hasSuffix("\\"), content = goesOn ? line.dropLast() : line
      if let (name, list) = open {
        open = (name, list + content)
      } else if line.hasPrefix("#define "), let name = line.dropFirst(8).split(separator: " ").first,
        name.hasSuffix("_ARGUMENTS") {
        open = (name, String(content.dropFirst(8 + name.count)))
      } else {
        lines.append(line)
        continue
      }
      if !goesOn, let done = open {
        lists.append(done)
        open = nil
      }
    }
    return lines.map { line in
      for (name, list) in lists where line.hasPrefix("__kernel") && line.contains("(\(name))") {
        let parts = line.split(separator: "(", maxSplits: 1), rest = parts[1].dropFirst(name.count)
        return "\(parts[0])(\(list)\(rest)"
      }
      return String(line)
    }.joined(separator: "\n")
  }
}

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
    /// These, and those for matrix units (`MatrixUnits`).
    case matrixUnits
  }

  /// What the names of the files for matrix units begin with.
  private static let matrixPrefixes = ["gpu_fragment", "gpu_conv_mma"]

  /// The files of one family in the order of compilation.
  public static func files(for family: Family) -> [(name: String, text: String)] {
    let shared: Set = [
      "layout/include/layout.h", "common.cl", "random.cl", "augment_draw.cl", "optimizer.cl", "rows.cl",
    ]
    func isForWorkGroups(_ name: String) -> Bool {
      name.hasPrefix("gpu_") || name.hasPrefix("loss") || shared.contains(name)
    }
    func isForMatrixUnits(_ name: String) -> Bool { matrixPrefixes.contains { name.hasPrefix($0) } }
    return files.filter { file in
      switch family {
      case .vectors: !file.name.hasPrefix("gpu_")
      case .workGroups: isForWorkGroups(file.name) && !isForMatrixUnits(file.name)
      case .matrixUnits: isForWorkGroups(file.name)
      }
    }
  }

  /// The declarations of all kernels by name, against which launches are checked.
  public static let signatures = declarations(in: files)

  /// The declarations of one family's kernels by name.
  public static func signatures(for family: Family) -> [String: KernelSignature] {
    declarations(in: files(for: family))
  }

  private static func declarations(in files: [(name: String, text: String)]) -> [String: KernelSignature] {
    var signatures: [String: KernelSignature] = [:]
    for file in files {
      for signature in KernelSignature.all(in: file.text) { signatures[signature.name] = signature }
    }
    return signatures
  }
}

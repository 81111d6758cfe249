import CKernels

/// The kernels' text, as it was when the program was built.
public enum KernelSources {
  /// The files in the order of compilation, with the folder in their names: `vector/conv.cl`.
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
  public enum Family: Sendable, CaseIterable {
    /// For CPU-type devices.
    case vectors
    /// For GPU-type devices.
    case workGroups
    /// These, and those for matrix units (`MatrixUnits`).
    case matrixUnits

    /// The folders of `Kernels/` that its program is made from.
    public var rooms: [String] {
      switch self {
      case .vectors: ["layout", "shared", "vector"]
      case .workGroups: ["layout", "shared", "workgroup"]
      case .matrixUnits: ["layout", "shared", "workgroup", "matrix"]
      }
    }
  }

  /// The files of one family in the order of compilation.
  public static func files(for family: Family) -> [(name: String, text: String)] {
    files.filter { file in family.rooms.contains { file.name.hasPrefix("\($0)/") } }
  }

  /// The declarations of one family's kernels by name, against which launches are checked.
  public static func signatures(for family: Family) -> [String: KernelSignature] { signatures[family] ?? [:] }

  private static let signatures: [Family: [String: KernelSignature]] = Dictionary(
    uniqueKeysWithValues: Family.allCases.map { family in
      let declared = files(for: family).flatMap { KernelSignature.all(in: $0.text, file: $0.name) }
      return (family, Dictionary(declared.map { ($0.name, $0) }) { $1 })
    })
}

import Compute
import ComputeKernels
import FileFormats
import TestSupport

/// Compiles the kernels for NVIDIA's GPUs without one: clang makes PTX of them, NVIDIA's `ptxas` machine code of that.
///
/// Not the compiler of NVIDIA's driver, but the same assembler, which has the last word about registers.
struct OfflineCompiler {
  /// What became of one kernel.
  struct Report {
    var registers = 0, spilledBytes = 0, localBytes = 0
    /// Its PTX.
    var text = ""
  }

  let clang: String, ptxas: String

  /// The compilers that `GPUNOISY_CLANG` and `GPUNOISY_PTXAS` name, else those on the path; nil if one is missing.
  static let found: OfflineCompiler? = {
    let clangs = FileBytes.environment("GPUNOISY_CLANG").map { [$0] } ?? ["clang-15", "clang"].flatMap(onPath)
    guard let ptxas = FileBytes.environment("GPUNOISY_PTXAS") ?? onPath("ptxas").first,
      let clang = clangs.first(where: hasTarget)
    else { return nil }
    return OfflineCompiler(clang: clang, ptxas: ptxas)
  }()

  /// Why a test that needs the compilers is skipped.
  static let absence = "GPUNOISY_CLANG and GPUNOISY_PTXAS name no clang with NVIDIA's target and no ptxas"

  private static func onPath(_ name: String) -> [String] {
    let folders = FileBytes.environment("PATH")?.split(separator: ":") ?? []
    return folders.map { "\($0)/\(name)" }.filter { FileBytes.resolved($0) != nil }
  }

  private static func hasTarget(_ clang: String) -> Bool {
    let ending = try? SpawnedProgram(clang, ["--print-targets"], in: "/tmp").end(within: 60)
    return ending?.output.contains("nvptx64") ?? false
  }

  /// Compiles the kernels for matrix units and all others of the work-group kind.
  ///
  /// - Parameters:
  ///   - activations: how activations are stored.
  ///   - architecture: the GPU's, such as `sm_90`.
  func reports(
    _ units: MatrixUnits, activations: ElementType, architecture: String
  ) throws -> [String: Report] {
    let scratch = ScratchFolder()
    let sources = KernelSources.files(for: .matrixUnits).map { "#line 1 \"\($0.name)\"\n\($0.text)\n" }.joined()
    try FileBytes.write(Array(Self.prelude.utf8), to: scratch("prelude.h"))
    try FileBytes.write(Array(sources.utf8), to: scratch("kernels.cl"))
    let made = try SpawnedProgram(
      clang,
      [
        "-x", "cl", "-cl-std=CL1.2", "-fasm", "-Xclang", "-finclude-default-header", "-include", "prelude.h",
        "-target", "nvptx64-nvidia-nvcl", "-Xclang", "-target-cpu", "-Xclang", "sm_80", "-Xclang", "-target-feature",
        "-Xclang", "+ptx74", "-O3", "-S", "kernels.cl", "-o", "kernels.ptx",
      ] + units.buildOptions(isNative: true) + (activations == .bfloat16 ? ["-DACTIVATION_BFLOAT16"] : []),
      in: scratch.path
    ).end(within: 120)
    guard made.code == 0 else { throw Problem(description: made.errors) }
    let assembled = try SpawnedProgram(
      ptxas, ["-v", "-arch=\(architecture)", "kernels.ptx", "-o", "kernels.cubin"], in: scratch.path
    ).end(within: 120)
    guard assembled.code == 0 else { throw Problem(description: assembled.errors) }
    var reports = Self.reports(of: assembled.errors)
    let text = String(decoding: try FileBytes.read(scratch("kernels.ptx")), as: UTF8.self)
    for piece in text.components(before: ".entry ") {
      let name = String(piece.prefix { $0 != "(" })
      reports[name]?.text = piece
    }
    return reports
  }

  /// Reads what `ptxas -v` says of each kernel.
  private static func reports(of log: String) -> [String: Report] {
    var reports: [String: Report] = [:], kernel = ""
    for line in log.split(separator: "\n") {
      let words = line.split { " ,'".contains($0) }.map(String.init)
      func number(before phrase: String...) -> Int? {
        words.indices.first { words[$0...].starts(with: phrase) }.flatMap { $0 > 0 ? Int(words[$0 - 1]) : nil }
      }
      if let entry = words.firstIndex(of: "function"), words.contains("Compiling") { kernel = words[entry + 1] }
      var report = reports[kernel] ?? Report()
      if line.contains("bytes spill stores") {
        report.spilledBytes = (number(before: "bytes", "spill") ?? 0) + (number(before: "bytes", "stack") ?? 0)
      }
      if line.contains(" Used ") {
        report.registers = number(before: "registers") ?? 0
        report.localBytes = number(before: "bytes", "smem") ?? 0
      }
      reports[kernel] = report
    }
    reports[""] = nil
    return reports
  }

  /// What a compiler complained of.
  struct Problem: Error, CustomStringConvertible { let description: String }

  /// OpenCL's functions in terms of clang's for this target, as far as the kernels use them.
  ///
  /// The approximations of logarithms and powers are for counting registers, not for computing.
  private static let prelude = """
    #define get_local_id(d) ((int)__nvvm_read_ptx_sreg_tid_x())
    #define get_local_size(d) ((int)__nvvm_read_ptx_sreg_ntid_x())
    #define get_group_id(d)                                      \\
      ((d) == 0 ? (int)__nvvm_read_ptx_sreg_ctaid_x()            \\
                : (d) == 1 ? (int)__nvvm_read_ptx_sreg_ctaid_y() : (int)__nvvm_read_ptx_sreg_ctaid_z())
    #define get_global_id(d) (get_group_id(d) * get_local_size(d) + get_local_id(d))
    #define barrier(fence) __nvvm_bar_sync(0)
    #define OVERLOAD static inline __attribute__((overloadable))
    OVERLOAD float fma_(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
    OVERLOAD float4 fma_(float4 a, float4 b, float4 c) {
      return (float4)(fma_(a.x, b.x, c.x), fma_(a.y, b.y, c.y), fma_(a.z, b.z, c.z), fma_(a.w, b.w, c.w));
    }
    OVERLOAD int max_(int a, int b) { return a > b ? a : b; }
    OVERLOAD float max_(float a, float b) { return __builtin_fmaxf(a, b); }
    OVERLOAD int min_(int a, int b) { return a < b ? a : b; }
    OVERLOAD float min_(float a, float b) { return __builtin_fminf(a, b); }
    #define fabs __builtin_fabsf
    #define fma fma_
    #define max max_
    #define min min_
    #define fmax max_
    #define fmin min_
    #define sqrt __nvvm_sqrt_approx_f
    #define exp __nvvm_ex2_approx_f
    #define log __nvvm_lg2_approx_f
    #define expm1 __nvvm_ex2_approx_f
    #define log1p __nvvm_lg2_approx_f

    """
}

extension String {
  /// The pieces behind each occurrence of a word, up to the next.
  fileprivate func components(before word: String) -> [String] {
    var pieces: [String] = [], rest = Substring(self)
    while let found = rest.range(of: word) {
      rest = rest[found.upperBound...]
      pieces.append(String(rest[..<(rest.range(of: word)?.lowerBound ?? rest.endIndex)]))
    }
    return pieces
  }
}

extension Substring {
  /// Where a word occurs first.
  fileprivate func range(of word: String) -> Range<Index>? {
    guard let first = word.first else { return nil }
    var start = startIndex
    while let found = self[start...].firstIndex(of: first) {
      if self[found...].hasPrefix(word) { return found..<index(found, offsetBy: word.count) }
      start = index(after: found)
    }
    return nil
  }
}

import Compute
import ComputeKernels
import Testing

/// What NVIDIA's assembler makes of the kernels, on machines without such a GPU.
@Suite(
  .serialized, .enabled(if: OfflineCompiler.found != nil, Comment(rawValue: OfflineCompiler.absence)))
struct `Kernels compiled for NVIDIA's GPUs` {
  /// Bytes of local memory that every such GPU gives to a group.
  private static let localMemory = 48 * 1024

  /// Registers per work-item, of 65536 in all: room for four groups of 128 work-items at a time.
  ///
  /// Weight gradients keep 72 sums in registers: room for two groups, and a fifth to spare.
  private static func registerBudget(of kernel: String) -> Int { kernel.contains("weights") ? 200 : 128 }

  @Test(arguments: [(MatrixUnits.tf32, ElementType.float32), (.bfloat16, .bfloat16)], ["sm_80", "sm_90"])
  func `use matrix units and spill nothing`(numbers: (MatrixUnits, ElementType), architecture: String) throws {
    let compiler = try #require(OfflineCompiler.found), (units, activations) = numbers
    let reports = try compiler.reports(units, activations: activations, architecture: architecture)
    for (kernel, signature) in KernelSources.signatures(for: .matrixUnits).sorted(by: { $0.key < $1.key }) {
      let report = try #require(reports[kernel], "\(kernel) was not compiled")
      #expect(report.spilledBytes == 0, "\(kernel) keeps registers in memory")
      #expect(report.localBytes <= Self.localMemory, "\(kernel)")
      #expect(report.registers <= Self.registerBudget(of: kernel), "\(kernel)")
      guard signature.room == "matrix", kernel != "conv_mma_pack" else { continue }
      print("\(architecture) \(units) \(kernel): \(report.registers) registers, \(report.localBytes) bytes")
      let instruction = units == .tf32 ? "mma.sync.aligned.m16n8k8.row.col.f32.tf32" : "mma.sync.aligned.m16n8k16.row"
      #expect(report.text.contains(instruction), "\(kernel)")
      #expect(!report.text.contains(".local "), "\(kernel) has arrays in memory")
    }
  }
}

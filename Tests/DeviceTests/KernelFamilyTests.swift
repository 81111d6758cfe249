import CKernels
import ComputeCPU
import ComputeKernels
import Testing

@Suite struct `The families of kernels` {
  @Test(arguments: [false, true])
  func `without groups are in the program`(bfloat16: Bool) {
    for set in 0..<gpunoisy_instruction_set_count() {
      for (name, kernel) in KernelSources.signatures(for: .vectors) {
        #expect(gpunoisy_find_kernel(set, bfloat16, false, name) != nil, "native_set.h does not list \(kernel.title)")
      }
    }
  }

  /// Other tests run them; this one is counted as skipped where they cannot.
  @Test(
    .enabled(
      if: CPUDevice.testedInstructionSets.contains("amx_emulated"), "the processor has no AVX-512 with bfloat16"))
  func `for AMX replace those that multiply panels`() throws {
    let names = (0..<gpunoisy_instruction_set_count()).map { String(cString: gpunoisy_instruction_set_name($0)) }
    let emulated = Int32(try #require(names.firstIndex(of: "amx_emulated")))
    let vectors = Int32(try #require(names.firstIndex(of: "avx512_bf16")))
    let replaced = KernelSources.signatures(for: .vectors).keys.filter { name in
      func kernel(_ set: Int32) -> UInt {
        unsafeBitCast(gpunoisy_find_kernel(set, false, true, name), to: UInt.self)
      }
      return kernel(emulated) != kernel(vectors)
    }
    #expect(Set(replaced) == ["winograd_wide_output", "gather_output", "panel_accumulate"])
  }

  @Test func `are told apart by their rooms`() throws {
    for (family, room) in [(KernelSources.Family.vectors, "vector"), (.workGroups, "workgroup")] {
      let kernels = KernelSources.signatures(for: family)
      #expect(try #require(kernels["batchnorm_combine"]).title == "\(room)/batchnorm_combine")
      #expect(try #require(kernels["rows_scale"]).title == "shared/rows_scale")
      #expect(Set(kernels.values.compactMap(\.room)) == ["shared", room])
    }
  }

  @Test func `begin with the numbers that Swift imports`() {
    for family in KernelSources.Family.allCases {
      #expect(KernelSources.files(for: family).first?.name == "layout/include/layout.h")
    }
    let named = Set(KernelSources.Family.allCases.flatMap { KernelSources.files(for: $0).map(\.name) })
    #expect(named == Set(KernelSources.files.map(\.name)), "every file is in a family")
  }
}

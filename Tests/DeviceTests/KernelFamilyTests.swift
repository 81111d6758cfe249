import CKernels
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

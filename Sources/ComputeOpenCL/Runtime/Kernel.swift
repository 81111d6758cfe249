import COpenCL
import ComputeKernels
import Failures

/// A value for one argument of a kernel.
public enum KernelArgument {
  /// Device memory, for a pointer to global or constant memory.
  case buffer(Buffer)
  /// No memory, for such a pointer that the kernel does not look at.
  case none
  /// A whole number, for any integer argument that it fits into.
  case int(Int)
  case float(Float)
  /// Scratch memory of a work-group, for a pointer to local memory.
  case local(byteCount: Int)
}

/// A kernel with its arguments, for one place where it is launched.
///
/// Arguments are bound once; launching it again and again sets nothing. It keeps its buffers alive.
public final class Kernel {
  /// Its name in the source.
  public let name: String
  /// What messages call it: `workgroup/batchnorm_combine`.
  public var title: String { signature?.title ?? name }
  let handle: cl_kernel
  /// Whether all arguments have a value.
  private(set) var isBound = false
  private let program: Program
  private let argumentCount: Int
  /// The declaration in the source; nil where only a macro makes it.
  private let signature: KernelSignature?
  /// The names that the driver knows; nil where it does not tell.
  private let driverNames: [String]?
  /// The memory behind the arguments: OpenCL does not keep it alive.
  private var buffers: [Buffer] = []

  init(_ name: String, in program: Program, signatures: [KernelSignature]) throws(Failure) {
    let device = program.context.device
    var code = CL_SUCCESS
    let kernel = opencl.clCreateKernel(program.handle, name, &code)
    if code == CL_INVALID_KERNEL_NAME { throw program.missingKernel(name) }
    try check(code, "clCreateKernel", while: "preparing the kernel \(name)", on: device.name)
    guard let kernel else { throw Context.noHandle("clCreateKernel", on: device) }
    self.name = name
    self.program = program
    handle = kernel
    let count = try? infoValue("clGetKernelInfo", as: cl_uint.self) {
      opencl.clGetKernelInfo(kernel, cl_kernel_info(CL_KERNEL_NUM_ARGS), $0, $1, nil)
    }
    argumentCount = count.map { Int($0) } ?? signatures.first?.arguments.count ?? 0
    driverNames = Self.names(of: kernel, count: argumentCount)
    // Branches of an #if may declare it twice; the number of arguments then tells which one was compiled.
    signature =
      signatures.count == 1
      ? signatures.first : signatures.first { [argumentCount] in $0.arguments.count == argumentCount }
  }

  deinit { _ = opencl.clReleaseKernel(handle) }

  /// Sets all arguments, in the kernel's order and by the kernel's own names for them.
  ///
  /// - Throws: `.bug` if a name, the number of arguments or the kind of one is not the kernel's; `.configuration` for a
  ///   number that does not fit into the kernel's type; `.deviceUnavailable` or `.outOfMemory` from the driver.
  public func bind(_ arguments: [(name: String, value: KernelArgument)]) throws(Failure) {
    let labels = arguments.map(\.name)
    if let signature { try signature.check(labels) }
    if let driverNames { try KernelSignature.check(labels, against: driverNames, of: title) }
    guard labels.count == argumentCount else {
      throw KernelSignature.mismatch("\(title) takes \(argumentCount) arguments, the host gives \(labels.count).")
    }
    isBound = false
    buffers.removeAll(keepingCapacity: true)
    for (index, argument) in arguments.enumerated() {
      let kind = signature?.arguments[index].kind
      try set(index, to: argument.value, named: argument.name, kind: kind)
    }
    isBound = true
  }

  /// The most work-items that a group of this kernel can have on its device.
  public var maxWorkGroupSize: Int { workGroupInfo(CL_KERNEL_WORK_GROUP_SIZE, as: Int.self) ?? 1 }

  /// A number of which the size of a work-group should be a multiple.
  public var preferredWorkGroupMultiple: Int {
    workGroupInfo(CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE, as: Int.self) ?? 1
  }

  /// Local memory of a work-group, in bytes, with that of the bound arguments.
  public var localMemoryBytes: UInt64 { workGroupInfo(CL_KERNEL_LOCAL_MEM_SIZE, as: cl_ulong.self) ?? 0 }

  /// Private memory of a work-item that is not in registers, in bytes, as far as the driver tells.
  public var privateMemoryBytes: UInt64 { workGroupInfo(CL_KERNEL_PRIVATE_MEM_SIZE, as: cl_ulong.self) ?? 0 }

  private func workGroupInfo<Value: FixedWidthInteger>(_ parameter: Int32, as type: Value.Type) -> Value? {
    try? infoValue("clGetKernelWorkGroupInfo", as: type) {
      opencl.clGetKernelWorkGroupInfo(
        handle, program.context.deviceHandle, cl_kernel_work_group_info(parameter), $0, $1, nil)
    }
  }

  /// The argument names as the driver tells them; nil if it does not tell all.
  private static func names(of kernel: cl_kernel, count: Int) -> [String]? {
    var names: [String] = []
    for index in 0..<count {
      let name = try? infoText("clGetKernelArgInfo") {
        opencl.clGetKernelArgInfo(kernel, cl_uint(index), cl_kernel_arg_info(CL_KERNEL_ARG_NAME), $0, $1, $2)
      }
      guard let name, !name.isEmpty else { return nil }
      names.append(name)
    }
    return names
  }
}

extension Kernel {
  private func set(
    _ index: Int, to value: KernelArgument, named label: String, kind: KernelSignature.Kind?
  ) throws(Failure) {
    switch (value, kind) {
    case (.buffer(let buffer), .buffer), (.buffer(let buffer), nil):
      precondition(buffer.context === program.context, "\(title): '\(label)' is a buffer of another context")
      buffers.append(buffer)
      try setBytes(index, of: Optional(buffer.handle), named: label)
    case (.none, .buffer), (.none, nil): try setBytes(index, of: cl_mem?.none, named: label)
    case (.local(let byteCount), .local), (.local(let byteCount), nil):
      precondition(byteCount > 0, "\(title): '\(label)' has no local memory")
      try set(index, byteCount: byteCount, from: nil, named: label)
    case (.float(let number), .float), (.float(let number), nil): try setBytes(index, of: number, named: label)
    case (.int(let number), .int), (.int(let number), nil):
      try setInteger(index, to: number, as: Int32.self, named: label)
    case (.int(let number), .uint): try setInteger(index, to: number, as: UInt32.self, named: label)
    case (.int(let number), .long): try setInteger(index, to: number, as: Int64.self, named: label)
    case (.int(let number), .ulong): try setInteger(index, to: number, as: UInt64.self, named: label)
    default:
      throw KernelSignature.mismatch(
        "\(title): argument '\(label)' is \(kind.phrase) in the kernel but \(value.phrase) on the host.")
    }
  }

  private func setInteger<Number: FixedWidthInteger & BitwiseCopyable>(
    _ index: Int, to number: Int, as type: Number.Type, named label: String
  ) throws(Failure) {
    guard let fitting = Number(exactly: number) else {
      throw Failure(
        .configuration, "\(title): argument '\(label)' is \(number).",
        why: "the kernel takes numbers from \(Number.min) to \(Number.max) there.",
        fix: "use a smaller --batch-size or smaller images.")
    }
    try setBytes(index, of: fitting, named: label)
  }

  private func setBytes<Value>(_ index: Int, of value: Value, named label: String) throws(Failure) {
    try withUnsafeBytes(of: value) { bytes throws(Failure) in
      try set(index, byteCount: bytes.count, from: bytes.baseAddress, named: label)
    }
  }

  private func set(
    _ index: Int, byteCount: Int, from bytes: UnsafeRawPointer?, named label: String
  ) throws(Failure) {
    try check(
      opencl.clSetKernelArg(handle, cl_uint(index), byteCount, bytes), "clSetKernelArg",
      while: "setting argument '\(label)' of \(title)", on: program.context.device.name)
  }
}

extension KernelArgument {
  /// What kind of value this is, with its article.
  fileprivate var phrase: String {
    switch self {
    case .buffer: "a buffer"
    case .none: "no buffer"
    case .int: "a whole number"
    case .float: "a float"
    case .local: "local memory"
    }
  }
}

extension KernelSignature.Kind? {
  /// What kind of argument this is, with its article.
  fileprivate var phrase: String {
    switch self {
    case .buffer: "a pointer to global memory"
    case .local: "a pointer to local memory"
    case .int, .uint, .long, .ulong: "a whole number"
    case .float: "a float"
    case .other, nil: "of a type that the host cannot pass"
    }
  }
}

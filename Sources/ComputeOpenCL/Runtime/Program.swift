import COpenCL
import ComputeKernels
import Failures

/// Compiled kernels of one context.
public final class Program {
  /// A file of kernels under the name by which errors quote it.
  public typealias Source = (fileName: String, text: String)

  /// What it belongs to.
  public let context: Context
  /// Whether the kernels came from the cache and not from the compiler.
  public let isFromCache: Bool
  /// What the compiler said besides; empty for kernels from the cache.
  public let buildLog: BuildLog
  let handle: cl_program
  private let fileNames: [String]
  private let signatures: [String: [KernelSignature]]

  /// Compiles `sources`, joined in their order, or loads the result of doing so earlier from `cache`.
  ///
  /// A damaged or foreign cache entry counts as none, and is replaced.
  ///
  /// - Parameter options: for the OpenCL compiler: `-D CHANNELS=16 -cl-mad-enable`. Argument names are always kept.
  /// - Throws: `.deviceUnavailable` with the file, line and message of the first error, and the compiler's log.
  public static func build(
    _ sources: [Source], options: String = "", in context: Context, cache: ProgramCache? = nil
  ) throws(Failure) -> Program {
    precondition(!options.utf8.contains(0), "build options contain a zero byte")
    let options = options.isEmpty ? "-cl-kernel-arg-info" : "\(options) -cl-kernel-arg-info"
    guard let cache else { return try Program(compiling: sources, options: options, in: context) }
    let key = ProgramCache.key(sources: sources, options: options, device: context.device)
    if let binary = cache.binary(for: key),
      let program = Program(loading: binary, sources: sources, options: options, in: context)
    {
      return program
    }
    let program = try Program(compiling: sources, options: options, in: context)
    if let binary = program.binary() { cache.store(binary, for: key) }
    return program
  }

  /// Makes a kernel object of its own for one place where the kernel `name` is launched.
  ///
  /// - Throws: `.bug` if the program has no such kernel.
  public func kernel(_ name: String) throws(Failure) -> Kernel {
    try Kernel(name, in: self, signatures: signatures[name] ?? [])
  }

  deinit { _ = opencl.clReleaseProgram(handle) }

  private init(compiling sources: [Source], options: String, in context: Context) throws(Failure) {
    let device = context.device
    var code = CL_SUCCESS
    let handle = Self.joined(sources).withCString { text in
      var text: UnsafePointer<CChar>? = text
      return opencl.clCreateProgramWithSource(context.handle, 1, &text, nil, &code)
    }
    try check(code, "clCreateProgramWithSource", while: "building the kernels", on: device.name)
    guard let handle else { throw Context.noHandle("clCreateProgramWithSource", on: device) }
    code = Self.build(handle, options: options, in: context)
    let log = Self.log(of: handle, in: context)
    if code != CL_SUCCESS {
      _ = opencl.clReleaseProgram(handle)
      throw Self.failure(OpenCLError("clBuildProgram", code: code), log: log, sources: sources, device: device)
    }
    self.context = context
    self.handle = handle
    isFromCache = false
    buildLog = log
    fileNames = sources.map(\.fileName)
    signatures = Self.signatures(of: sources)
  }

  /// Nil if the driver refuses the binary.
  private init?(loading binary: [UInt8], sources: [Source], options: String, in context: Context) {
    var code = CL_SUCCESS, status = CL_SUCCESS
    var devices: [cl_device_id?] = [context.deviceHandle], length = binary.count
    let handle = binary.withUnsafeBufferPointer { bytes in
      var start: UnsafePointer<UInt8>? = bytes.baseAddress
      return opencl.clCreateProgramWithBinary(context.handle, 1, &devices, &length, &start, &status, &code)
    }
    guard let handle else { return nil }
    guard code == CL_SUCCESS, status == CL_SUCCESS, Self.build(handle, options: options, in: context) == CL_SUCCESS
    else {
      _ = opencl.clReleaseProgram(handle)
      return nil
    }
    self.context = context
    self.handle = handle
    isFromCache = true
    buildLog = BuildLog("")
    fileNames = sources.map(\.fileName)
    signatures = Self.signatures(of: sources)
  }

  private static func build(_ program: cl_program, options: String, in context: Context) -> cl_int {
    var devices: [cl_device_id?] = [context.deviceHandle]
    return opencl.clBuildProgram(program, 1, &devices, options, nil, nil)
  }

  /// The sources as one text, in which each line keeps its file and number.
  private static func joined(_ sources: [Source]) -> String {
    sources.map { source in
      let name = source.fileName.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined()
      return "#line 1 \"\(name)\"\n\(source.text)\n"
    }.joined()
  }

  private static func signatures(of sources: [Source]) -> [String: [KernelSignature]] {
    Dictionary(grouping: KernelSignature.all(in: joined(sources)), by: \.name)
  }

  /// What the driver compiled the program to; nil if it does not tell.
  private func binary() -> [UInt8]? {
    let sizes = try? infoArray("clGetProgramInfo", of: Int.self, atMost: 1) {
      opencl.clGetProgramInfo(handle, cl_program_info(CL_PROGRAM_BINARY_SIZES), $0, $1, $2)
    }
    guard let size = sizes?.first, (1...ProgramCache.largestBinary).contains(size) else { return nil }
    var code = CL_SUCCESS
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { memory, count in
      var start = memory.baseAddress
      let width = MemoryLayout<UnsafeMutablePointer<UInt8>?>.size
      code = opencl.clGetProgramInfo(handle, cl_program_info(CL_PROGRAM_BINARIES), width, &start, nil)
      count = code == CL_SUCCESS ? size : 0
    }
    return code == CL_SUCCESS ? bytes : nil
  }

  private static func log(of program: cl_program, in context: Context) -> BuildLog {
    let text = try? infoText("clGetProgramBuildInfo") {
      opencl.clGetProgramBuildInfo(
        program, context.deviceHandle, cl_program_build_info(CL_PROGRAM_BUILD_LOG), $0, $1, $2)
    }
    return BuildLog(text ?? "")
  }

  private static func failure(
    _ error: OpenCLError, log: BuildLog, sources: [Source], device: DeviceInfo
  ) -> Failure {
    if error.isOutOfMemory { return error.failure(while: "building the kernels", on: device.name) }
    let names = sources.map(\.fileName).joined(separator: ", ")
    let what = log.firstProblem.map { problem in
      let (file, line) = place(of: problem, in: sources)
      return "\(file) line \(line) does not compile for \(device.name): \(problem.message)."
    }
    return Failure(
      .deviceUnavailable, what ?? "the kernels (\(names)) do not compile for \(device.name).",
      why: log.text.isEmpty ? "\(error.sentence); the compiler wrote no log." : "\(error.sentence):\n\(log.excerpt())",
      fix: """
        correct that line; if the kernels are unmodified, update the driver (\(device.driverVersion)) \
        or use --device cpu.
        """)
  }

  /// Where a problem is, also for a compiler that counts the lines of the joined text and names a file of its own.
  private static func place(of problem: BuildLog.Problem, in sources: [Source]) -> (file: String, line: Int) {
    if !sources.contains(where: { $0.fileName == problem.file }) {
      var line = problem.line
      for source in sources {
        // The `#line` before the text, the text, and the line end behind it.
        let count = 2 + source.text.utf8.count { $0 == UInt8(ascii: "\n") }
        if (2...count).contains(line) { return (source.fileName, line - 1) }
        line -= count
      }
    }
    return (problem.file, problem.line)
  }
}

extension Program {
  /// The failure for a kernel name that the program does not have.
  func missingKernel(_ name: String) -> Failure {
    Failure(
      .bug, "there is no kernel '\(name)' in \(fileNames.joined(separator: ", ")).",
      why: "these files declare \(signatures.isEmpty ? "none" : signatures.keys.sorted().joined(separator: ", ")).",
      fix: "correct the name, or the options that the kernels are built with.")
  }
}

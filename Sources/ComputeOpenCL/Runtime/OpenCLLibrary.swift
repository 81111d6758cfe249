import COpenCL
import Glibc

/// The ICD loader (libOpenCL), opened on first use and kept open until the process ends.
enum OpenCLLibrary {
  /// The loader's functions, or the sentence that says why there are none.
  static let state: State = load()

  enum State: Sendable {
    case loaded(OpenCLFunctions, loader: String)
    case missing(why: String)
  }

  private static func load() -> State {
    guard let library = dlopen("libOpenCL.so.1", RTLD_NOW) ?? dlopen("libOpenCL.so", RTLD_NOW) else {
      return .missing(why: "OpenCL's loader (libOpenCL.so.1) is not installed.")
    }
    var functions = OpenCLFunctions()
    if let absent = opencl_find_functions(library, &functions) {
      return .missing(why: "The installed libOpenCL lacks \(String(cString: absent)); OpenCL 1.2 is needed.")
    }
    let name = text(of: library, parameter: 3), version = text(of: library, parameter: 2)
    let loader = [name, version].compactMap { $0 }.joined(separator: " ")
    return .loaded(functions, loader: loader)
  }

  private static func text(of library: UnsafeMutableRawPointer, parameter: cl_uint) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      buffer.initialize(repeating: 0)
      guard let base = buffer.baseAddress, opencl_loader_text(library, parameter, base, buffer.count - 1) else {
        return nil
      }
      return String(cString: base)
    }
  }
}

/// The functions of the loader, for code that holds a device and therefore knows that the loader is there.
let opencl: OpenCLFunctions = {
  switch OpenCLLibrary.state {
  case .loaded(let functions, _): functions
  case .missing(let why): preconditionFailure("OpenCL is used before a device was found: \(why)")
  }
}()

import Failures
import FileFormats
import Glibc
import Reports

/// A reader under libFuzzer, whose entry point is the program's (see `Tools/fuzz`).
///
/// `GPUNOISY_FUZZ_TARGET` names the reader, `GPUNOISY_FUZZ_SEEDS` a folder that its seeds are written to. Findings are
/// crashes, errors that are no `Failure`, those of kind `bug`, and those that are not told in three lines.
enum Fuzz {
  static let target: FuzzTarget = {
    let name = FileBytes.environment("GPUNOISY_FUZZ_TARGET") ?? ""
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
      fatalError("GPUNOISY_FUZZ_TARGET is none of: \(FuzzTarget.all.map(\.name).joined(separator: " "))")
    }
    return target
  }()

  /// A folder of this process alone, in memory where there is such a place.
  static let folder: String = {
    let parent = FileBytes.environment("GPUNOISY_FUZZ_FOLDER") ?? "/tmp"
    let path = "\(parent)/\(target.name)-\(getpid())"
    do { try FileBytes.makeFolder(path) } catch { fatalError("\(error)") }
    return path
  }()

  /// Writes a file of the input below the folder, and returns its path.
  @discardableResult
  static func put(_ bytes: some Sequence<UInt8>, _ name: String) -> String {
    let path = folder + "/" + name
    write(Array(bytes), path)
    return path
  }

  /// Writes a file and makes its folder.
  static func write(_ bytes: [UInt8], _ path: String) {
    do {
      try FileBytes.makeFolder(FileBytes.folder(of: path))
      try FileBytes.write(bytes, to: path)
    } catch { fatalError("\(error)") }
  }

  /// Removes a file, or a folder with all that is in it, where there is one.
  static func remove(_ path: String) {
    guard FileBytes.kind(of: path) == .folder else {
      unlink(path)
      return
    }
    for name in FileBytes.entries(in: path) ?? [] { remove(path + "/" + String(decoding: name, as: UTF8.self)) }
    rmdir(path)
  }

  /// Runs a reader, which may refuse its input as every error of the outside world is told.
  static func refusing(_ read: () throws -> Void) {
    do { try read() } catch let failure as Failure {
      let text = ErrorMessages.lines(for: failure)
      precondition(failure.kind != .bug, "a bug: \(text)")
      precondition(text.split(separator: "\n").count == 3, "an error of other than three lines: \(text)")
    } catch { preconditionFailure("an error that is no Failure: \(error)") }
  }
}

/// What libFuzzer calls before it reads any input: lists the readers, or writes the seeds of the chosen one.
@_cdecl("LLVMFuzzerInitialize")
public func fuzzInitialize(_ count: UnsafeMutableRawPointer?, _ arguments: UnsafeMutableRawPointer?) -> CInt {
  if FileBytes.environment("GPUNOISY_FUZZ_TARGET") == "list" {
    for target in FuzzTarget.all { print(target.name) }
    exit(0)
  }
  guard let folder = FileBytes.environment("GPUNOISY_FUZZ_SEEDS") else { return 0 }
  for (index, seed) in Fuzz.target.seeds().enumerated() { Fuzz.write(seed, "\(folder)/seed\(index)") }
  return 0
}

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  Fuzz.target.read(size == 0 ? [] : Array(UnsafeBufferPointer(start: data, count: size)))
  return 0
}

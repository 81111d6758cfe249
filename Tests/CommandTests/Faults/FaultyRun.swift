import FileFormats
import Glibc
import TestSupport
import Testing

/// A short run of the command, one of whose calls to the system ends it or fails (`faults.c`).
struct FaultyRun {
  /// The library that makes calls fail; nil where there is no C compiler.
  static let library: String? = {
    let source = #filePath.split(separator: "/").dropLast().joined(separator: "/"), made = scratch("faults.so")
    for compiler in ["/usr/bin/cc", "/usr/bin/clang", "/usr/bin/gcc"] where FileBytes.kind(of: compiler) == .file {
      let program = SpawnedProgram(
        compiler, ["-shared", "-fPIC", "-O1", "-Wall", "-o", made, "/\(source)/faults.c", "-ldl"], in: "/tmp")
      if (try? program.end().code) == 0 { return made }
    }
    return nil
  }()
  private static let scratch = ScratchFolder()

  /// The subcommand with its settings, without the folder.
  let command: [String]
  let folder = ScratchFolder()
  var run: String { folder("run") }

  /// Runs it into its folder, with a fault.
  ///
  /// - Parameters:
  ///   - calls: the calls that count.
  ///   - place: the one that is hit, counted from 1; 0 only counts.
  ///   - kind: what happens there, as `faults.c` reads it.
  /// - Returns: how it ended, and how many calls there were; 0 if it was killed.
  func begin(_ calls: String, at place: Int, _ kind: String) throws -> (ending: SpawnedProgram.Ending, calls: Int) {
    let count = folder("calls")
    let ending = try CommandUnderTest.run(
      command + ["--out", "run", "-q"], in: folder,
      environment: [
        "LD_PRELOAD": Self.library, "FAULTS_PROGRAM": CommandUnderTest.path.split(separator: "/").last.map(String.init),
        "FAULTS_CALLS": calls, "FAULTS_AT": "\(place)", "FAULTS_KIND": kind, "FAULTS_COUNT": count,
      ])
    let text = (try? FileBytes.read(count)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    unlink(count)
    return (ending, text.lines.first.flatMap { Int($0) } ?? 0)
  }

  /// Begins with a copy of another run in its folder.
  func takeOver(_ other: FaultyRun) throws {
    _ = try SpawnedProgram("/bin/cp", ["-r", other.run, run], in: "/").end()
  }

  /// Goes on where that stopped, or starts the same command again where nothing was there to go on with.
  func goOn() throws -> SpawnedProgram.Ending {
    let isBegun = FileBytes.kind(of: run + "/config.toml") == .file
    return try CommandUnderTest.run(
      isBegun ? [command[0], "--resume", "run", "-q"] : command + ["--out", "run", "-q"], in: folder)
  }

  /// The files of the run folder that are still being written, by their names.
  func temporaryFiles() throws -> [String] {
    try Self.files(run).filter { $0.split(separator: "/").last.map { $0.hasSuffix(".tmp") } ?? false }
  }

  /// What differs from a run without a fault; times, the process and its log do not count.
  func differences(from whole: FaultyRun) throws -> [String] {
    let mine = try contents(), theirs = try whole.contents()
    return Set(mine.keys).union(theirs.keys).sorted().filter { mine[$0] != theirs[$0] }
  }

  private func contents() throws -> [String: [UInt8]] {
    let names = try Self.files(run).filter { name in
      let file = name.split(separator: "/").last ?? ""
      return !["run.json", "log.txt", ".lock", "index.html", "detect.json"].contains(file) && !name.contains("tb/")
    }
    return try Dictionary(
      uniqueKeysWithValues: names.map { name in
        let bytes = try FileBytes.read("\(run)/\(name)")
        return (name, name.hasSuffix("metrics.csv") ? try Self.withoutTimes(bytes) : bytes)
      })
  }

  /// metrics.csv without the columns that no two runs have alike.
  private static func withoutTimes(_ bytes: [UInt8]) throws -> [UInt8] {
    let table = try CSV(decoding: bytes, name: "metrics.csv")
    let kept = table.header.indices.filter { !["seconds", "images_per_second"].contains(table.header[$0]) }
    return ([table.header] + table.rows).flatMap { row in Array(CSV.line(kept.map { row[$0] }).utf8) }
  }

  private static func files(_ folder: String) throws -> [String] {
    try (FileBytes.entries(in: folder) ?? []).flatMap { entry -> [String] in
      let name = String(decoding: entry, as: UTF8.self), path = folder + "/" + name
      return FileBytes.kind(of: path) == .folder ? try files(path).map { name + "/" + $0 } : [name]
    }
  }
}

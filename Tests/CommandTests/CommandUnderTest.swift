import FileFormats
import Glibc
import TestSupport
import Testing

/// All tests of the command, one after the other: each trains on all processors.
@Suite("The command", .serialized)
struct CommandTests {}

/// The built command.
enum CommandUnderTest {
  /// `GPUNOISY_BINARY`, or the product beside the test bundle.
  static let path: String = {
    if let given = FileBytes.environment("GPUNOISY_BINARY") { return FileBytes.resolved(given) ?? given }
    // On Linux the bundle is the running program; elsewhere its path is among the arguments.
    let candidates = [FileBytes.resolved("/proc/self/exe") ?? ""] + CommandLine.arguments
    let folders = candidates.map { path in
      let parts = path.split(separator: "/", omittingEmptySubsequences: false)
      return parts.prefix { !$0.hasSuffix(".xctest") }.joined(separator: "/")
    }
    return folders.map { $0 + "/gpunoisy" }.first { FileBytes.kind(of: $0) == .file } ?? "gpunoisy"
  }()

  /// Starts the command in a folder; every test does it here, and so under the limit.
  ///
  /// - Parameter shell: what a shell does before; nothing by default.
  static func start(
    _ arguments: [String], in folder: ScratchFolder, environment: [String: String?] = [:], preparing shell: String = ":"
  ) -> SpawnedProgram {
    // Settings of the person who runs the tests must not show, nor whether their machine has weights.
    let neutral: [String: String?] = [
      "GPUNOISY_DATA": nil, "GPUNOISY_WEIGHTS": folder.path + "/no-weights", "NO_COLOR": nil, "CLICOLOR_FORCE": nil,
      "FORCE_COLOR": nil,
      "LC_ALL": "C.UTF-8",
    ]
    // 8 GB of address space: what takes more would take a small machine down.
    return SpawnedProgram(
      "/bin/sh", ["-c", "ulimit -v 8388608; \(shell); exec \"$0\" \"$@\"", path] + arguments, in: folder.path,
      environment: neutral.merging(environment) { _, given in given })
  }

  /// Runs the command to its end.
  static func run(
    _ arguments: [String], in folder: ScratchFolder, environment: [String: String?] = [:]
  ) throws -> SpawnedProgram.Ending {
    try start(arguments, in: folder, environment: environment).end()
  }

  /// Runs the command, which must succeed, and returns its standard output.
  @discardableResult
  static func output(
    _ arguments: [String], in folder: ScratchFolder, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let ending = try run(arguments, in: folder)
    #expect(ending.code == 0, "\(arguments.joined(separator: " ")): \(ending.errors)", sourceLocation: sourceLocation)
    return ending.output
  }

  /// A training run of a few seconds: four steps an epoch.
  static func training(_ rest: String...) -> [String] {
    [
      "train", "shapes", "--limit-train", "128", "--limit-test", "64", "--model", "resnet20", "--batch-size", "32",
      "--lr", "0.05", "--device", "cpu",
    ] + rest.flatMap { $0.split(separator: " ").map(String.init) }
  }
}

extension String {
  /// The lines, without their ends.
  var lines: [String] { split(whereSeparator: \.isNewline).map(String.init) }
}

extension CommandUnderTest {
  /// A run as it ends by itself, and the same killed once it has saved a checkpoint, before step `steps`, and resumed:
  /// expects both to have the same files.
  ///
  /// - Parameter interruption: what happens between the kill and the resuming.
  static func wholeAndKilled(
    _ settings: String, steps: Int, in folder: ScratchFolder, interruption: () throws -> Void = {}
  ) throws -> (whole: RunFiles, killed: RunFiles) {
    try output(training(settings, "--out whole"), in: folder)
    let whole = RunFiles(folder("whole")), killed = RunFiles(folder("killed"))
    let program = start(training(settings, "--out killed"), in: folder)
    #expect(program.wait { FileBytes.kind(of: killed.lastCheckpoint) == .file })
    program.send(SIGKILL)
    _ = try program.end()
    #expect(try #require(killed.record()["step"]?.integer) < steps)
    try interruption()
    try output(["train", "--resume", "killed", "--threads", "1"], in: folder)
    try killed.expectEqual(to: whole)
    return (whole, killed)
  }
}

/// Files of a run folder as the tests look at them.
struct RunFiles {
  let path: String

  init(_ path: String) { self.path = path }

  func text(_ name: String) throws -> String { String(decoding: try FileBytes.read(path + "/" + name), as: UTF8.self) }

  /// A table's columns by name.
  func table(_ name: String) throws -> CSV { try CSV(decoding: FileBytes.read(path + "/" + name), name: name) }

  /// One column of a table.
  func column(_ column: String, of name: String) throws -> [String] {
    let table = try table(name)
    let index = try #require(table.column(column))
    return table.rows.map { $0[index] }
  }

  /// run.json.
  func record() throws -> JSONValue { try document("run.json") }

  /// A document.
  func document(_ name: String) throws -> JSONValue {
    try JSONText.parse(FileBytes.read(path + "/" + name), named: name)
  }

  var lastCheckpoint: String { path + "/checkpoints/last.safetensors" }

  /// Expects two runs to have the same weights, momenta and per-sample state, bit for bit, and the same curves.
  func expectEqual(to other: RunFiles, sourceLocation: SourceLocation = #_sourceLocation) throws {
    for name in ["last", "best"] {
      let one = try SafetensorsFile.read("\(path)/checkpoints/\(name).safetensors")
      let two = try SafetensorsFile.read("\(other.path)/checkpoints/\(name).safetensors")
      #expect(one.names == two.names, sourceLocation: sourceLocation)
      let different = one.names.filter { one[$0] != two[$0] }
      #expect(different.isEmpty, "\(name)", sourceLocation: sourceLocation)
      #expect(
        one.metadata["gpunoisy.position"] == two.metadata["gpunoisy.position"], sourceLocation: sourceLocation)
    }
    for column in ["epoch", "step", "lr", "train_loss", "train_acc", "test_loss", "test_acc"] {
      #expect(
        try self.column(column, of: "metrics.csv") == other.column(column, of: "metrics.csv"), "\(column)",
        sourceLocation: sourceLocation)
    }
    for name in ["per_class.csv", "samples.csv", "aum_values.csv"] {
      #expect(try text(name) == other.text(name), "\(name)", sourceLocation: sourceLocation)
    }
  }
}

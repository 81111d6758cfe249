import ArgumentParser
import Failures
import FileFormats
import Reports
import Settings

/// The command.
///
/// Each subcommand has a file; `Console` has what they say, and how.
@main
struct GPUNoisy: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "gpunoisy",
    abstract: "Train image classifiers on noisy labels, on any OpenCL device or the CPU.",
    discussion: """
      A first run, without your own data:
        gpunoisy train shapes --noise symmetric:0.4 --loss sce --epochs 3
      On a folder of photos, one subfolder per class:
        gpunoisy train ./photos --loss sce --epochs 60
      Which of its labels are wrong:
        gpunoisy detect ./photos
      """,
    version: version,
    subcommands: [
      TrainCommand.self,
      DetectCommand.self,
      ApplyCommand.self,
      ReportCommand.self,
      EvalCommand.self,
      PredictCommand.self,
      LossesCommand.self,
      MethodsCommand.self,
      FeaturesCommand.self,
      WeightsCommand.self,
      ReproCommand.self,
      DevicesCommand.self,
      SelfTestCommand.self,
      TuneCommand.self,
      BenchCommand.self,
      DataCommand.self,
    ])

  static func main() {
    StandardOutput.ignoreFatalSignals()
    do {
      var command = try parseAsRoot(CommandLine.arguments.dropFirst().map(expandingHome))
      try command.run()
    } catch let exit as ExitCode {
      Self.exit(withError: exit)
    } catch let failure as Failure {
      Self.exit(withError: ExitCode(ErrorReport.show(failure)))
    } catch {
      // Help and version are the parser's to tell.
      if exitCode(for: error) == .success { Self.exit(withError: error) }
      Self.exit(withError: ExitCode(ErrorReport.show(usageFailure(for: error) ?? error)))
    }
  }

  /// An argument in which a path may begin with `~/` behind `--option=`, where no shell replaces it.
  private static func expandingHome(_ argument: String) -> String {
    guard argument.hasPrefix("--"), let sign = argument.firstIndex(of: "=") else {
      return FileBytes.expandingHome(argument)
    }
    return argument[...sign] + FileBytes.expandingHome(String(argument[argument.index(after: sign)...]))
  }

  /// Subcommands that are to come, and what to do until then.
  private static let planned = [
    "export": "checkpoints are safetensors files with PyTorch's names; read them with safetensors.torch.load_file."
  ]

  private static let commandNames = configuration.subcommands.map { $0._commandName } + ["help"]

  /// A mistake in the options, found by the parser, as a failure; nil for any other error.
  private static func usageFailure(for error: any Error) -> Failure? {
    guard exitCode(for: error) == .validationFailure else { return nil }
    if let name = CommandLine.arguments.dropFirst().first, let instead = planned[name] {
      return Failure(
        .usage, "'gpunoisy \(name)' is not built yet.", why: "this version does not have it.", fix: instead)
    }
    if let name = CommandLine.arguments.dropFirst().first, !name.hasPrefix("-"), !commandNames.contains(name) {
      return Failure.unknown("command", name, names: commandNames, fix: "see: gpunoisy --help")
    }
    // The parser's text: the mistake, then `Usage: gpunoisy train …`, then `See 'gpunoisy train --help' …`.
    let lines = fullMessage(for: error, columns: 10_000).split(separator: "\n")
    let usage = lines.first { $0.hasPrefix("Usage: ") }?.dropFirst(7)
    let help = lines.first { $0.hasPrefix("  See '") }?.split(separator: "'").dropFirst().first
    var message = message(for: error).split(separator: "\n").joined(separator: " ")
    if let (setting, job) = unreadSetting(message) {
      // Only flags are taken back by --no-.
      if setting.jobs.contains(job) {
        return Failure(
          .usage, "there is no option '--no-\(setting.name)'.", why: "--\(setting.name) takes \(setting.takes).",
          fix:
            "write --\(setting.name) \(setting.takes == "on or off" ? "off" : setting.unset ?? setting.example), or see: "
            + "gpunoisy \(job.rawValue) --help")
      }
      // What a detection does not read of a run's settings is a conflict, as `detect --max-steps` has always been.
      if job == .detect, setting.jobs.contains(.train) { return failure { try setting.requireReader(job) } }
      let jobs = JobKind.allCases.filter(setting.jobs.contains).map(\.rawValue)
      // The parser's nearest name is another one, though this one is known.
      if let guess = message.firstRange(of: ". Did you mean") { message.removeSubrange(guess.lowerBound...) }
      message += "; it is a setting of \(jobs.joined(separator: ", "))"
    }
    return Failure(
      .usage, message.hasSuffix(".") || message.hasSuffix("?") ? message : message + ".",
      why: "the usage is: \(usage ?? "gpunoisy <subcommand>")", fix: "see: \(help ?? "gpunoisy --help")")
  }

  /// The setting that an option names which the parser does not know, with the job that does not read it.
  private static func unreadSetting(_ message: String) -> (Setting, JobKind)? {
    guard message.hasPrefix("Unknown option '--"), let option = message.split(separator: "'").dropFirst().first else {
      return nil
    }
    let name = option.dropFirst(2), words = CommandLine.arguments.dropFirst().prefix(2).joined(separator: " ")
    let job = JobKind.allCases.first { words == $0.rawValue || words.hasPrefix($0.rawValue + " ") }
    let setting = RunSettings.setting(named: String(name.hasPrefix("no-") ? name.dropFirst(3) : name))
    return setting.flatMap { setting in job.map { (setting, $0) } }
  }

  private static func failure(_ check: () throws -> Void) -> Failure? {
    do { try check() } catch { return error as? Failure }
    return nil
  }
}

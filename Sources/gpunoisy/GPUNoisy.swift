import ArgumentParser
import Failures
import Reports

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
      DevicesCommand.self,
      SelfTestCommand.self,
      TuneCommand.self,
      BenchCommand.self,
      DataCommand.self,
    ])

  static func main() {
    StandardOutput.ignoreBrokenPipes()
    do {
      var command = try parseAsRoot()
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

  /// A mistake in the options, found by the parser, as a failure; nil for any other error.
  private static func usageFailure(for error: any Error) -> Failure? {
    guard exitCode(for: error) == .validationFailure else { return nil }
    // The parser's text: the mistake, then `Usage: gpunoisy train …`, then `See 'gpunoisy train --help' …`.
    let lines = fullMessage(for: error, columns: 10_000).split(separator: "\n")
    let usage = lines.first { $0.hasPrefix("Usage: ") }?.dropFirst(7)
    let help = lines.first { $0.hasPrefix("  See '") }?.split(separator: "'").dropFirst().first
    let message = message(for: error).split(separator: "\n").joined(separator: " ")
    return Failure(
      .usage, message.hasSuffix(".") || message.hasSuffix("?") ? message : message + ".",
      why: "the usage is: \(usage ?? "gpunoisy <subcommand>")", fix: "see: \(help ?? "gpunoisy --help")")
  }
}

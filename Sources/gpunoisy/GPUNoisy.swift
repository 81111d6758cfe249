import ArgumentParser
import Failures
import Reports

/// The command. Each subcommand has a file; `Talk` has what they say, and how.
@main
struct GPUNoisy: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "gpunoisy",
    abstract: "Train image classifiers on noisy labels, on any OpenCL device or the CPU.",
    discussion: """
      A first run, without any data of your own:
        gpunoisy train shapes --noise symmetric:0.4 --loss sce --epochs 3 --device auto
      On a folder of photos, one subfolder per class:
        gpunoisy train ./photos --loss sce --epochs 60
      """,
    version: version,
    subcommands: [
      TrainCommand.self, SelfTestCommand.self, BenchCommand.self,
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
      // Help, version and mistakes in the options are the parser's to tell (exit 0 or 64).
      Self.exit(withError: error)
    }
  }
}

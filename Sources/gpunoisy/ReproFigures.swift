import Autotuning
import FileFormats
import Glibc
import Reports
import Repro

/// The page with curves, classes and features of some of a table's runs, as `gpunoisy report` makes it.
enum ReproFigures {
  /// Draws it once the runs are finished; a page that is there stays.
  static func draw(_ campaign: Campaign, device: String, quiet: Bool) throws {
    let page = "\(campaign.folder)/\(CampaignResult.curvesName)", cells = campaign.table.figures
    let tasks = campaign.tasks.filter { $0.seed == 1 && cells.contains($0.cell.name) && $0.cell.job == .train }
    guard !tasks.isEmpty, FileBytes.kind(of: page) == .missing,
      tasks.allSatisfy({ Campaign.state(of: $0) == .finished })
    else { return }
    let arguments =
      ["report"] + tasks.map(\.folder) + ["--out", page, "--projection", "tsne", "--device", device, "-q"]
    let errors = page + ".err", child = try ChildProcess.start(arguments, output: errors)
    while true {
      if let ending = ChildProcess.ending(of: child) {
        guard ending != .exited(0) else { break }
        EvaluationNotes.show("no page with curves; see \(errors)", quiet: quiet)
        return
      }
      usleep(20_000)
    }
    unlink(errors)
  }
}

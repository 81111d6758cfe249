import Datasets
import FileFormats
import Pages
import Reports

extension DetectionReport {
  /// The commands that a detection leads to.
  static func commands(_ finished: FinishedDetection) -> [DetectionPage.Command] {
    let settings = finished.settings, dataset = finished.data.dataset
    let isName = Dataset.isName(settings.data), data = isName ? settings.data : FileBytes.absolute(settings.data)
    // Whoever opens a page need not be in the folder where detect was.
    let run = FileBytes.absolute(finished.folder), corrected = dataset.name + "-corrected"
    var apply = ["apply", run, "--verdicts", "verdicts.csv", "--to", corrected]
    if let first = finished.record?.data?.path, first != data { apply += ["--data", data] }
    let isFolder = !dataset.train.paths.isEmpty && FileBytes.kind(of: data) == .folder
    var commands: [DetectionPage.Command] = [
      .init("write a corrected copy of the data, by the verdicts that you saved", line(apply)),
      .init("train on it", line(["train", isFolder ? corrected : corrected + "/manifest.csv"])),
    ]
    if actsWithoutLooking(finished) {
      commands.append(
        .init(
          "or train on the samples that are not suspected, without looking",
          line(["train", data] + labels(settings) + ["--exclude", run + "/label_issues.csv"])))
    }
    var again = ["detect", data] + labels(settings)
    if settings.detection.split != .train { again += ["--split", settings.detection.split.rawValue] }
    commands.append(
      .init("look for more, without what you have looked at", line(again + ["--verdicts", "verdicts.csv"])))
    return commands
  }

  /// Whether training without the suspected samples is all that there is to do: the list is about training samples, and no
  /// label is known to be another one.
  private static func actsWithoutLooking(_ finished: FinishedDetection) -> Bool {
    let split = finished.settings.detection.split, reviewed = finished.result.reviewed
    return finished.result.verdict.isTrusted && [.train, .all].contains(split)
      && (reviewed.map { $0.changed.isEmpty && $0.dropped.isEmpty } ?? true)
  }

  /// The options without which a training would not have the labels that were judged.
  private static func labels(_ settings: RunSettings) -> [String] {
    let defaults = RunSettings()
    var given = settings
    given.noiseSeed = settings.noise == .none ? defaults.noiseSeed : settings.effectiveNoiseSeed
    return ["data-root", "labels", "noise", "noise-seed", "limit-train", "on-bad-image"].flatMap { name -> [String] in
      guard let setting = RunSettings.setting(named: name), setting.text(given) != setting.text(defaults) else {
        return []
      }
      return ["--" + name, setting.text(given)]
    }
  }

  /// The command line with these arguments, by the program's name: where it lies on one machine means nothing on others.
  static func line(_ arguments: some Sequence<String>) -> String {
    (["gpunoisy"] + arguments.map(quoted)).joined(separator: " ")
  }

  /// A word of a command line as a shell would read it.
  static func quoted(_ word: String) -> String {
    let plain =
      !word.isEmpty
      && word.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
          || "-_./:,=+@%".utf8.contains(byte)
      }
    let pieces = word.split(separator: "'", omittingEmptySubsequences: false)
    return plain ? word : "'" + pieces.joined(separator: "'\\''") + "'"
  }
}

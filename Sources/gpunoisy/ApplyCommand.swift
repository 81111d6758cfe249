import ArgumentParser
import Datasets
import Failures
import FileFormats
import Networks
import Reports
import Training

struct ApplyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply", abstract: "Write a corrected copy of a data set, after detect or train --method.",
    discussion: """
      Reads the verdicts saved from the page of a detection, and writes the whole data set into a new folder with the \
      corrected labels, without the dropped samples. changes.csv there has a row per change. The images are hard links \
      or copies; the original is only read.

      A verdict is keep (or correct), accept, other or wrong with a label, drop, none, or unsure. wrong without a label \
      drops the sample. Without verdicts, --policy lets the detector decide; with both, verdicts override it. Verdicts of \
      an earlier round that the detection took (detect --verdicts) are followed, too.

      A detection of other parts (detect --split) corrects the labels of these parts.

      The run may also be one of train with a --method that judges samples: its folder has a suspicion.csv, a number \
      for each sample, higher for labels that are more likely wrong. --exclude-above sets the number above which they \
      count as suspected. No probability of another label is known there, so --policy relabel is refused; --policy drop-all \
      drops suspected samples, and verdicts relabel as usual (accept assigns the predicted label, if it differs).

      Examples:
        gpunoisy apply runs/2026-11-21T0031_photos_resnet32_aum_s1 --verdicts verdicts.csv --to photos-corrected
        gpunoisy apply RUN --policy drop-all --to photos-clean
        gpunoisy apply RUN --policy relabel --min-conf 0.95 --layout manifest --to photos-relabelled
        gpunoisy apply RUN --exclude-above 0.8 --policy drop-all --to photos-kept
      """)

  @Argument(help: ArgumentHelp("The run folder of a detection, or of train --method.", valueName: "run"))
  var runFolder: String
  @Option(help: ArgumentHelp("A table with sample_id, verdict and new labels.", valueName: "file"))
  var verdicts: String?
  @Option(help: ArgumentHelp("The new folder.", valueName: "folder"))
  var to: String
  @Option(
    help: ArgumentHelp(
      "What to do with suspected samples without a verdict: review, they stay (default); drop-all; relabel.",
      valueName: "policy"))
  var policy: PolicyName?
  @Option(
    help: ArgumentHelp(
      "With --policy relabel: the minimum probability of the new label. Default 0.9.", valueName: "p"))
  var minConf: Double?
  // Suspicions may be negative, and so may their threshold.
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "For a run of train --method, which needs it: samples with a higher suspicion than X are suspected.",
      valueName: "x"))
  var excludeAbove: Double?
  @Option(
    help: ArgumentHelp(
      "manifest (manifest.csv and images/) or folder (train/CLASS/…); default folder for a folder, else manifest.",
      valueName: "layout"))
  var layout: CorrectedLayout?
  @Flag(help: "Let --policy act on a list even if the detection's verdict is that it is not sure.")
  var trust = false
  @Flag(help: "Copy the images instead of linking them.")
  var copy = false
  @Option(help: ArgumentHelp("Where the data set is now, if it has moved since the run.", valueName: "data"))
  var data: String?
  @Flag(help: "Print one JSON document on standard output.")
  var json = false
  @Flag(name: [.customShort("q"), .long], help: "Print only errors.")
  var quiet = false

  enum PolicyName: String, ExpressibleByArgument, CaseIterable {
    case review, relabel
    case dropAll = "drop-all"
  }

  func run() throws {
    Signals.listen()
    let policy = try resolvedPolicy()
    let folder = try NewFolder(to, option: "--to")
    let detection = try DetectedData(run: runFolder, data: data, above: excludeAbove, policy: policy)
    try detection.suspected.requireTrust(trust, for: policy)
    try detection.requireOutside(to)
    if let note = detection.note { EvaluationNotes.show(note, quiet: quiet) }
    let names = detection.dataset.classNames
    let given = try verdicts.map {
      try Verdicts(
        from: SampleList($0, of: detection.dataset, samples: detection.samples), about: detection.suspected.subjects)
    }
    let changes = policy.changes(detection.suspected, given, earlier: detection.earlier)
    let corrected = CorrectedDataset(
      parts: detection.parts, classNames: names,
      changes: Dictionary(changes.map { ($0.id, $0) }, uniquingKeysWith: { $1 }), root: detection.root)
    try corrected.requireAllClasses()
    let layout = layout ?? (detection.isFolder ? .folder : .manifest)
    let count = try corrected.write(layout, copying: copy, to: folder)
    try folder.write(Array(table(changes, detection).utf8), to: PassedOver.changesName)
    try folder.finish()
    try report(changes, count, layout, detection)
  }

  private func resolvedPolicy() throws -> ApplyPolicy {
    guard verdicts != nil || policy != nil else {
      throw Failure(
        .usage, "it is not clear which labels to change.", why: "there is neither --verdicts nor --policy.",
        fix: "give --verdicts FILE from the detection's page, or --policy drop-all or relabel.")
    }
    guard verdicts != nil || policy != .review else {
      throw Failure(
        .usage, "--policy review needs --verdicts.", why: "it changes only labels with a verdict.",
        fix: "give --verdicts FILE, or another policy.")
    }
    guard !trust || policy == .dropAll || policy == .relabel else {
      throw Failure(
        .usage, "--trust has no effect.", why: "it needs --policy drop-all or relabel.", fix: "remove it.")
    }
    guard minConf == nil || policy == .relabel else {
      throw Failure(
        .usage, "--min-conf has no effect.", why: "it needs --policy relabel.", fix: "remove it.")
    }
    if let minConf, !(0...1).contains(minConf) {
      throw Failure(
        .usage, "--min-conf \(minConf) is out of range.", why: "it must be a probability.",
        fix: "choose a number from 0 to 1.")
    }
    if let excludeAbove, !excludeAbove.isFinite {
      throw Failure(
        .usage, "--exclude-above \(excludeAbove) is out of range.", why: "it must be a finite number.",
        fix: "choose a number within the range of suspicion.csv.")
    }
    return switch policy {
    case .dropAll: .dropAll
    case .relabel: .relabel(leastConfidence: minConf ?? 0.9)
    case .review, nil: .review
    }
  }

  private func table(_ changes: [LabelChange], _ detection: DetectedData) -> String {
    let names = detection.dataset.classNames
    return changes.reduce(
      into: CSV.line(["sample_id", "path", "old_label", "new_label", "old_name", "new_name", "why", "who"])
    ) { text, change in
      text += CSV.line([
        "\(change.id)", detection.suspected.rows[change.id]?.path ?? "", "\(change.old)",
        change.new.map { "\($0)" } ?? "", names[change.old], change.new.map { names[$0] } ?? "", change.why, change.who,
      ])
    }
  }

  private func report(
    _ changes: [LabelChange], _ count: CorrectedDataset.Count, _ layout: CorrectedLayout, _ detection: DetectedData
  ) throws {
    let dropped = changes.count { $0.new == nil }, relabelled = changes.count - dropped
    let path = layout == .manifest ? to + "/manifest.csv" : to
    if json {
      let document: JSONValue = [
        "schema": "gpunoisy.apply/1", "run": .string(runFolder), "data": .string(path),
        "layout": .string(layout.rawValue),
        "train": JSONValue(count.train), "test": JSONValue(count.test), "val": JSONValue(count.validation),
        "relabelled": JSONValue(relabelled),
        "dropped": JSONValue(dropped), "linked": JSONValue(count.linked),
        "unreadable": JSONValue(detection.dataset.badImages.count),
        "changes": .string(to + "/" + PassedOver.changesName),
      ]
      return try StandardOutput.write(JSONText.indented(document) + "\n")
    }
    guard !quiet else { return }
    var text = """
      changed        \(relabelled) labels, \(dropped) samples dropped; see \(TerminalText.escaped(to))/\(PassedOver.changesName)
      wrote          \(count.train) training\(count.validation > 0 ? ", \(count.validation) validation" : "") and \
      \(count.test) test samples, \(count.linked) of them as links

      """
    if !detection.dataset.badImages.isEmpty {
      text += "left out       \(detection.dataset.badImages.count) unreadable images\n"
    }
    if let limit = detection.limit { text += "limited        \(limit), as the run was\n" }
    text += "next           gpunoisy train \(TerminalText.argument(path))\n"
    if detection.isFolder, KnownWeights.named("lite0")?.path() != nil {
      text += "               or, in seconds: gpunoisy train \(TerminalText.argument(path)) --init lite0 --freeze\n"
    }
    try StandardOutput.write(text)
  }
}

extension CorrectedLayout: ExpressibleByArgument {}

import Failures
import FileFormats
import Settings
import TestSupport
import Testing

@Suite struct `The table of settings` {
  @Test(arguments: RunSettings.table.map(\.name))
  func `reads in each row what it prints, and an example that is not the default`(name: String) throws {
    let setting = try #require(RunSettings.setting(named: name))
    let defaults = RunSettings(
      for: setting.jobs.contains(.train) ? .train : setting.jobs.contains(.detect) ? .detect : .info)
    for text in [setting.text(defaults), setting.example] {
      var settings = defaults
      try settings.set(name, to: text)
      var again = defaults
      try again.set(name, to: setting.text(settings))
      #expect(again == settings)
      // A file, too.
      let folder = ScratchFolder(), path = folder("x.toml")
      let entry = FlatTOML.Entry(name, setting.value(settings))
      try AtomicFile.write(FlatTOML(sections: [FlatTOML.Section("", [entry])]).text, to: path)
      var read = defaults
      try read.apply(configurationAt: path)
      #expect(read == settings)
    }
    var settings = defaults
    try settings.set(name, to: setting.example)
    #expect(setting.value(settings) != setting.value(defaults))
    if let unset = setting.unset {
      try settings.set(name, to: unset)
      if name != "recipe" { #expect(setting.value(settings) == .string(unset)) }
    }
    #expect(!setting.jobs.isEmpty && !setting.help.isEmpty && !setting.takes.isEmpty)
    #expect(setting.help.hasSuffix(".") && !setting.takes.hasSuffix("."))
  }

  @Test(arguments: RunSettings.table.map(\.name))
  func `refuses in each row what it does not take, with what it takes`(name: String) throws {
    // Whatever a text, a path or the name of a device may be is found out later.
    let free = [
      "data", "data-root", "labels", "clean-labels", "exclude", "init", "transition", "device", "weights", "pred-probs",
      "verdicts", "trusted", "teacher",
    ]
    guard !free.contains(name) else { return }
    for text in ["", "no such", "-inf", "nan", "-1x", ",", "1e999"] {
      var settings = RunSettings(for: .detect)
      let failure = #expect(throws: Failure.self, "\(name) \(text)") { try settings.set(name, to: text) }
      #expect(failure?.kind == .usage)
      #expect(settings == RunSettings(for: .detect))
    }
  }

  @Test func `has names that are there once, sections in one piece, and neighbours that are apart`() throws {
    let names = RunSettings.table.map(\.name), sections = RunSettings.table.map(\.section)
    #expect(Set(names).count == names.count)
    let starts = zip(sections, sections.dropFirst()).count { $0 != $1 } + 1
    #expect(starts == Setting.Section.allCases.count)
    // A row with its neighbour's path would change two values, or none.
    for setting in RunSettings.table where setting.name != "recipe" {
      let job = try #require(JobKind.allCases.first(where: setting.jobs.contains))
      var settings = RunSettings(for: job)
      try settings.set(setting.name, to: setting.example)
      let changed = RunSettings.table.filter { $0.value(settings) != $0.value(RunSettings(for: job)) }.map(\.name)
      #expect(changed == [setting.name])
    }
  }

  @Test func `says ranges without a point that says nothing`() throws {
    var settings = RunSettings()
    let failure = #expect(throws: Failure.self) { try settings.set("momentum", to: "1") }
    #expect(failure?.why == "it must be a number from 0 to 0.9999999.")
    let list = #expect(throws: Failure.self) { try settings.set("milestones", to: ",") }
    #expect(list?.what == "--milestones , is out of range." && list?.why.contains("as in 150,225") == true)
    try settings.set("milestones", to: "none")
    #expect(settings.optimizer.milestones.isEmpty)
  }

  @Test func `says each job's own defaults`() throws {
    let epochs = try #require(RunSettings.setting(named: "epochs"))
    #expect(epochs.help(for: .train) == "Passes over the data. Default 300; fewer for small sets of your own.")
    #expect(epochs.help(for: .detect) == "Passes over the data. Default 150; fewer for small sets of your own.")
    #expect(RunSettings.setting(named: "on-bad-image")?.help(for: .info).hasSuffix("Default skip.") == true)
    #expect(RunSettings.setting(named: "noise-seed")?.help(for: .train) == "Seed of the noise. Default: the seed.")
    #expect(RunSettings.setting(named: "max-steps")?.help(for: .train) == "Stop after N steps.")
  }

  /// Names outside are a promise; settings may be added.
  @Test func `keeps the names that were promised`() {
    let promised = """
      data data-root image-size fit labels clean-labels exclude exclude-by exclude-above noise noise-seed pixels limit-train \
      limit-test val val-noise on-bad-image model init loss transition method epochs max-steps batch-size optimizer lr \
      momentum nesterov beta1 beta2 weight-decay l1 schedule milestones gamma clip-norm augment shuffle drop-last device \
      precision threads recipe seed aum checkpoint-every max-time detector passes threshold-samples percentile combine \
      margin folds cl-filter cl-score keep-margins report retrain retrain-epochs patience class-weights warmup
      """.split(separator: " ").map(String.init)
    #expect(Set(promised).isSubset(of: RunSettings.table.map(\.name)))
    let execution = RunSettings.table.filter { $0.role == .execution }.map(\.name)
    #expect(execution == ["data-root", "device", "threads", "checkpoint-every", "max-time"])
  }
}

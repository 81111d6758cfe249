import FileFormats
import Losses
import Networks

@testable import Settings

extension FuzzTarget {
  /// Settings from files and options.
  static let settings: [FuzzTarget] = [
    FuzzTarget(
      "config",
      [
        "[data]\ndata = \"x\"\nimage-size = \"3x4\"\nnoise = \"symmetric:0.4\"\n[training]\nlr = 1e-3\n",
        "seed = 18446744073709551615\nmilestones = [1, 2]\nrecipe = \"aum-cifar10\"\n",
        "checkpoint-every = \"15m\"\nmax-time = \"11h50m\"\nloss = \"sce:alpha=0.1\"\nmodel = \"resnet20:shortcut=average\"\n",
      ]
    ) { bytes in
      let path = Fuzz.put(bytes, "config.toml")
      for job in [JobKind.train, .detect] {
        Fuzz.refusing {
          var draft = SettingsDraft(for: job)
          try draft.apply(fileAt: path)
          let written = draft.settings.configuration.text
          var again = SettingsDraft(for: job)
          try again.apply(fileAt: Fuzz.put(written.utf8, "again.toml"))
          precondition(again.settings.configuration.text == written, "written otherwise:\n\(written)")
        }
      }
      Fuzz.refusing { _ = try SettingsDraft(ofFileAt: path) }
    },
    FuzzTarget("settings", [examples.joined(separator: "\n")] + examples) { bytes in
      guard let text = bytes.text else { return }
      let words = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      for job in [JobKind.train, .detect] {
        var draft = SettingsDraft(for: job)
        for index in stride(from: 0, to: words.count - 1, by: 2) {
          Fuzz.refusing { try draft.set(words[index], to: words[index + 1], from: .commandLine) }
        }
        Fuzz.refusing { try draft.settings.validate() }
        _ = draft.settings.configuration.text
      }
    },
    FuzzTarget("loss", ["sce:alpha=0.1,beta=1,A=-4", "gce:q=0.7", "nce+rce+sr", "nfl+mae:cifar10", "ce@3"]) { bytes in
      if let text = bytes.text { Fuzz.refusing { _ = try Loss(text).description } }
    },
    FuzzTarget("network", ["resnet20:shortcut=stride", "mlp:width=128", "resnet50", "cnn9"]) { bytes in
      if let text = bytes.text { Fuzz.refusing { _ = try Network(text).description } }
    },
  ]

  private static let examples = RunSettings.table.map { "\($0.name)\n\($0.example)" }
}

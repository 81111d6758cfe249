import FileFormats
import Settings
import TestSupport
import Testing

extension CommandTests {
  /// A setting that no job's code reads would change nothing, and nobody would notice.
  @Suite("No setting is dead")
  struct DeadSettings {
    /// What a job leaves that a setting could change.
    private struct Outcome: Equatable {
      var code: Int32
      var output: String
      var files: [String: [UInt8]] = [:]
    }

    /// What else a job needs for a setting to matter, and the value that is compared with the default.
    private struct Context {
      var rest = ""
      var data = "d.npz"
      var value: String?
      /// The command, if not the job's.
      var base: String?
    }

    /// By the setting's name, or by name and job.
    private static let contexts: [String: Context] = [
      "data": Context(value: "e.npz"),
      "data-root": Context(data: "cifar10", value: "root"),
      "image-size": Context(data: "photos"),
      "fit": Context(rest: "--image-size 32", data: "wide"),
      "fit eval": Context(rest: "--split train", data: "wide"),
      "fit predict": Context(rest: "--split train", data: "wide"),
      "fit data info": Context(rest: "--image-size 32", data: "wide"),
      "labels": Context(value: "l.npy"), "clean-labels": Context(value: "l.npy"),
      "teacher": Context(rest: "--method dgd --teacher w.safetensors", value: "r"),
      "trusted": Context(rest: "--loss gce --method adaptive-loss --clean-labels l.npy", value: "8"),
      "exclude": Context(value: "x.csv"), "exclude-by": Context(rest: "--exclude x.csv"),
      "exclude-above": Context(rest: "--exclude s.csv"),
      "normalize": Context(rest: "--model resnet18-imagenet"),
      "noise-seed": Context(rest: "--noise symmetric:0.4"),
      "val-noise": Context(rest: "--noise symmetric:0.4 --val 0.25"),
      "on-bad-image": Context(data: "bad"), "init": Context(value: "w.safetensors"),
      "freeze": Context(rest: "--init w.safetensors"), "pretrained-rate": Context(rest: "--init w.safetensors"),
      "batch-norm": Context(
        base: "train --model resnet20 --epochs 1 --batch-size 32 --lr 0.05 --device cpu --out o -q "
          + "--init r/checkpoints/last.safetensors"),
      "transition": Context(rest: "--loss forward --clean-labels l.npy"),
      "beta1": Context(rest: "--optimizer adam --lr 0.001"), "beta2": Context(rest: "--optimizer adam --lr 0.001"),
      "gamma": Context(rest: "--milestones 1"), "drop-last": Context(rest: "--batch-size 24"),
      "milestones": Context(value: "2"), "patience": Context(rest: "--epochs 4 --lr 0", value: "1"),
      "schedule detect": Context(rest: "--detector cl"),
      "milestones detect": Context(rest: "--detector cl --schedule step"),
      "gamma detect": Context(rest: "--detector cl --schedule step --milestones 1"),
      "selection": Context(rest: "--detector co-teaching"),
      "folds": Context(rest: "--detector cl"), "cl-filter": Context(rest: "--detector cl --trust"),
      "cl-score": Context(rest: "--detector cl"), "percentile": Context(value: "1"),
      "features": Context(value: "f.npy", base: "detect --device cpu --out o -q --noise symmetric:0.3"),
      "features features": Context(value: "p.npy"),
      "weights": Context(value: "w.safetensors", base: "detect --device cpu --out o -q --noise symmetric:0.3"),
      "weights features": Context(value: "w.safetensors"),
      "pred-probs": Context(value: "p.npy", base: "detect --device cpu --out o -q --noise symmetric:0.3"),
      "split": Context(base: "detect --device cpu --out o -q --noise symmetric:0.3"),
      "verdicts": Context(value: "v.csv", base: "detect --device cpu --out o -q --noise symmetric:0.3"),
      "trust": Context(rest: "--exclude t.csv"),
      "on-bad-image features": Context(data: "bad"), "seed features": Context(data: "shapes --limit-train 40"),
      "retrain": Context(rest: "--trust --retrain-epochs 1"),
      "retrain-epochs": Context(rest: "--trust --retrain --retrain-epochs 1"),
      "labels eval": Context(rest: "--split train", value: "l.npy"),
      "labels predict": Context(rest: "--split train", value: "l.npy"),
      "limit-train eval": Context(rest: "--split train"), "limit-train predict": Context(rest: "--split train"),
      "on-bad-image eval": Context(rest: "--split train", data: "bad"),
      "on-bad-image predict": Context(rest: "--split train", data: "bad"),
      "on-bad-image data info": Context(data: "bad", value: "fail"),
      "seed eval": Context(rest: "--val 0.25"), "seed predict": Context(rest: "--val 0.25"),
      "seed data info": Context(data: "shapes"), "seed data convert": Context(data: "shapes"),
      "noise data noise": Context(value: "pairflip:0.3"),
    ]

    private static func base(_ job: JobKind) -> String {
      let training = "--model mlp --epochs 2 --batch-size 32 --lr 0.05 --device cpu --out o -q"
      switch job {
      case .train: return "train \(training)"
      case .detect: return "detect \(training) --noise symmetric:0.3"
      case .eval: return "eval w.safetensors --device cpu"
      case .predict: return "predict w.safetensors --device cpu"
      case .features: return "features --to o.npy --device cpu -q"
      case .report: return "report w --device cpu"
      case .info: return "data info"
      case .convert: return "data convert --to npz --out o.npz"
      case .noise: return "data noise --noise symmetric:0.4"
      case .shapes: return "data shapes --limit-train 32 --limit-test 16 --out o.npz"
      }
    }

    /// Made once: jobs only read them.
    private static let made = Result { try inputs() }

    /// Two data sets, one of them also as a folder and with a damaged image, weights, labels and tables.
    private static func inputs() throws -> ScratchFolder {
      let folder = ScratchFolder()
      for (name, seed, count) in [("d.npz", "3", "64"), ("e.npz", "4", "60")] {
        try CommandUnderTest.output(
          ["data", "shapes", "--seed", seed, "--limit-train", count, "--limit-test", "40", "--out", name], in: folder)
      }
      for name in ["photos", "bad"] {
        try CommandUnderTest.output(["data", "convert", "d.npz", "--to", "folder", "--out", name], in: folder)
      }
      try CommandUnderTest.output(
        [
          "data", "convert", "photos", "--image-size", "48x32", "--fit", "stretch", "--to", "folder", "--out", "wide",
        ], in: folder)
      let name = try #require(FileBytes.names(in: folder("bad/train")).first), kind = folder("bad/train/\(name)")
      let image = try #require(FileBytes.names(in: kind).first)
      try FileBytes.write([0x89, 0x50], to: "\(kind)/\(image)")
      try CommandUnderTest.output(
        ["data", "noise", "d.npz", "--noise", "pairflip:0.5", "--out", "l.npy"], in: folder)
      let ids = (0..<16).map { "\($0)" }
      try AtomicFile.write("sample_id\n" + ids.map { $0 + "\n" }.joined(), to: folder("x.csv"))
      try AtomicFile.write(
        "sample_id,is_label_issue,suspicion\n" + ids.map { "\($0),False,1\n" }.joined(), to: folder("s.csv"))
      try AtomicFile.write(
        "sample_id,is_label_issue,verdict\n" + ids.map { "\($0),True,rough\n" }.joined(), to: folder("t.csv"))
      try AtomicFile.write("sample_id,verdict\n" + ids.map { "\($0),drop\n" }.joined(), to: folder("v.csv"))
      try CommandUnderTest.output(["features", "d.npz", "--to", "f.npy", "--device", "cpu", "-q"], in: folder)
      let rows = (0..<64).flatMap { row in (0..<10).map { $0 == row % 10 ? 0.55 : 0.05 } }
      try AtomicFile.write(NumPyArray(rows, shape: [64, 10]).encoded(), to: folder("p.npy"))
      try FileBytes.makeFolder(folder("root/cifar10"))
      try CommandUnderTest.output(
        "train d.npz --model mlp --epochs 1 --batch-size 32 --device cpu --out w -q".split(separator: " ")
          .map(String.init), in: folder)
      try CommandUnderTest.output(
        "train d.npz --model resnet20 --epochs 1 --batch-size 32 --device cpu --out r -q".split(separator: " ")
          .map(String.init), in: folder)
      try FileBytes.write(
        FileBytes.read(folder("w/checkpoints/last.safetensors")), to: folder("w.safetensors"))
      return folder
    }

    private static func outcome(_ arguments: [String], in folder: ScratchFolder) throws -> Outcome {
      let ending = try CommandUnderTest.run(arguments, in: folder)
      // Where there is a page, what is said of it tells what was found.
      var outcome = Outcome(code: ending.code, output: arguments[0] == "report" ? ending.errors : ending.output)
      if FileBytes.kind(of: folder("o")) == .folder {
        try collect(folder("o"), "", &outcome)
        outcome.output = ""
        try remove(folder("o"))
      }
      for name in ["o.npz", "o.npy", "o.csv"] where FileBytes.kind(of: folder(name)) == .file {
        outcome.files[name] = try FileBytes.read(folder(name))
        try remove(folder(name))
      }
      return outcome
    }

    private static func remove(_ path: String) throws {
      _ = try SpawnedProgram("/bin/rm", ["-r", path], in: "/").end()
    }

    /// What does not tell of time, nor of the settings themselves.
    private static func collect(_ folder: String, _ prefix: String, _ outcome: inout Outcome) throws {
      for name in try FileBytes.names(in: folder) {
        let path = folder + "/" + name, short = prefix + name
        guard FileBytes.kind(of: path) == .file else {
          if name != "tb" { try collect(path, short + "/", &outcome) }
          continue
        }
        switch name {
        case "run.json", "config.toml", "log.txt", ".lock", "detect.json": break
        case "index.html": outcome.files[short] = []
        case "metrics.csv":
          let table = try CSV(decoding: FileBytes.read(path), name: name)
          let columns = table.header.indices.filter { !["seconds", "images_per_second"].contains(table.header[$0]) }
          let rows = ([table.header] + table.rows).map { row in columns.map { row[$0] }.joined(separator: ",") }
          outcome.files[short] = Array(rows.joined(separator: "\n").utf8)
        case _ where name.hasSuffix(".safetensors"):
          var file = try SafetensorsFile.read(path)
          file.metadata = [:]
          outcome.files[short] = Array(file.encoded())
        default: outcome.files[short] = try FileBytes.read(path)
        }
      }
    }

    @Test("of any job", arguments: JobKind.allCases)
    func settings(job: JobKind) throws {
      let folder = try Self.made.get()
      var known: [String: Outcome] = [:]
      for setting in RunSettings.settings(of: job) where setting.role == .experiment {
        let context = Self.contexts["\(setting.name) \(job.rawValue)"] ?? Self.contexts[setting.name] ?? Context()
        let value = context.value ?? setting.example
        var before = (context.base ?? Self.base(job)).split(separator: " ").map(String.init)
        before += context.rest.split(separator: " ").map(String.init)
        var after = before
        let data = context.data.split(separator: " ").map(String.init)
        if job != .report, job != .shapes { before += data }
        switch (setting.name, setting.form) {
        case ("data", _): after += job == .report ? ["--data", value] : [value]
        case (_, .flag): after += ["--\(value == "on" ? "" : "no-")\(setting.name)"]
        default: after += ["--\(setting.name)", value]
        }
        if job != .report, job != .shapes, setting.name != "data" { after += data }
        let key = before.joined(separator: " ")
        if known[key] == nil { known[key] = try Self.outcome(before, in: folder) }
        let changed = try Self.outcome(after, in: folder)
        #expect(known[key] != changed, "\(after.joined(separator: " "))")
        // A checkpoint takes no other fit.
        let isRefused = setting.name == "fit" && [.eval, .predict].contains(job) && changed.code == 78
        #expect(
          changed.code == 0 || isRefused
            || ["data-root", "on-bad-image", "image-size", "weights", "trust"].contains(setting.name),
          "\(after)")
      }
      // The test can fail: the same again is the same.
      if let (key, first) = known.first {
        #expect(try Self.outcome(key.split(separator: " ").map(String.init), in: folder) == first)
      }
    }
  }
}

import Failures
import FileFormats
import Reports
import TestSupport
import Testing
import Training

@Suite struct `Samples that a run leaves out` {
  private let scratch = ScratchFolder()

  /// The ids of sixty samples that are left without a label.
  private func excluded(_ table: String, above threshold: Double? = nil) throws -> [Int] {
    try AtomicFile.write(table, to: scratch("table.csv"))
    var settings = RunSettings()
    (settings.data, settings.limitTrain, settings.limitTest) = ("shapes", 60, 20)
    (settings.exclude, settings.excludeAbove) = (.table(scratch("table.csv")), threshold)
    let labels = try RunData(settings).dataset.train.labels
    return labels.indices.filter { labels[$0] < 0 }
  }

  @Test func `are those of a higher suspicion than the threshold`() throws {
    let table = "suspicion,sample_id\n0.5,7\n0.50000001,3\ninf,9\n-inf,11\n-2,12\n1e-3,59\n"
    #expect(try excluded(table, above: 0.5) == [3, 9])
    #expect(try excluded(table, above: 0) == [3, 7, 9, 59])
    #expect(try excluded(table, above: -2.5) == [3, 7, 9, 12, 59])
    #expect(try excluded(table, above: 1e9) == [9])
    // A threshold that is asked for goes before flags; without one, flags and bare ids count as ever.
    let both = "sample_id,suspicion,is_label_issue\n4,2,False\n5,0,True\n"
    #expect(try excluded(both, above: 1) == [4])
    #expect(try excluded(both) == [5])
    #expect(try excluded("sample_id\n6\n8\n") == [6, 8])
  }

  @Test func `are those that a run has written`() throws {
    let folder = try RunFolder.create(at: scratch("run"))
    try folder.writeSuspicion(
      suspicion: [0.25, .nan, 0.75], paths: (0..<3).map { "shapes/train/\($0)" }, givenLabels: [0, 1, 2],
      predictedLabels: [0, 0, 0])
    let text = String(decoding: try FileBytes.read(folder.file("suspicion.csv")), as: UTF8.self)
    #expect(try excluded(text, above: 0.5) == [2])
  }

  @Test(arguments: [
    ("sample_id,suspicion\n1,2\n", nil, Failure.Kind.configuration, "--exclude-above"),
    ("sample_id,path\n1,a\n", 0.5, .badInput, "no suspicion to compare with --exclude-above 0.5"),
    ("sample_id,is_label_issue\n1,True\n", 0.5, .badInput, "it has sample_id, is_label_issue"),
    ("suspicion\n1\n", 0.5, .badInput, "it needs the column sample_id"),
    // The list of another data set.
    ("sample_id,path\n1,shapes/train/1\n2,cat/5.png\n", nil, .badInput, "'cat/5.png'"),
    ("path\ncat/5.png\n", nil, .badInput, "was made for other data"),
    ("sample_id,suspicion\n1,0\n2,high\n", 0.5, .badInput, "line 3"),
    ("sample_id,suspicion\n1,\n", 0.5, .badInput, "has the suspicion ''"),
    ("sample_id,suspicion\n1,nan\n", 0.5, .badInput, "has the suspicion 'nan'"),
    // Limits come later: the data set has ten thousand samples.
    ("sample_id,suspicion\n10000,1\n", 0.5, .badInput, "the sample_id '10000'"),
  ])
  func `are refused where the table does not say which`(
    table: String, threshold: Double?, kind: Failure.Kind, words: String
  ) throws {
    let failure = #expect(throws: Failure.self) { try excluded(table, above: threshold) }
    #expect(failure?.kind == kind && failure?.description.contains(words) == true, "\(failure?.description ?? "")")
  }

  @Test func `need a table for a threshold`() throws {
    var settings = RunSettings()
    (settings.data, settings.limitTrain, settings.limitTest) = ("shapes", 60, 20)
    try settings.set("exclude-above", to: "-0.25")
    let failure = #expect(throws: Failure.self) { try RunData(settings) }
    #expect(failure?.kind == .configuration && failure?.what.contains("-0.25") == true)
  }

  @Test func `have a threshold of either sign, which config.toml keeps`() throws {
    for text in ["-0.25", "1e+16", "0", "0.30000000000000004"] {
      var settings = RunSettings(), read = RunSettings()
      try settings.set("exclude-above", to: text)
      #expect(settings.excludeAbove == Double(text))
      try AtomicFile.write(settings.configuration.text, to: scratch("config.toml"))
      try read.apply(configurationAt: scratch("config.toml"))
      #expect(read.excludeAbove == settings.excludeAbove)
    }
    for text in ["inf", "nan", "half", ""] {
      var settings = RunSettings()
      #expect { try settings.set("exclude-above", to: text) } throws: { ($0 as? Failure)?.kind == .usage }
    }
  }
}

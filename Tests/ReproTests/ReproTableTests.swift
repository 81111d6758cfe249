import Failures
import FileFormats
import Repro
import Settings
import Testing

@Suite("Published tables")
struct ReproTableTests {
  @Test("are all readable, and every cell's settings are valid at every scale", arguments: ReproTable.names)
  func catalogue(name: String) throws {
    let table = try ReproTable(named: name)
    #expect(table.name == name)
    for scale in [Scale.full, .percent(10), .quick] {
      for cell in try table.cells(at: scale, matching: []) {
        let settings = try table.settings(of: cell, seed: 3, scale: scale)
        #expect(settings.seed == 3 && settings.job == cell.job)
        if scale == .percent(10) {
          let full = try table.settings(of: cell, seed: 3, scale: .full)
          #expect(settings.epochs == max(1, Int((Double(full.epochs) / 10).rounded())))
          #expect(settings.limitTrain == full.limitTrain && settings.batchSize == full.batchSize)
        }
      }
    }
    for claim in table.claims {
      #expect(table.measures.contains(claim.measure), "\(claim.name) is about \(claim.measure)")
      #expect(claim.cells.allSatisfy { table.cell(named: $0) != nil })
    }
  }

  @Test("are those whose files are there")
  func files() throws {
    let folder = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let names = try FileBytes.names(in: "/\(folder)/Sources/CTables")
    #expect(Set(names.filter { $0.hasSuffix(".toml") }.map { String($0.dropLast(5)) }) == Set(ReproTable.names))
    #expect(Set(names.filter { $0.hasSuffix(".csv") }.map { String($0.dropLast(4)) }) == Set(ReproTable.names))
  }

  @Test("take runs of other cells as teachers, of the same seed, and with them wherever they are needed")
  func teachers() throws {
    let table = try ReproTable(named: "dgd"), teacher = "teacher-cifar-10-resnet-20"
    let campaign = try Campaign(table, scale: .quick, seeds: 2, in: "/here")
    let task = try #require(campaign.tasks.first { $0.cell.name == "dgd-cifar-10-resnet-20" && $0.seed == 2 })
    #expect(task.sources == ["/here/\(teacher)/seed-2"] && task.settings.teachers.paths == task.sources)
    #expect(campaign.tasks.filter { $0.cell.name == teacher }.allSatisfy { $0.sources.isEmpty })
    let chosen = campaign.tasks(matching: ["dgd-*"], shard: (1, 2))
    #expect(chosen.map(\.cell.name) == [teacher, "dgd-cifar-10-resnet-20"] && chosen.allSatisfy { $0.seed == 1 })
    // Folders of runs stay as they are; a cell that there is not is told of.
    func plan(_ teacher: String) throws -> Campaign {
      let text = """
        row,column,method,teacher,measure,published,std,tag,source
        A,10,plain,,test_acc,,,,
        B,10,dgd,\(teacher),test_acc,,,,
        """
      let table = try ReproTable(name: "mine", document: Array(Self.document.utf8), table: Array(text.utf8))
      return try Campaign(table, scale: .full, seeds: 1, in: "/here")
    }
    #expect(try plan("/there/run").tasks[1].settings.teachers.paths == ["/there/run"])
    #expect(try plan("cell:a-10").tasks[1].sources == ["/here/a-10/seed-1"])
    // Initial weights are those of a run's end.
    let clusters = try Campaign(ReproTable(named: "asymmetric-clusters"), scale: .quick, seeds: 2, in: "/here")
    let trained = try #require(clusters.tasks.first { $0.cell.name.hasPrefix("asymmetric") && $0.seed == 2 })
    #expect(trained.sources == ["/here/source-digits-0-to-4/seed-2"])
    #expect(trained.settings.initialWeights == "/here/source-digits-0-to-4/seed-2/checkpoints/last.safetensors")
    for name in ["cell:nosuch", "cell:b-10"] {
      let failure = #expect(throws: Failure.self) { try plan(name) }
      #expect(failure?.kind == .badInput && failure?.what.contains("b-10") == true)
    }
  }

  private static let document = """
    title = "A table"
    paper = "Somebody, somewhere"
    reports = "best"
    runs = 5
    [settings]
    data = "shapes"
    epochs = 20
    milestones = [10, 15]
    [quick]
    epochs = 4
    limit-train = 100
    only = ["*-10"]
    [better]
    says = "B is better than A."
    above = "b-10"
    below = "a-10"
    margin = 0.02
    source = "own choice"
    """
  private static let cells = """
    row,column,loss,measure,published,std,runs,tag,source
    A,10 %,ce,test_acc,81.5,0.5,,read,table 1
    B,10 %,sce,test_acc,90,,,memory,table 1
    B,20 %,"sce:alpha=0.5,beta=1",test_acc,,,,,

    """

  private func table(_ document: String = Self.document, _ cells: String = Self.cells) throws -> ReproTable {
    try ReproTable(name: "sample", document: Array(document.utf8), table: Array(cells.utf8))
  }

  @Test("name the cells nearest to one that they do not have")
  func unknownCells() throws {
    let refused = #expect(throws: Failure.self) { try table().cells(at: .full, matching: ["b-30"]) }
    #expect(refused?.kind == .usage)
    #expect(refused?.why.contains("its cells are b-10, b-20, a-10") == true)
    let wide = #expect(throws: Failure.self) {
      try ReproTable(named: "sce-mnist").cells(at: .full, matching: ["sce-symmetric-45"])
    }
    #expect(wide?.why.hasPrefix("of its 55 cells, the nearest names are sce-symmetric-40, ") == true)
  }

  @Test("have cells with names, settings and published values")
  func reading() throws {
    let table = try table()
    #expect(table.cells.map(\.name) == ["a-10", "b-10", "b-20"])
    #expect(table.metric == .best && table.measures == ["test_acc"])
    #expect(
      table.cells[0].published["test_acc"]
        == .init(value: 0.815, deviation: 0.005, runs: 5, tag: .read, source: "table 1"))
    #expect(table.cells[2].published.isEmpty)
    #expect(table.claims[0].subject == .above("b-10", .last, below: "a-10", .last))
    #expect(try table.cells(at: .quick, matching: []).map(\.name) == ["a-10", "b-10"])
    #expect(try table.cells(at: .full, matching: ["b*"]).map(\.name) == ["b-10", "b-20"])
    let full = try table.settings(of: table.cells[2], seed: 2, scale: .full)
    #expect(full.loss.description.hasPrefix("sce:alpha=0.5,beta=1") && full.epochs == 20 && full.seed == 2)
    let quick = try table.settings(of: table.cells[0], seed: 1, scale: .quick)
    #expect(quick.epochs == 4 && quick.optimizer.milestones == [2, 3] && quick.limitTrain == 100)
    let tenth = try table.settings(of: table.cells[0], seed: 1, scale: .percent(10))
    #expect(tenth.epochs == 2 && tenth.optimizer.milestones == [1, 2] && tenth.limitTrain == nil)
  }

  @Test(
    "say where they are damaged",
    arguments: [
      ("paper", "papers", "line 1", "the head has no paper"),
      ("epochs = 20", "epoch = 20", "line 7", "no setting 'epoch'"),
      ("\"b-10\"", "\"b-30\"", "line 13", "no cell 'b-30'"), ("margin = 0.02", "margin = \"x\"", "line 17", "number"),
      ("says", "say", "line 13", "no says"), ("\"best\"", "\"worst\"", "line 3", "one of last, best, last10"),
      ("only = [\"*-10\"]", "only = [\"c*\"]", "'c*'", "no cell matches"),
    ])
  func damagedDocument(from: String, to: String, place: String, why: String) throws {
    let text = try replacing(Self.document, from, to)
    let failure = try #require(throws: Failure.self) { try table(text) }
    #expect(failure.kind == .badInput)
    #expect("\(failure)".contains(place) && "\(failure)".contains(why), "\(failure)")
  }

  @Test(
    "say in which line a cell is wrong",
    arguments: [
      ("81.5", "181.5", "line 2", "not a percentage"), ("read,table 1", "seen,table 1", "line 2", "one of read"),
      ("read,table 1", "read,", "line 2", "no source"), ("B,20 %", "B,10 %", "line 4", "differ"),
      ("row,column,loss", "row,column,lost", "line 1", "neither a column of tables nor a setting"),
      ("test_acc,90", "test_err,90", "line 3", "not a measure"), ("B,10 %", "a,10", "line 3", "two cells"),
    ])
  func damagedCells(from: String, to: String, place: String, why: String) throws {
    let text = try replacing(Self.cells, from, to)
    let failure = try #require(throws: Failure.self) { try table(Self.document, text) }
    #expect(failure.kind == .badInput)
    #expect("\(failure)".contains(place) && "\(failure)".contains(why), "\(failure)")
  }

  @Test("name file and line of a setting that is wrong")
  func wrongSetting() throws {
    let cells = try replacing(Self.cells, "A,10 %,ce", "A,10 %,cf")
    let table = try table(Self.document, cells)
    let failure = try #require(throws: Failure.self) {
      try table.settings(of: table.cells[0], seed: 1, scale: .full)
    }
    #expect(failure.what.contains("'sample.csv', line 2"), "\(failure)")
  }

  private func replacing(_ text: String, _ from: String, _ to: String) throws -> String {
    let range = try #require(text.firstRange(of: from))
    return text.replacingCharacters(range, to)
  }

  @Test("suggest the nearest names for one that is not known")
  func unknown() throws {
    let failure = try #require(throws: Failure.self) { try ReproTable(named: "sce-mnits") }
    #expect(failure.kind == .usage && failure.why.contains("sce-mnist"))
    let prefix = try #require(throws: Failure.self) { try ReproTable(named: "co-teach") }
    #expect(prefix.why.contains("are co-teaching"))
  }

  @Test("match cells by patterns")
  func patterns() {
    #expect(Pattern.matches("sce-symmetric-40", "sce-*"))
    #expect(Pattern.matches("sce-symmetric-40", "*symm*40"))
    #expect(Pattern.matches("sce-symmetric-40", "*"))
    #expect(!Pattern.matches("sce-symmetric-40", "*symm*" + "20"))
    #expect(!Pattern.matches("sce", "sce*sce"))
    #expect(Pattern.matches("sce", "sce") && !Pattern.matches("sce", "sc"))
  }

  @Test("scale by a share of the epochs, written as a percentage")
  func scales() {
    #expect(Scale("full") == .full && Scale("100%") == .full && Scale("quick") == .quick)
    #expect(Scale("12.5%") == .percent(12.5) && Scale("12.5%")?.description == "12.5%")
    for text in ["", "0%", "101%", "-5%", "25", "nan%", "inf%", "half"] { #expect(Scale(text) == nil, "\(text)") }
  }
}

extension String {
  fileprivate func replacingCharacters(_ range: Range<Index>, _ other: String) -> String {
    self[..<range.lowerBound] + other + self[range.upperBound...]
  }
}

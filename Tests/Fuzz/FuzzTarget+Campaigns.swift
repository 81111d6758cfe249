import FileFormats
import Pages
import Settings

@testable import Reports
@testable import Repro
@testable import Training
@testable import gpunoisy

extension FuzzTarget {
  /// Published tables, and campaigns of their runs.
  static let campaigns: [FuzzTarget] = [
    FuzzTarget(
      "repro-table", [.parts(document, cells), .parts(document, cellsWithSources), .parts(smallDocument, smallCells)]
    ) { bytes in
      let parts = bytes.parts(2)
      Fuzz.refusing {
        let table = try ReproTable(name: "fuzz", document: parts[0], table: parts[1])
        for scale in [Scale.full, .percent(10), .quick] {
          Fuzz.refusing {
            let campaign = try Campaign(table, scale: scale, seeds: 2, in: Fuzz.folder + "/nowhere")
            let chosen = campaign.tasks(matching: ["*-1*", "ce*"], shard: (1, 2))
            precondition(chosen.count <= campaign.tasks.count, "more runs than there are")
            publish(try CampaignResult(campaign))
          }
        }
        Fuzz.refusing { _ = try table.cells(at: .full, matching: ["ce-*"]) }
      }
    },
    FuzzTarget("campaign", campaignSeeds, readCampaign),
  ]

  private static func publish(_ result: CampaignResult) {
    _ = (ReproText.text(result), JSONText.compact(result.json), result.page.html, result.markdown)
    _ = (result.failures.count, result.leftOut)
  }

  // MARK: - A campaign

  /// The campaign whose runs are read, and what it writes of their settings.
  private static let planned: (campaign: Campaign, settings: [[UInt8]]) = Seeds.made {
    let table = try ReproTable(name: "fuzz", document: Array(document.utf8), table: Array(cells.utf8))
    let campaign = try Campaign(table, scale: .full, seeds: 2, in: Fuzz.folder + "/campaign")
    return (campaign, campaign.tasks.map { Array($0.settings.configuration.text.utf8) })
  }

  /// The files of a run, the settings that were planned for it, and the record of the campaign; what is empty is not there,
  /// or as the campaign has it.
  private static let readCampaign: @Sendable ([UInt8]) -> Void = { bytes in
    let parts = bytes.parts(7), (campaign, settings) = planned
    func put(_ part: [UInt8], _ path: String, else own: [UInt8]? = nil) {
      let content = part.isEmpty ? own : part
      if let content { Fuzz.write(content, path) } else { Fuzz.remove(path) }
    }
    for (task, own) in zip(campaign.tasks, settings) {
      put(parts[0], task.folder + "/run.json")
      for folder in task.cell.job == .detect ? [task.folder, task.folder + "/retrain"] : [task.folder] {
        put(parts[1], folder + "/metrics.csv")
        put(parts[2], folder + "/per_class.csv")
      }
      put(parts[3], task.folder + "/detect.json")
      put(parts[4], task.folder + "/config.toml", else: own)
      put(parts[5], task.configuration, else: own)
    }
    put(parts[6], campaign.folder + "/campaign.toml", else: Array("table = \"fuzz\"\nscale = \"full\"\n".utf8))
    Fuzz.refusing { try campaign.prepare(campaign.tasks) }
    Fuzz.refusing {
      let result = try CampaignResult(campaign)
      publish(result)
      try result.write()
    }
    for task in campaign.tasks.prefix(2) {
      Fuzz.refusing {
        let run = try RunComparison.run(folder: task.folder, settings: task.settings)
        _ = ComparisonPage(runs: [run, run], classNames: run.record.data?.classNames ?? []).html
      }
    }
  }

  private static var campaignSeeds: [[UInt8]] {
    var run = record
    (run.status, run.epoch, run.step) = (.finished, 2, 20)
    let finished = JSONText.compact(run.json)
    run.status = .stopped
    let metrics =
      "epoch,step,lr,train_loss,train_acc,test_loss,test_acc,seconds,images_per_second,clean_acc,noisy_acc\n"
      + "1,10,0.1,2.3,0.1,2.2,0.2,1.5,100,0.5,0.1\n2,20,0.1,1.9,0.4,1.8,0.5,1.5,100,0.7,\n"
    let classes = "epoch,class,accuracy,confidence\n1,0,0.5,0.3\n1,1,,\n2,0,0.6,0.4\n2,1,0.1,0.2\n"
    let score = #"{"schema":"gpunoisy.detect/1","score":{"precision":0.5,"recall":null,"f1":0.4,"auroc":0.9}}"#
    return [
      .parts(finished, metrics, classes, score), .parts(finished, metrics), .parts(JSONText.compact(run.json), metrics),
      .parts(finished, metrics, classes, score, "[data]\ndata = \"shapes\"\n", "seed = 2\n"),
      .parts("", "", "", "", "seed = 1\n", "", "table = \"other\"\nscale = \"12.5%\"\n"),
    ]
  }

  // MARK: - Tables

  private static let document = """
    title = "A"
    paper = "B"
    reports = "last10"
    runs = 2
    measures = ["test_acc", "class_min", "f1"]
    figures = ["ce-1"]
    differences = ["C"]
    follows = "D"
    [settings]
    data = "shapes"
    model = "mlp"
    epochs = 2
    noise = "symmetric:0.2"
    [quick]
    epochs = 1
    limit-train = 100
    only = ["ce-*"]
    [above]
    says = "E"
    source = "F"
    above = "ce-1"
    above-metric = "best"
    below = "aum-1"
    margin = -0.01
    [least]
    says = "E"
    source = "F"
    cell = "aum-1"
    measure = "f1"
    at-least = 0.3
    [most]
    says = "E"
    source = "F"
    cell = "ce-1"
    measure = "class_min"
    metric = "last10"
    at-most = 0.2

    """

  private static let cells = """
    row,column,command,loss,detector,measure,published,std,runs,tag,source
    CE,1,,sce,,test_acc,81.5,0.5,3,read,G
    CE,1,,sce,,class_min,,,,,
    AUM,1,detect,,aum,f1,40,,,memory,G
    AUM,1,detect,,aum,test_acc,50,2,,code,G

    """

  /// Cells that need the runs of another one.
  private static let cellsWithSources = """
    row,column,command,loss,method,teacher,init,measure,published,std,tag,source
    CE,1,train,ce,plain,,,test_acc,,,,
    AUM,1,train,ce,dgd,cell:ce-1,,test_acc,,,,
    CE,2,,ce,,,cell:aum-1,test_acc,,,,

    """

  private static let smallDocument = "title = \"A\"\npaper = \"B\"\n[settings]\nrecipe = \"aum-cifar10\"\n"
  private static let smallCells = "row,column,measure,published,std,tag,source\n\"a, b\",1 %,test_acc,,,,\n"
}

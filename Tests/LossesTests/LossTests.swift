import ComputeKernels
import Failures
import Losses
import Testing

@Suite struct `The catalogue of losses` {
  @Test func `gives every loss a kernel of its name`() {
    for loss in Loss.all {
      for family in KernelSources.Family.allCases {
        let kernel = KernelSources.signatures(for: family)[loss.function.kernel]
        #expect(kernel != nil, "\(loss.entry.name) has no kernel in \(family)")
      }
      #expect(loss.kernelParameters().count <= 16)
    }
    for entry in Loss.catalogue {
      for parameter in entry.parameters { #expect(parameter.range.contains(parameter.defaultValue)) }
      #expect(!entry.formula.isEmpty && !entry.source.isEmpty && !entry.condition.isEmpty)
    }
    let names = Loss.catalogue.flatMap { [$0.name] + $0.aliases }
    #expect(Set(names).count == names.count)
    let parts = Loss.catalogue.compactMap(\.part)
    #expect(Set(parts) == Set(0..<parts.count), "the numbers of parts are those of LOSS_PARTS")
  }

  @Test func `reads and writes the same text`() throws {
    for loss in Loss.all {
      #expect(try Loss(loss.description).schedules == loss.schedules)
      #expect(try Loss(loss.entry.name).description == loss.description)
    }
    #expect(try Loss("sce").description == "sce:alpha=0.1,beta=1,A=-4")
    #expect(try Loss("sce:A=-9.21").values() == [0.1, 1, -9.21])
    #expect(try Loss("generalized-cross-entropy:q=0.5").entry.name == "gce")
    #expect(try Loss("peer:alpha=0.25").peerWeight() == -0.25)
    #expect(try Loss("ce").peerWeight() == nil)
  }

  @Test func `reads every published value`() throws {
    for loss in Loss.all + (try LossPreset.combinations.map { try Loss($0.loss) }) {
      let presets = LossPreset.all(of: loss.entry)
      for preset in presets {
        let given = try Loss("\(preset.loss):\(preset.name)")
        #expect(try given.schedules == Loss("\(preset.loss):\(preset.values)").schedules)
        #expect(try Loss(given.description).schedules == given.schedules)
      }
      #expect(Set(presets.map(\.name)).count == presets.count)
    }
    #expect(try Loss("sce:cifar100").values().prefix(2) == [6, 0.1])
    // What is written behind a preset comes after it.
    #expect(try Loss("sce:cifar100,alpha=2").values().prefix(2) == [2, 0.1])
  }

  @Test func `adds two losses up`() throws {
    let sum = try Loss("nce+agce:alpha=1,beta=4,a=6,q=1.5")
    #expect(sum.function.kernel == "loss_sum_rows")
    #expect(sum.kernelParameters() == [1, 4, 14, 6, 0, 0, 0, 0, 6, 1.5, 0, 0, 0, 0, 0, 0])
    #expect(sum.description == "nce+agce:alpha=1,beta=4,a=6,q=1.5")
    // Names that both parts have, or that are those of weights, have the part's name before them.
    let same = try Loss("gce+agce:gce.q=0.5,agce.q=2")
    #expect(same.description == "gce+agce:alpha=1,beta=1,gce.q=0.5,k=0,a=0.6,agce.q=2")
    #expect(try Loss("sce+mae:sce.alpha=3").description == "sce+mae:alpha=1,beta=1,sce.alpha=3,sce.beta=1,A=-4,scale=2")
    #expect(try Loss("nce+agce:agce.q=2").values() == [1, 1, 0.6, 2])
  }

  @Test func `puts sparse regularisation and peers around others`() throws {
    let sparse = try Loss("gce+sr:cifar10")
    #expect(sparse.kernelParameters() == [1, 0, 5, -1, 0.01, 0, 0, 0, 0, 0, 0, 0, 0.5, 0.1, 1.2, 1])
    let later = sparse.kernelParameters(epoch: 120)[14]
    #expect(abs(later / 41.65 - 1) < 1e-3, "1.2 · 1.03^120 is 41.65")
    #expect(try Loss("ce+sr:mnist").kernelParameters(epoch: 14)[14] == 16, "4 · 2 · 2 in epochs 10 to 14")
    let three = try Loss("nce+rce+sr:alpha=2")
    #expect(Array(three.kernelParameters().prefix(4)) == [2, 1, 14, 3])
    let peers = try Loss("gce+peer:alpha=0.25,q=0.5")
    #expect(peers.function.kernel == "loss_gce_rows")
    #expect(peers.kernelParameters() == [0.5, 0] && peers.peerWeight() == -0.25 && peers.hasPeers)
    let all = try Loss("nce+rce+sr+peer:peer.alpha=0.1,alpha=3")
    #expect(all.peerWeight() == -0.1 && all.kernelParameters()[0] == 3)
  }

  @Test func `changes values over the epochs`() throws {
    let peer = try Loss("peer:alpha=0@20/0.1@40/1@40/2@90")
    let expected: [(Int, Float)] = [(0, 0), (20, 0), (30, 0.05), (39, 0.095), (40, 1), (65, 1.5), (90, 2), (500, 2)]
    for (epoch, value) in expected { #expect(abs((peer.peerWeight(epoch: epoch) ?? 9) + value) < 1e-6, "\(epoch)") }
    #expect(try Loss(peer.description).schedules == peer.schedules)
    let cores = try Loss("cores2:cifar10")
    #expect(cores.values(epoch: 5)[0] == 0 && cores.values(epoch: 39)[0] == 2 && cores.values(epoch: 99)[0] == 2)
    #expect(cores.values(epoch: 30)[2] == 0 && cores.values(epoch: 31)[2] == 1)
    let dmi = try Loss("dmi:warm=3,rate=0.01")
    #expect(dmi.kernelParameters(epoch: 2) == [0, 1] && dmi.kernelParameters(epoch: 3) == [0, 0])
    #expect(dmi.rateFactor(epoch: 2) == 1 && abs(dmi.rateFactor(epoch: 3) - 0.01) < 1e-9)
    // Whole numbers have no values between.
    #expect(try Loss("taylor:t=1@0/3@4").values(epoch: 3) == [2])
  }

  /// Numbers of the papers and their code, written down apart from the presets.
  @Test(arguments: [
    ("sce:cifar100", 0, [6, 0.1, -9.2103405]), ("sce:webvision", 0, [10, 1, -9.2103405]), ("gce:clothing1m", 0, [0.6]),
    ("nce+rce:cifar100", 0, [10, 0.1, -9.2103405]), ("nce+agce:cifar10", 0, [1, 4, 6, 1.5]),
    ("nce+aul:cifar100", 0, [10, 0.015, 6, 3]), ("nce+ael:cifar100", 0, [10, 0.1, 1.5]),
    ("nce+nnce:cifar10", 0, [5, 5, 1e-7]), ("nce+mae:webvision", 0, [50, 1, 1]),
    ("esoftmax+mae:cifar10", 0, [0.01, 5, 1e5, 1e-8, 2]), ("ce+sr:cifar100", 0, [0.5, 0.01, 4, 1, 1.02, 1]),
    ("ce+sr:cifar100-asymmetric", 0, [0.5, 0.01, 10, 1, 1.02, 1]),
    ("peer:cifar10", 19, [0]), ("peer:cifar10", 40, [1]), ("peer:cifar10", 139, [2.5]), ("peer:cifar10", 239, [3.3]),
    ("peer:cifar10-sparse", 139, [5]), ("peer:cifar10-sparse", 239, [10]), ("peer:cifar100-sparse", 110, [0]),
    ("peer:cifar100-sparse", 199, [10]), ("peer:cifar100-sparse", 249, [20]), ("peer:cifar100", 99, [0]),
    ("peer:cifar100", 100, [0.95]), ("peer:mnist", 119, [0]), ("peer:mnist", 299, [1]), ("peer:mnist-2", 159, [0.18]),
    ("cores2:cifar10", 9, [0, 1e-8, 0]), ("cores2:cifar10", 39, [2, 1e-8, 1]), ("dmi:cifar10", 0, [1e-3, 120, 1e-3]),
    ("bitempered:cifar100", 0, [0.8, 1.2]), ("agce:webvision", 0, [1e-5, 0.5]), ("ngce:cifar100", 0, [0.7]),
  ])
  func `has the published values`(text: String, epoch: Int, values: [Float]) throws {
    #expect(try Array(Loss(text).values(epoch: epoch).prefix(values.count)) == values)
  }

  @Test func `divides the learning rate where the authors' code does`() throws {
    #expect(try Loss("peer:cifar10-sparse").rateFactor(epoch: 339) == 1.0 / 21)
    #expect(try Loss("cores2:cifar10").rateFactor(epoch: 39) == 1.0 / 3)
    #expect(try Loss("gce+peer:alpha=3,divide=1").rateFactor() == 0.25)
    #expect(try Loss("cores2+mae:divide=1,cores2.beta=4").rateFactor() == 0.2)
    // A positive last parameter of any other loss is no such divisor.
    for loss in Loss.all { #expect(loss.rateFactor(epoch: 500) == 1, "\(loss)") }
    for text in ["lsr:epsilon=0.3", "taylor:t=6", "focal:gamma=2,detached=1", "nnce+lsr:epsilon=0.2"] {
      #expect(try Loss(text).rateFactor() == 1, "\(text)")
    }
    for text in ["ce", "peer:alpha=2", "cores2", "sce", "nce+rce:beta=3", "forward"] {
      #expect(try Loss(text).rateFactor(epoch: 500) == 1)
    }
  }

  @Test(arguments: [
    "nosuch", "", "gce:q=7", "gce:q=0", "gce:q=x", "gce:p=0.5", "ce:q=1", "gce:q", "sce:A=4", "sce:alpha=nan",
    "sr", "nce+rce+mae", "ce+ce", "forward+ce", "ce+dmi", "sr+ce", "ce+sr+mae", "sce:nosuch", "taylor:t=1.5",
    "gce:q=0.5@10/0.6@5", "gce:q=0.5@0/7@9", "gce:q=", "+", "ce+", "peer+ce", "gce+agce:q=1",
  ])
  func `refuses unknown names and values out of range`(text: String) {
    #expect { try Loss(text) } throws: { ($0 as? Failure)?.kind == .usage }
  }
}

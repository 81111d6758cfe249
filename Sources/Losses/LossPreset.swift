/// The values that a paper's code uses for a data set: `--loss nce+agce:cifar100`.
public struct LossPreset: Sendable {
  /// The loss or combination, by the names of its parts.
  public let loss: String
  /// The data set, and where it matters the kind of noise: `cifar10`, `cifar10-sparse`.
  public let name: String
  /// The parameters that differ from the defaults, as `Loss` reads them.
  public let values: String

  private init(_ loss: String, _ name: String, _ values: String) {
    (self.loss, self.name, self.values) = (loss, name, values)
  }

  /// The presets of a loss or combination, in the order of tables.
  public static func all(of entry: LossEntry) -> [LossPreset] { table.filter { $0.loss == entry.name } }

  /// Those of combinations, in the order of tables.
  public static var combinations: [LossPreset] { table.filter { $0.loss.contains("+") } }

  static func named(_ name: String, of entry: LossEntry) -> LossPreset? {
    all(of: entry).first { $0.name == name.lowercased() }
  }

  /// The logarithm of 1e-4, which official code puts for log 0 where papers write -4.
  private static let A = "A=-9.2103405"

  /// Every preset.
  ///
  /// Sources: YisenWang/symmetric_cross_entropy_for_noisy_labels (sce, lsr, boot), HanxunH/Active-Passive-Losses
  /// (nce, nfl, ngce and sums with mae and rce), hitcszx/ALFs (agce, aul, ael), hitcszx/lnl_sr (sr), cswjl/eps-softmax (esoftmax),
  /// Virusdoll/Active-Negative-Loss (nnce), weijiaheng/Multi-class-Peer-Loss-functions (peer), UCSC-REAL/cores (cores2),
  /// AlanChou/Truncated-Loss (gce with k), and the papers named in the catalogue.
  static let table: [LossPreset] = classic + activePassive + asymmetric + sparse + epsilon + scheduled

  private static let classic: [LossPreset] = [
    .init("sce", "mnist", "alpha=0.01,beta=1,\(A)"), .init("sce", "cifar10", "alpha=0.1,beta=1,\(A)"),
    .init("sce", "cifar100", "alpha=6,beta=0.1,\(A)"), .init("sce", "webvision", "alpha=10,beta=1,\(A)"),
    .init("sce", "clothing1m", "alpha=10,beta=1,\(A)"),
    .init("gce", "mnist", "q=0.7"), .init("gce", "cifar10", "q=0.7"), .init("gce", "cifar100", "q=0.7"),
    .init("gce", "webvision", "q=0.7"), .init("gce", "clothing1m", "q=0.6"),
    .init("focal", "cifar10", "gamma=0.5,detached=1"), .init("focal", "cifar100", "gamma=0.5,detached=1"),
    .init("gce", "cifar10-truncated", "q=0.7,k=0@40/0.5@40"),
    .init("gce", "cifar100-truncated", "q=0.7,k=0@80/0.5@80"),
    .init("bitempered", "cifar100", "t1=0.8,t2=1.2"),
  ]

  private static let activePassive: [LossPreset] = [
    .init("ngce", "cifar10", "q=0.1"), .init("ngce", "cifar100", "q=0.7"),
    .init("nce+mae", "mnist", "alpha=1,beta=10,scale=1"), .init("nce+mae", "cifar10", "alpha=1,beta=1,scale=1"),
    .init("nce+mae", "cifar100", "alpha=10,beta=1,scale=1"), .init("nce+mae", "webvision", "alpha=50,beta=1,scale=1"),
    .init("nce+rce", "mnist", "alpha=1,beta=10,\(A)"), .init("nce+rce", "cifar10", "alpha=1,beta=1,\(A)"),
    .init("nce+rce", "cifar100", "alpha=10,beta=0.1,\(A)"), .init("nce+rce", "webvision", "alpha=50,beta=0.1,\(A)"),
    .init("nce+rce", "clothing1m", "alpha=10,beta=1,\(A)"),
    .init("nfl+mae", "mnist", "alpha=1,beta=10,scale=1,gamma=0.5,detached=1"),
    .init("nfl+mae", "cifar10", "alpha=1,beta=1,scale=1,gamma=0.5,detached=1"),
    .init("nfl+mae", "cifar100", "alpha=10,beta=1,scale=1,gamma=0.5,detached=1"),
    .init("nfl+rce", "mnist", "alpha=1,beta=10,gamma=0.5,detached=1,\(A)"),
    .init("nfl+rce", "cifar10", "alpha=1,beta=1,gamma=0.5,detached=1,\(A)"),
    .init("nfl+rce", "cifar100", "alpha=10,beta=0.1,gamma=0.5,detached=1,\(A)"),
    .init("nce+nnce", "mnist", "alpha=1,beta=1"), .init("nce+nnce", "cifar10", "alpha=5,beta=5"),
    .init("nce+nnce", "cifar100", "alpha=10,beta=1"), .init("nce+nnce", "webvision", "alpha=20,beta=1"),
    .init("nce+nnce", "clothing1m", "alpha=5,beta=0.1"),
  ]

  private static let asymmetric: [LossPreset] = [
    .init("agce", "mnist", "a=4,q=0.2"), .init("agce", "cifar10", "a=0.6,q=0.6"),
    .init("agce", "cifar100", "a=0.6,q=0.6"), .init("agce", "webvision", "a=1e-5,q=0.5"),
    .init("agce", "clothing1m", "a=1e-5,q=0.5"),
    .init("aul", "mnist", "a=3,q=0.1"), .init("aul", "cifar10", "a=5.5,q=3"), .init("aul", "cifar100", "a=5.5,q=3"),
    .init("ael", "mnist", "a=3.5"), .init("ael", "cifar10", "a=2.5"), .init("ael", "cifar100", "a=2.5"),
    .init("nce+agce", "mnist", "alpha=0,beta=1,a=4,q=0.2"),
    .init("nce+agce", "cifar10", "alpha=1,beta=4,a=6,q=1.5"),
    .init("nce+agce", "cifar100", "alpha=10,beta=0.1,a=1.8,q=3"),
    .init("nce+agce", "webvision", "alpha=50,beta=0.1,a=2.5,q=3"),
    .init("nce+agce", "clothing1m", "alpha=50,beta=0.1,a=2.5,q=3"),
    .init("nce+aul", "mnist", "alpha=0,beta=1,a=3,q=0.1"), .init("nce+aul", "cifar10", "alpha=1,beta=4,a=6.3,q=1.5"),
    .init("nce+aul", "cifar100", "alpha=10,beta=0.015,a=6,q=3"),
    .init("nce+ael", "mnist", "alpha=0,beta=1,a=3.5"), .init("nce+ael", "cifar10", "alpha=1,beta=4,a=5"),
    .init("nce+ael", "cifar100", "alpha=10,beta=0.1,a=1.5"),
  ]

  private static let sparse: [LossPreset] = {
    let mnist = "tau=0.1,p=0.1,lambda=4,normal=0,rho=2,every=5"
    let cifar10 = "tau=0.5,p=0.1,lambda=1.2,normal=1,rho=1.03,every=1"
    let cifar100 = "tau=0.5,p=0.01,lambda=4,normal=1,rho=1.02,every=1"
    let flipped = "tau=0.5,p=0.01,lambda=10,normal=1,rho=1.02,every=1"
    return [
      .init("ce+sr", "mnist", mnist), .init("ce+sr", "cifar10", cifar10), .init("ce+sr", "cifar100", cifar100),
      .init("ce+sr", "cifar100-asymmetric", flipped),
      .init("focal+sr", "mnist", "gamma=0.5,detached=1,\(mnist)"),
      .init("focal+sr", "cifar10", "gamma=0.5,detached=1,\(cifar10)"),
      .init("focal+sr", "cifar100", "gamma=0.5,detached=1,\(cifar100)"),
      .init("focal+sr", "cifar100-asymmetric", "gamma=0.5,detached=1,\(flipped)"),
      .init("gce+sr", "mnist", "q=0.01,tau=0.5,p=0.1,lambda=3,normal=0,rho=2,every=5"),
      .init("gce+sr", "cifar10", "q=0.01,\(cifar10)"), .init("gce+sr", "cifar100", "q=0.001,\(cifar100)"),
      .init("gce+sr", "cifar100-asymmetric", "q=0.001,\(flipped)"),
    ]
  }()

  private static let epsilon: [LossPreset] = {
    func preset(_ name: String, _ alpha: String, _ beta: String, _ m: String) -> LossPreset {
      .init("esoftmax+mae", name, "alpha=\(alpha),beta=\(beta),m=\(m),scale=2")
    }
    return [
      preset("cifar10", "0.01", "5", "1e5"), preset("cifar10-asymmetric", "0.02", "5", "1e3"),
      preset("cifar10-dependent", "0.045", "10", "1e5"), preset("cifar100-0.2", "0.05", "1", "1e4"),
      preset("cifar100-0.4", "0.03", "1", "1e4"), preset("cifar100-0.6", "0.00125", "1", "1e4"),
      preset("cifar100-0.8", "0.0075", "1", "1e4"), preset("webvision", "0.015", "0.3", "1000"),
      preset("clothing1m", "0.012", "0.1", "1e3"),
    ]
  }()

  /// Their code counts in even steps within a stretch of epochs, whose last epoch has the last value.
  private static let scheduled: [LossPreset] = [
    .init("peer", "mnist", "alpha=0@120/1@299,divide=1"),
    .init("peer", "mnist-2", "alpha=0@120/0.18@159/0.18@160/0.32@259/0.32@260/0.4@299,divide=1"),
    .init("peer", "cifar10-sparse", "alpha=0@20/1@39/1@40/2@89/2@90/5@139/5@140/10@239/10@240/20@339,divide=1"),
    .init("peer", "cifar10", "alpha=0@20/0.1@39/1@40/2@89/2@90/2.5@139/2.5@140/3.3@239/3.3@240/5@339,divide=1"),
    .init("peer", "cifar100-sparse", "alpha=0@110/2@129/2@130/10@199/10@200/20@249,divide=1"),
    .init("peer", "cifar100", "alpha=0@100/0.95@100,divide=1"),
    .init("cores2", "cifar10", "beta=0@10/2@39,sieve=0@31/1@31,divide=1"),
    .init("dmi", "cifar10", "guard=1e-3,warm=120,rate=1e-3"),
  ]
}

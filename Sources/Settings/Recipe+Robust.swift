/// The family of protocols that began with active passive losses: 4- and 8-layer CNNs and ResNet-34, a cosine, gradients
/// of norm 5 at most.
extension Recipe {
  private static let mnist = "symmetric:R,exact=equal; asymmetric:R"
  private static let cifar10 = "symmetric:R,exact=class; asymmetric-sequential:R"
  private static let cifar100 = "symmetric:R,exact=class; asymmetric:R"
  private static let last = "Reported: last epoch, mean of 3 runs."
  private static let rotation = "Rotation by 20 degrees is left out."

  private static func onDigits(_ loss: String, decay: String, _ other: [Entry] = []) -> [Entry] {
    sgd("mnist", "cnn4", loss, lr: "0.01", .cosine, decay: decay, epochs: 50, [clipped] + other)
  }

  private static func onCIFAR10(_ loss: String, decay: String = "1e-4", _ other: [Entry] = []) -> [Entry] {
    sgd("cifar10", "cnn8", loss, lr: "0.01", .cosine, decay: decay, epochs: 120, [clipped] + other)
  }

  private static func onCIFAR100(_ loss: String, decay: String = "1e-5", _ other: [Entry] = []) -> [Entry] {
    sgd("cifar100", "resnet34", loss, lr: "0.1", .cosine, decay: decay, epochs: 200, [clipped] + other)
  }

  /// Losses with values for a data set.
  private static func presets(_ names: [String], _ data: String) -> [String] { names.map { "\($0):\(data)" } }

  static let activePassive: [Recipe] = {
    let source = "Ma et al. (APL), ICML 2020, arXiv:2006.13554; its code, HanxunH/Active-Passive-Losses"
    let sums = ["nce+mae", "nfl+mae", "nfl+rce", "sce"]
    return [
      Recipe(
        name: "apl-mnist", source: source, noise: mnist, losses: presets(sums, "mnist") + ["ce", "gce:q=0.7"],
        note: """
          The code's cosine ends at a tenth of the rate (eta_min 0.001), here at zero. \(last)
          """,
        origin: "code",
        onDigits(
          "nce+rce:mnist", decay: "1e-2",
          [.init("nesterov", "on"), .init("weight-decay", "1e-2", "code; 1e-3 in the paper and in ALFs")])),
      Recipe(
        name: "apl-cifar10", source: source, noise: cifar10,
        losses: presets(sums + ["ngce"], "cifar10") + ["ce", "gce:q=0.7"], note: last, origin: "paper and code",
        onCIFAR10("nce+rce:cifar10")),
      Recipe(
        name: "apl-cifar100", source: source, noise: cifar100,
        losses: presets(sums + ["ngce"], "cifar100") + ["ce", "gce:q=0.7"], note: "\(rotation) \(last)",
        origin: "paper and code",
        onCIFAR100("nce+rce:cifar100", [.init("model", "resnet34", "paper; a configuration in the code has ResNet-50")])
      ),
    ]
  }()

  static let asymmetricLosses: [Recipe] = {
    let source = "Zhou et al. (ALFs), ICML 2021, arXiv:2106.03110; its code, hitcszx/ALFs"
    let losses = ["agce", "aul", "ael", "nce+aul", "nce+ael"]
    return [
      Recipe(
        name: "alf-mnist", source: source, noise: mnist, losses: presets(losses, "mnist"), note: last,
        origin: "paper and code", onDigits("nce+agce:mnist", decay: "1e-3")),
      Recipe(
        name: "alf-cifar10", source: source, noise: cifar10, losses: presets(losses, "cifar10"), note: last,
        origin: "paper and code", onCIFAR10("nce+agce:cifar10")),
      Recipe(
        name: "alf-cifar100", source: source, noise: cifar100, losses: presets(losses, "cifar100"),
        note: "\(rotation) NCE+RCE has weights 10 and 1 there, 10 and 0.1 in apl-cifar100. \(last)",
        origin: "paper and code", onCIFAR100("nce+agce:cifar100")),
    ]
  }()

  static let sparseRegularization: [Recipe] = {
    let source = "Zhou et al. (SR), ICCV 2021, arXiv:2108.00192; its code, hitcszx/lnl_sr"
    let losses = ["focal+sr", "gce+sr"]
    return [
      Recipe(
        name: "sr-mnist", source: source, noise: "symmetric:R; asymmetric:R", losses: presets(losses, "mnist"),
        note: last, origin: "code", onDigits("ce+sr:mnist", decay: "1e-3")),
      Recipe(
        name: "sr-cifar10", source: source, noise: cifar10, losses: presets(losses, "cifar10"), note: last,
        origin: "code",
        onCIFAR10("ce+sr:cifar10", [.init("epochs", "120", "paper; the code leaves them out")])),
      Recipe(
        name: "sr-cifar100", source: source, noise: cifar100,
        losses: presets(losses, "cifar100") + ["ce+sr:cifar100-asymmetric"],
        note: "The preset cifar100-asymmetric has lambda 10, for asymmetric noise. \(rotation) \(last)",
        origin: "code", onCIFAR100("ce+sr:cifar100")),
    ]
  }()

  static let activeNegative: [Recipe] = {
    let source = "Ye et al. (ANL), NeurIPS 2023; its code, Virusdoll/Active-Negative-Loss"
    let noise = "symmetric:R,exact=class; asymmetric:R,exact=class"
    func sum(_ factor: String) -> [Entry] {
      [.init("l1", factor, "code: added to the loss, instead of weight decay")]
    }
    let counts = """
      Its counts are exact for each pair of classes, to which exact=class is the nearest. Its gradient is clipped with the \
      L1 term in it, here without.
      """
    return [
      Recipe(
        name: "anl-cifar10", source: source, noise: noise,
        note: "\(counts) \(last)", origin: "code", onCIFAR10("nce+nnce:cifar10", decay: "0", sum("5e-5"))),
      Recipe(
        name: "anl-cifar100", source: source, noise: noise,
        note: "\(counts) \(rotation) \(last)", origin: "code",
        onCIFAR100("nce+nnce:cifar100", decay: "0", sum("5e-7"))),
      Recipe(
        name: "eps-cifar10", source: "epsilon-softmax, NeurIPS 2024, table 2, which follows ALFs; cswjl/eps-softmax",
        noise: cifar10,
        losses: presets(["nce+rce", "nce+agce", "nce+nnce", "sce"], "cifar10") + ["ce", "gce:q=0.7"],
        note: "Its table runs the other losses in the same way, each with its paper's parameters. \(last)",
        origin: "paper",
        onCIFAR10("esoftmax+mae:cifar10")),
    ]
  }()
}

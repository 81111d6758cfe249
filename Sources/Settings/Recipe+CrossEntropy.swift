/// Symmetric and generalized cross entropy.
extension Recipe {
  static let symmetricCrossEntropy: [Recipe] = {
    let source = """
      Wang et al. (SCE), ICCV 2019, arXiv:1908.06112, section 4.1; its code, \
      YisenWang/symmetric_cross_entropy_for_noisy_labels
      """
    let others = ["ce", "gce:q=0.7", "lsr", "bootsoft", "boothard"]
    let mean = "The code subtracts the mean image and does not divide."
    return [
      Recipe(
        name: "sce-mnist", source: source, noise: "symmetric:R,exact=equal; asymmetric:R,exact=class", losses: others,
        note: "The code's decay of the rate by iteration is left out, so that the rate is higher here. \(mean)",
        origin: "code",
        sgd("mnist", "cnn4", "sce:mnist", lr: "0.1", .at("11,31"), decay: "0", epochs: 50)),
      Recipe(
        name: "sce-cifar10", source: source, noise: "symmetric:R,exact=class; asymmetric:R,exact=class",
        losses: others,
        note: """
          The weight decay is the paper's: in the code the argument with that name is a decay of the learning rate, and \
          only the hidden linear layer has l2(0.01). Images are shifted by up to 0.2 of their size there, where \
          crop-flip shifts by 4 pixels. \(mean)
          """,
        origin: "paper",
        sgd(
          "cifar10", "cnn8", "sce:alpha=0.1,beta=1,A=-6", lr: "0.01", .at("40,80"), decay: "1e-4", epochs: 120,
          [
            .init("loss", "sce:alpha=0.1,beta=1,A=-6", "paper; A = ln 1e-4 = -9.21 in the code: sce:cifar10"),
            .init("batch-size", "128", "code"),
          ])),
      Recipe(
        name: "sce-cifar100", source: source, noise: "symmetric:R,exact=class; asymmetric:R,map=swap", losses: others,
        note: """
          The code's ResNet-44 normalises and activates before each convolution, resnet44 after it; its l2(0.01) is on \
          kernels only, weight decay here on every parameter. Its decay of the rate, lr / (1 + 0.005 iteration), adds up over the whole run and is left out, so \
          that the rate is higher here (by 157 times at epoch 80 in that code's counting). Rotation by 20 degrees and \
          shift by 0.2 are left out. \(mean)
          """,
        origin: "code",
        sgd(
          "cifar100", "resnet44", "sce:cifar100", lr: "0.1", .at("81,121"), decay: "0.02", epochs: 150,
          [.init("weight-decay", "0.02", "code: Keras's l2(0.01), which adds 0.01 w^2")])),
    ] + reproduced
  }()

  /// What its PyTorch port does.
  private static let reproduced: [Recipe] = {
    let source = "HanxunH/SCELoss-Reproduce, a port of Wang et al. (SCE), ICCV 2019, arXiv:1908.06112"
    let values = [Entry("nesterov", "on"), clipped]
    return [
      Recipe(
        name: "sce-repro-cifar10", source: source, noise: "symmetric:R,exact=class; asymmetric-sequential:R",
        losses: ["ce"],
        note: """
          Weight decay is on the hidden linear layer only there (and 0.01 in a command of its page), and first weights \
          are PyTorch's defaults. Reported: best epoch.
          """,
        origin: "code",
        sgd("cifar10", "cnn8", "sce:cifar10", lr: "0.01", .at("40,80"), decay: "5e-4", epochs: 120, values)),
      Recipe(
        name: "sce-repro-cifar100", source: source, noise: "symmetric:R,exact=class", losses: ["ce"],
        note: """
          Rotation by 20 degrees is left out. A command of its page has sce:alpha=6,beta=1,A=-9.2103405. Reported: best \
          epoch.
          """,
        origin: "code",
        sgd("cifar100", "resnet34", "sce:cifar100", lr: "0.01", .at("40,80"), decay: "5e-4", epochs: 150, values)),
    ]
  }()

  static let generalizedCrossEntropy: [Recipe] = {
    let source = "Zhang & Sabuncu (GCE), NeurIPS 2018, arXiv:1805.07836, section 4"
    let unofficial = "AlanChou/Truncated-Loss, unofficial code of \(source)"
    let validation = Entry("val", "0.1")
    let note = "\(noisyValidation) The mean image is subtracted there."
    let mask = """
      Samples with p up to 0.5 do not count from the first fall of the rate on; here each step tells by the network's \
      outputs, there a mask is renewed every 10 epochs by the checkpoint that is best on the test set. Reported: best \
      test epoch.
      """
    let code = "unofficial code"
    return [
      Recipe(
        name: "gce-cifar10", source: source, noise: "symmetric:R; asymmetric:R",
        losses: ["ce", "mae", "gce:cifar10-truncated"], note: note, origin: "paper",
        sgd(
          "cifar10", "resnet34", "gce:q=0.7", lr: "0.01", .at("40,80"), decay: "1e-4", epochs: 120, [validation, noisy])
      ),
      Recipe(
        name: "gce-cifar100", source: source + "; AlanChou/Truncated-Loss, unofficial",
        noise: "symmetric:R; asymmetric:R",
        losses: ["ce", "mae", "gce:cifar100-truncated"], note: note, origin: "paper",
        sgd(
          "cifar100", "resnet34", "gce:q=0.7", lr: "0.01", .at("80,120"), decay: "1e-4", epochs: 150,
          [validation, noisy, .init("milestones", "80,120", code), .init("epochs", "150", code)])),
      Recipe(
        name: "gce-truncated-cifar10", source: unofficial, noise: "symmetric:R; pairflip:R", losses: ["gce:q=0.7"],
        note: mask, origin: code,
        sgd("cifar10", "resnet34", "gce:cifar10-truncated", lr: "0.01", .at("40,80"), decay: "1e-4", epochs: 120)),
      Recipe(
        name: "gce-truncated-cifar100", source: unofficial, noise: "symmetric:R; pairflip:R", losses: ["gce:q=0.7"],
        note: mask, origin: code,
        sgd("cifar100", "resnet34", "gce:cifar100-truncated", lr: "0.01", .at("80,120"), decay: "1e-4", epochs: 150)),
    ]
  }()
}

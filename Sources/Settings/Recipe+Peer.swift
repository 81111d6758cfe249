/// Losses that look at a whole batch, and the correction by a transition matrix.
extension Recipe {
  private static let peerSource = """
    Liu & Guo (peer loss), ICML 2020, arXiv:1910.03231; the multi-class code, \
    weijiaheng/Multi-class-Peer-Loss-functions
    """
  private static let dropsLast = Entry("drop-last", "on")
  private static let tenThousand = Entry("val", "10000", "code: 40,000 of 50,000 are trained on")

  static let peerLoss: [Recipe] = {
    let left = """
      Rotation by 15 degrees is left out. The optimiser is made anew in each epoch there, so that its momentum begins at \
      zero. The rate is divided by 1 + alpha, which is part of the loss's preset. \(noisyValidation)
      """
    func values(_ preset: String) -> [Entry] {
      sgd(
        "cifar10", "preact-resnet18", "peer:\(preset)", lr: "0.1", .at("40,80,120,160,200,240,280"), decay: "1e-4",
        epochs: 300, [dropsLast, tenThousand, noisy])
    }
    return [
      Recipe(
        name: "peer-cifar10", source: peerSource,
        noise: "peer:uniform-low; peer:uniform-high; peer:random-low; peer:random-high", losses: ["ce"], note: left,
        origin: "code", values("cifar10")),
      Recipe(
        name: "peer-cifar10-sparse", source: peerSource, noise: "peer:sparse-low; peer:sparse-high", losses: ["ce"],
        note: left, origin: "code", values("cifar10-sparse")),
      Recipe(
        name: "peer-cifar100", source: peerSource, noise: "labels:FILE",
        losses: ["ce", "peer:cifar100-sparse"],
        note: """
          FILE is one of the published files of labels; their 'sparse-low' is not sparse. The first 100 epochs are cross \
          entropy. \(left)
          """,
        origin: "code",
        sgd(
          "cifar100", "preact-resnet18", "peer:cifar100", lr: "0.1", .at("60,100"), decay: "5e-4", epochs: 250,
          [dropsLast, tenThousand, noisy])),
    ]
  }()

  static let determinant = [
    Recipe(
      name: "dmi-cifar10", source: "Xu et al. (L_DMI), NeurIPS 2019, arXiv:1909.03388; its code, Newbeeer/L_DMI",
      noise: "symmetric:R; asymmetric:R,map=one-way", losses: ["ce"],
      note: """
        120 epochs of cross entropy, then 100 of the determinant with a rate of 1e-6, which is part of the loss's preset; \
        there the second part begins with the best checkpoint of the first, and the optimiser is made anew in each epoch, \
        so that its momentum begins at zero. The fifth file of CIFAR-10 is held out there, and accuracy is that of one \
        batch of it. \(noisyValidation)
        """,
      origin: "code",
      sgd(
        "cifar10", "resnet34", "dmi:cifar10", lr: "0.1", .at("40,80"), decay: "1e-4", batch: 256, epochs: 220,
        [dropsLast, tenThousand, noisy]))
  ]

  static let cores = [
    Recipe(
      name: "cores2-cifar10", source: "Cheng et al. (CORES), ICLR 2021, arXiv:2010.02347; its code, UCSC-REAL/cores",
      noise: "part-dependent:R,shared; symmetric:R", losses: ["ce"],
      note: "The rate is divided by 1 + beta, which changes with the epoch and is part of the loss's preset.",
      origin: "code",
      sgd(
        "cifar10", "resnet34", "cores2:cifar10", lr: "0.1", .at("50"), decay: "0", batch: 64, epochs: 100,
        [.init("momentum", "0")]))
  ]

  static let correction: [Recipe] = {
    let source = "Patrini et al. (loss correction), CVPR 2017, arXiv:1609.03683; its code, giorgiop/loss-correction"
    let note = """
      With the true matrix; --transition anchors:40 estimates it. The code shifts images by up to 0.1 of their size, \
      where crop-flip shifts by 4 pixels; its l2 is on kernels only, and its networks normalise and activate before each \
      convolution. It reports the epoch whose loss on the held-out tenth is least; best.safetensors is chosen by accuracy.
      """
    let losses = ["backward", "bootsoft", "boothard"]
    let other = [Entry("transition", "true"), Entry("val", "0.1"), noisy]
    return [
      Recipe(
        name: "forward-cifar10", source: source, noise: "symmetric:R; asymmetric:R", losses: losses, note: note,
        origin: "code",
        sgd(
          "cifar10", "resnet32", "forward", lr: "0.1", .at("41,81"), decay: "2e-4", epochs: 120,
          other + [.init("weight-decay", "2e-4", "code: Keras's l2(1e-4), which adds 1e-4 w^2")])),
      Recipe(
        name: "forward-cifar100", source: source, noise: "symmetric:R; asymmetric:R", losses: losses, note: note,
        origin: "code",
        sgd(
          "cifar100", "resnet44", "forward", lr: "0.1", .at("81,121"), decay: "2e-3", epochs: 150,
          other + [.init("weight-decay", "2e-3", "code: Keras's l2(1e-3), which adds 1e-3 w^2")])),
    ]
  }()
}

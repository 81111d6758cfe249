extension Recipe {
  /// All recipes, in the order of tables.
  public static let catalogue: [Recipe] =
    aum + symmetricCrossEntropy + generalizedCrossEntropy + activePassive + asymmetricLosses + sparseRegularization
    + activeNegative + peerLoss + determinant + cores + correction + adjusted + humanLabels + memorisation
    + earlyLearning + confidenceAdaptive + selfEnsemble + mutualLearning + filterGrafting + distillationAndGrafting
    + divideMix + asymmetricCoTeaching

  /// Area under the margin.
  private static let aum: [Recipe] = {
    let source = "Pleiss et al. (AUM), NeurIPS 2020, arXiv:2001.10528, section 5; asappresearch/aum, paper_replication"
    let validation = Entry("val", "5000", "paper: 45,000 of 50,000 are trained on")
    func values(_ data: String) -> [Entry] {
      sgd(
        data, "resnet32", "ce", lr: "0.1", .at("150,225"), decay: "1e-4", batch: 256, epochs: 300,
        [.init("nesterov", "on"), validation])
    }
    return [
      Recipe(
        name: "aum-cifar10", source: source, noise: "symmetric:R; pairflip:R",
        note: """
          The noises are 'uniform' and 'flip' there, over all 50,000 images; its held-out part keeps its labels, too. \
          Training on all samples ('Standard'), and on what is left ('AUM', with --exclude label_issues.csv \
          --exclude-by weight-zero after 'gpunoisy detect', whose defaults are the paper's). Reported: last epoch.
          """,
        origin: "paper and code", values("cifar10")),
      Recipe(
        name: "aum-cifar100", source: source, noise: "symmetric:R; pairflip:R",
        note: "As aum-cifar10. Reported: last epoch.", origin: "paper and code", values("cifar100")),
    ]
  }()

  /// Learned parameters of robust losses.
  private static let adjusted: [Recipe] = {
    let source = "Shu et al. (NARL-Adjuster), arXiv:2301.07306; its code, xjtushujun/NARL-Adjuster"
    let validation = Entry("val", "1000", "code: 1,000 clean images, as many of each class")
    let note = """
      The protocol of the losses whose parameters it learns from the held-out 1,000 images, a network for them at every \
      10th step; here they stay as given. That code takes log10 for SCE's A, so that it is -4, and replaces GCE by a line \
      below p = 0.003. Crops are padded by reflection there. Reported: best test epoch.
      """
    let losses = ["ce", "sce:alpha=0.1,beta=1,A=-4", "bitempered", "polysoft"]
    func recipe(_ name: String, _ data: String, _ model: String, _ noise: String, _ falls: String, _ epochs: Int)
      -> Recipe
    {
      Recipe(
        name: name, source: source, noise: noise, losses: losses, note: note, origin: "code",
        sgd(
          data, model, "gce:q=0.7", lr: "0.1", .at(falls), decay: "5e-4", batch: 100, epochs: epochs, [validation]))
    }
    return [
      recipe(
        "narl-cifar10", "cifar10", "resnet32", "symmetric:R,inclusive; asymmetric:R,map=one-way", "80,100", 120),
      recipe("narl-cifar100", "cifar100", "resnet32", "symmetric:R,inclusive; hierarchical:R", "80,120", 150),
      recipe("narl-instance-cifar10", "cifar10", "resnet34", "part-dependent:R,shared", "40,80", 120),
    ]
  }()

  /// Labels that people gave.
  private static let humanLabels: [Recipe] = {
    let source = "Wei et al. (CIFAR-N), ICLR 2022, arXiv:2110.12088; its code, UCSC-REAL/cifar-10-100n"
    func values(_ data: String) -> [Entry] {
      sgd(data, "resnet34", "ce", lr: "0.1", .at("60"), decay: "5e-4", epochs: 100)
    }
    return [
      Recipe(
        name: "cifarn-cifar10", source: source, noise: "labels:FILE,key=worse",
        note: "FILE is CIFAR-10_human.pt; its other sets are key=aggre, random1, random2 and random3.",
        origin: "code", values("cifar10")),
      Recipe(
        name: "cifarn-cifar100", source: source, noise: "labels:FILE",
        note: "FILE is CIFAR-100_human.pt, its 'noisy' labels.", origin: "code",
        values("cifar100")),
    ]
  }()

  /// Labels and images without sense.
  private static let memorisation = [
    Recipe(
      name: "memorise-cifar10", source: "Zhang et al. (Rethinking generalization), ICLR 2017, arXiv:1611.03530",
      noise: "random-labels",
      note: """
        With --noise random-labels, or --pixels shuffled, random or gaussian: training accuracy nears 100 % all the same, \
        and test accuracy stays at chance where nothing can be learnt. The paper's networks and its SGD are others; this \
        is the shortest experiment that shows the same, without what would hinder fitting (crops, weight decay).
        """,
      origin: "own choice",
      sgd(
        "cifar10", "resnet32", "ce", lr: "0.1", .never, decay: "0", epochs: 100,
        [
          .init("weight-decay", "0", "paper: without regularisation"), .init("limit-train", "5000"),
          .init("augment", "none", "paper: without regularisation"),
        ]))
  ]
}

extension Recipe {
  /// All recipes, in the order of tables.
  public static let catalogue: [Recipe] = [
    Recipe(
      name: "aum-cifar10", source: "Pleiss et al. (AUM), NeurIPS 2020, section 5, and its replication code",
      noise: "symmetric:R (uniform), pairflip:R (flip), over all 50,000 images",
      note: """
        Training on all samples ('Standard'), and on what is left ('AUM', with --exclude label_issues.csv \
        --exclude-by weight-zero after 'gpunoisy detect', whose defaults are the paper's). Reported: last epoch.
        """,
      values: sgd("cifar10", nesterov: true, lr: "0.1", weightDecay: "1e-4", batch: 256, epochs: 300, falls: "150,225")
        + [Value("model", "resnet32"), Value("loss", "ce"), Value("val", "5000", "45,000 of 50,000 are trained on")]),
    Recipe(
      name: "aum-cifar100", source: "Pleiss et al. (AUM), NeurIPS 2020, section 5, and its replication code",
      noise: "symmetric:R (uniform), pairflip:R (flip), over all 50,000 images",
      note: "As aum-cifar10. Reported: last epoch.",
      values: sgd("cifar100", nesterov: true, lr: "0.1", weightDecay: "1e-4", batch: 256, epochs: 300, falls: "150,225")
        + [Value("model", "resnet32"), Value("loss", "ce"), Value("val", "5000", "45,000 of 50,000 are trained on")]),
    Recipe(
      name: "sce-cifar10", source: "Wang et al. (SCE), ICCV 2019, section 4.1",
      noise: "symmetric:R,exact=class; asymmetric:R,exact=class",
      note: """
        The network is the paper's 8-layer CNN, which is not among these: --model chooses a stand-in, and the numbers \
        are not the paper's. Its code shifts pictures by up to 0.2 of their size where crop-flip shifts by 4 pixels. \
        Reported: last epoch.
        """,
      values: sgd("cifar10", nesterov: false, lr: "0.01", weightDecay: "1e-4", batch: 128, epochs: 120, falls: "40,80")
        + [Value("loss", "sce:alpha=0.1,beta=1,A=-4", "A of the text; ln 1e-4 = -9.21 in the code")]),
    Recipe(
      name: "sce-cifar100", source: "code of Wang et al. (SCE), ICCV 2019",
      noise: "symmetric:R,exact=class; asymmetric:R,map=swap",
      note: """
        The code's ResNet-44 normalises and activates before each convolution, resnet44 after it. Its rotation by 20 \
        degrees and its decay of the rate within epochs (0.005 an iteration) are left out. Reported: last epoch.
        """,
      values: sgd(
        "cifar100", nesterov: false, lr: "0.1", weightDecay: "0.02", batch: 128, epochs: 150, falls: "80,120",
        decaySource: "Keras's l2(0.01), which adds 0.01 w^2")
        + [Value("model", "resnet44"), Value("loss", "sce:alpha=6,beta=0.1,A=-9.210340371976184", "ln 1e-4")]),
    Recipe(
      name: "gce-cifar10", source: "Zhang & Sabuncu (GCE), NeurIPS 2018, section 4",
      noise: "symmetric:R; asymmetric:R",
      note: """
        The network is the paper's ResNet-34, which is not among these: --model chooses a stand-in. The paper holds out \
        a tenth with noisy labels and reports the epoch that is best on it; here the held-out part keeps its labels.
        """,
      values: sgd("cifar10", nesterov: false, lr: "0.01", weightDecay: "1e-4", batch: 128, epochs: 120, falls: "40,80")
        + [Value("loss", "gce:q=0.7"), Value("val", "0.1")]),
    Recipe(
      name: "gce-cifar100", source: "Zhang & Sabuncu (GCE), NeurIPS 2018, section 4",
      noise: "symmetric:R; asymmetric:R",
      note: """
        The network is the paper's ResNet-34, which is not among these: --model chooses a stand-in. Validation as for \
        gce-cifar10.
        """,
      values: sgd(
        "cifar100", nesterov: false, lr: "0.01", weightDecay: "1e-4", batch: 128, epochs: 150, falls: "80,120")
        + [Value("loss", "gce:q=0.7"), Value("val", "0.1")]),
    Recipe(
      name: "peer-cifar10", source: "the multi-class code of Liu & Guo (peer loss), ICML 2020",
      noise: "peer:sparse-low, peer:sparse-high, peer:uniform-low and so on",
      note: """
        The network is a pre-activation ResNet-18, which is not among these: --model chooses a stand-in. Its rotation \
        by 15 degrees is left out. It holds out 10,000 images with noisy labels and reports the epoch that is best on \
        them; here the held-out part keeps its labels. Published values of alpha vary with the noise.
        """,
      values: sgd(
        "cifar10",
        nesterov: false, lr: "0.06666666666666667", weightDecay: "1e-4", batch: 128, epochs: 300,
        falls: "40,80,120,160,200,240,280", rateSource: "0.1 / (1 + alpha)")
        + [Value("loss", "peer:alpha=0.5"), Value("val", "10000")]),
    Recipe(
      name: "narl-cifar10", source: "code of Shu et al. (NARL-Adjuster), arXiv:2301.07306, which follows ARL's",
      noise: "symmetric:R,inclusive (unif); asymmetric:R,map=one-way (flip_smi)",
      note: """
        The protocol of the losses that it adjusts (--loss gce, sce and so on, whose parameters it learns from 1,000 \
        clean images; here they stay as given). Reported: last epoch.
        """,
      values: sgd("cifar10", nesterov: true, lr: "0.1", weightDecay: "5e-4", batch: 100, epochs: 120, falls: "80,100")
        + [Value("model", "resnet32")]),
    Recipe(
      name: "narl-cifar100", source: "code of Shu et al. (NARL-Adjuster), arXiv:2301.07306, which follows ARL's",
      noise: "symmetric:R,inclusive (unif); hierarchical:R",
      note: "As narl-cifar10.",
      values: sgd("cifar100", nesterov: true, lr: "0.1", weightDecay: "5e-4", batch: 100, epochs: 150, falls: "80,120")
        + [Value("model", "resnet32")]),
  ]

  /// SGD with momentum 0.9, a rate that falls to a tenth at some epochs, crops and flips.
  private static func sgd(
    _ data: String, nesterov: Bool, lr: String, weightDecay: String, batch: Int, epochs: Int, falls: String,
    rateSource: String? = nil, decaySource: String? = nil
  ) -> [Value] {
    [
      Value("data", data), Value("epochs", "\(epochs)"), Value("batch-size", "\(batch)"), Value("lr", lr, rateSource),
      Value("momentum", "0.9"), Value("nesterov", nesterov ? "on" : "off"),
      Value("weight-decay", weightDecay, decaySource),
      Value("schedule", "step"), Value("milestones", falls), Value("gamma", "0.1"), Value("clip-norm", "0"),
      Value("augment", "crop-flip"),
    ]
  }
}

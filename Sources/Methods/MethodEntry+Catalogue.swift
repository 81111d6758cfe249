import Compute
import Datasets

extension MethodEntry {
  /// Every method, in the order in which they are listed.
  public static let catalogue = ofOneOrTwo + several

  private static let ofOneOrTwo: [MethodEntry] = [
    MethodEntry(
      name: "plain", summary: "One network learns from all samples alike.", source: "",
      standing: .publishedCode, networks: 1, cost: "1", parameters: [], figures: [], judgesSamples: false, losses: .all,
      weightsConflict: nil),
    MethodEntry(
      name: "co-teaching",
      summary: "Two networks see the same batches; each learns from the samples with the smallest losses of the other.",
      source:
        "Han et al., Co-teaching: robust training of deep neural networks with extremely noisy labels, NeurIPS 2018",
      standing: .publishedCode, networks: 2, cost: "2",
      parameters: [
        .init("rate", 0.2, 0...0.99, "the final share of each batch that is left out: the noise rate"),
        .init(epochs: "ramp", 9, 1...1_000_000, "epochs over which that share rises from 0"),
        .init("power", 1, 0.01...10, "the exponent of the rate at which the rise ends"),
        .init(
          "exchange", 1, 0...1, isWhole: true,
          "1: each network selects for the other, as published; 0: for itself, for comparison"),
      ], figures: Selection.figures + [Figure("test_acc_2", "the second network's accuracy on the test set")],
      judgesSamples: true),
    MethodEntry(
      name: asymmetric,
      summary:
        "Neighbours or clusters decide which labels to believe; a main network learns these and new labels of the others "
        + "that a second network finds easy.",
      source:
        "Yang et al., Asymmetric co-teaching for unsupervised cross-domain person re-identification, AAAI 2020",
      standing: .reconstructed(
        "labels=given; labels=clusters is after the authors' code, without the source domain's term"),
      networks: 2, cost: "2.7, and a pass every `every` epochs",
      parameters: [
        .init(epochs: "warm", 5, 0...1_000_000, "epochs of plain training before neighbours are asked"),
        .init(epochs: "every", 5, 1...1_000_000, "epochs between two decisions, a round"),
        .init("neighbours", 10, 1...1000, isWhole: true, "the nearest neighbours by features that are asked"),
        .init(
          "keep", 0.2, 0...1,
          "the share of the judged samples that counts rises from this to 1 over the rounds"),
        .init(
          "exchange", 1, 0...1, isWhole: true,
          "1: two networks that choose for each other, as published; 0: one, which learns from all inliers, for comparison"
        ),
        .init(
          "reciprocal", 20, 4...1000, isWhole: true, "of clusters: neighbours that reciprocal ones are sought among"),
        .init("share", 0.0016, 1e-9...1, "of clusters: the share of the smallest distances whose mean is the radius"),
        .init("minimum", 4, 1...1000, isWhole: true, "of clusters: images within the radius of one that begins them"),
        .init("margin", 0.5, 0...1000, "of clusters: how much farther than its own an image of another one is to be"),
      ], figures: InliersAndOutliers.figures + ClusterSearch.figures, judgesSamples: true,
      textParameters: [
        .init(
          name: "labels", defaultText: "given", summary: "where labels come from", choices: ["given", clusters])
      ]),
    MethodEntry(
      name: "marvel",
      summary:
        "Drops samples whose margin has been negative in consecutive epochs: their weight becomes 0 for good.",
      source: "Lin and Bradic, Learning to combat noisy labels via classification margins, arXiv 2102.00751, 2021",
      standing: .reconstructed("patience and warm-up, since only the abstracts could be read"), networks: 1,
      cost: "at most 1", parameters: marvelParameters, figures: Selection.figures, judgesSamples: true),
    MethodEntry(
      name: "marvel+", summary: "marvel, with larger weights for samples with a small margin.",
      source: "Lin and Bradic, Learning to combat noisy labels via classification margins, arXiv 2102.00751, 2021",
      standing: .reconstructed("patience, warm-up and the weights, since only the abstracts could be read"),
      networks: 1, cost: "at most 1",
      parameters: marvelParameters + [
        .init("gain", 1, 0...100, "samples with margin m have weight 1 + gain (1 - m) / 2 until they are dropped")
      ], figures: Selection.figures, judgesSamples: true),
    MethodEntry(
      name: "mixup", summary: "Learns from mixtures of two images and of their labels.",
      source: "Zhang, Cisse, Dauphin and Lopez-Paz, mixup: beyond empirical risk minimization, ICLR 2018",
      standing: .publishedCode, networks: 1, cost: "1",
      parameters: [
        .init(
          "alpha", 1, 0...1000, "the share of the first image is drawn from Beta(alpha, alpha); 0: nothing is mixed")
      ], figures: [], judgesSamples: false, losses: .crossEntropy,
      weightsConflict: "its images are mixtures of two samples."),
    MethodEntry(
      name: "elr",
      summary:
        "Holds the network to what it predicted early, by a target for every sample that follows its predictions.",
      source: "Liu et al., Early-learning regularization prevents memorization of noisy labels, NeurIPS 2020",
      standing: .publishedCode, networks: 1, cost: "1",
      parameters: [
        .init("momentum", 0.7, 0...1, "the share of the target that stays when the sample is seen"),
        .init("lambda", 3, 0...1000, "the weight of the regulariser log(1 - <target, p>)"),
      ],
      figures: LabelledSet.targetFigures + [LabelledSet.suspicionFigure], judgesSamples: true, weightsConflict: nil),
    MethodEntry(
      name: "car",
      summary:
        "Learns a confidence for each sample by a second head, which scales what it teaches; targets follow.",
      source: "Lu, Bo and He, Confidence adaptive regularization for deep learning with noisy labels, 2021",
      standing: .reconstructed("all of it, from the code of its authors' next paper (MacLLL/NAL, NeurIPS 2022)"),
      networks: 1, cost: "1",
      parameters: [
        .init(
          "lambda", 10, 0...1000, "the weight of -log(confidence); shorter runs need less, such as 0.5 for 30 epochs"),
        .init("beta", 0, 0...1000, "the weight of the reverse cross entropy"),
        .init("momentum", 0.9, 0...1, "the share of the target that stays when it moves"),
        .init("threshold", 0, 0...1, "targets move where the confidence is above this"),
        .init(epochs: "start", 60, 1...1_000_000, "the epoch, from 1, at which targets take the place of labels"),
        .init(epochs: "every", 10, 1...1_000_000, "targets move in epochs whose number is a multiple of this"),
        .init("learned", 1, 0...1, isWhole: true, "1: as published; 0: the confidence is 1, for comparison"),
      ],
      figures: [
        Figure("confidence_right", "mean confidence of the samples with a correct label"),
        Figure("confidence_wrong", "mean confidence of the samples with a wrong label"),
      ] + LabelledSet.targetFigures + [LabelledSet.suspicionFigure], judgesSamples: true, losses: .crossEntropy,
      weightsConflict: "a sample's confidence is learned from all samples alike."),
    MethodEntry(
      name: "rdi", summary: "Pulls all parameters back to where they started.", source: distanceSource,
      standing: .reconstructed("the value of lambda, since the authors' code and settings could not be read"),
      networks: 1, cost: "1",
      parameters: [
        .init(
          "lambda", 14, 0...1_000_000, scaling: .inverseRoot,
          "strength of the pull lambda^2 / N; for 150 epochs at a rate of 0.02 with batches of 128"),
        .init(
          "anchor", 1, 0...1, isWhole: true,
          "1: pulls to the start, as published; 0: to zero, as weight decay does, for comparison"),
      ], figures: [Figure("distance", "distance of the parameters from the start, as a part of their size there")],
      judgesSamples: false, losses: .all, weightsConflict: nil),
    MethodEntry(
      name: "aux", summary: "Lets an offset to the logits of every training sample explain its label, too.",
      source: distanceSource,
      standing: .reconstructed("the value of lambda, since the authors' code and settings could not be read"),
      networks: 1, cost: "1",
      parameters: [
        .init(
          "lambda", 28, 0...1_000_000, scaling: .inverseRoot,
          "strength of the offsets; for 150 epochs at a rate of 0.02 with batches of 128")
      ], figures: [LabelledSet.suspicionFigure], judgesSamples: true, weightsConflict: nil),
    MethodEntry(
      name: "self",
      summary:
        "Learns the labels that its own average predicts, chosen anew now and then; that average teaches consistency.",
      source: "Nguyen et al., SELF: learning to filter noisy labels with self-ensembling, ICLR 2020",
      standing: .reconstructed(
        "all of it, from the abstract, others' code and the mean teacher's, since the authors' code is not public"),
      networks: 1, cost: "1.3", parameters: selfParameters,
      figures: Selection.figures + [LabelledSet.suspicionFigure], judgesSamples: true),
    MethodEntry(
      name: adaptiveLoss,
      summary: "Learns parameters of its loss, such as q of gce, by what a step does to the loss of trusted samples.",
      source: "Shu et al., Learning adaptive loss for robust learning with noisy labels, arXiv 2002.06482, 2020",
      standing: .reconstructed(
        "from a description of the paper and the code of its authors' next one (NARL-Adjuster); the rate is an own choice"
      ),
      networks: 1, cost: "1 + 2.7 / every",
      parameters: [
        .init(
          "every", 10, 1...1_000_000, isWhole: true, "the number of steps in which parameters of the loss move once"),
        .init(
          "rate", 10, 0...1_000_000,
          "how fast they move: a learning rate of plain descent, which follows the schedule; 0: not at all, for comparison"
        ),
      ], figures: [Figure("learned_PARAMETER", "a learned parameter of the loss at the epoch's end")],
      judgesSamples: false, weightsConflict: nil,
      textParameters: [
        .init(
          name: "learn", defaultText: LearnedParameters.automatic,
          summary:
            "the learned parameters of the loss, with plus signs between, such as alpha+beta; auto: those of the paper")
      ], needsTrustedSamples: true),
    MethodEntry(
      name: "mutual",
      summary: "Several networks see the same batches; each learns from the predictions of the others, too.",
      source: "Zhang, Xiang, Hospedales and Lu, Deep mutual learning, CVPR 2018",
      standing: .publishedCode, networks: 2, cost: "2",
      parameters: [
        members,
        .init(
          "exchange", 1, 0...1, isWhole: true,
          "1: networks learn from one another, as published; 0: each on its own, for comparison"),
        .init(
          "sum", 0, 0...1, isWhole: true,
          "what is evaluated and predicts: 0: the first network, as published; 1: all, by the mean of their logits"),
      ], figures: MemberAccuracies.figures(of: 2), judgesSamples: false, weightsConflict: nil,
      textParameters: [
        .init(
          name: "with", defaultText: MethodChoice.sameNetwork,
          summary:
            "the networks of the other members, with plus signs between, such as resnet20+mlp; one stands for all others"
        )
      ]),
    MethodEntry(
      name: "grafting",
      summary:
        "Several networks with batches of their own; after every epoch each takes over weights of the one before it.",
      source: "Meng et al., Filter grafting for deep neural networks, CVPR 2020",
      standing: .publishedCode, networks: 2, cost: "2",
      parameters: [members] + graftingParameters, figures: Grafting.figures(of: 2), judgesSamples: false, losses: .all,
      weightsConflict: nil),
    MethodEntry(
      name: divideMix,
      summary:
        "Two networks divide the samples for each other: labels with small losses are learned, others are guessed.",
      source: "Li, Socher and Hoi, DivideMix: learning with noisy labels as semi-supervised learning, ICLR 2020",
      standing: .publishedCode, networks: 2, cost: "2, then 4 to 7", parameters: divideMixParameters,
      figures: Selection.figures + [
        LabelledSet.suspicionFigure,
        Figure("test_acc_mean", "mean accuracy on the test set of the two networks, each on its own"),
      ], judgesSamples: true, losses: .crossEntropy, weightsConflict: "its images are mixtures of two samples."),
  ]

  static let divideMix = "dividemix"

  private static let divideMixParameters: [Parameter] = [
    .init(epochs: "warm", 10, 1...1_000_000, "epochs of plain training at the start, each network on its own"),
    .init(
      "alpha", 4, 0...1000, "the share of an image in a mixture is drawn from Beta(alpha, alpha); 0: nothing is mixed"),
    .init("temperature", 0.5, 0.01...100, "guesses are sharpened: v^(1/temperature), divided by the sum"),
    .init("threshold", 0.5, 0...1, "labels are learned whose chance to be right is above this"),
    .init("unlabelled", 25, 0...1_000_000, "the weight of the squared distance from guesses; 0 for few wrong labels"),
    .init(epochs: "ramp", 16, 0...1_000_000, "epochs over which that weight rises"),
    .init("prior", 1, 0...1_000_000, "the weight that keeps mean predictions near those of equally large classes"),
    .init("penalty", 0, 0...1000, "the weight of the negative entropy in the first epochs; 1 for asymmetric noise"),
    .init(
      "history", 1, 1...64, isWhole: true, "epochs whose losses are averaged before they are judged; 5 for 90 % noise"),
  ]

  static let members = Parameter(
    "members", 2, 1...64, isWhole: true, "networks in training, each at the cost of plain training")

  static let adaptiveLoss = "adaptive-loss", asymmetric = "asymmetric-co-teaching", clusters = "clusters"

  private static let distanceSource =
    "Hu, Li and Yu, Simple and effective regularization methods for training on noisily labeled data with "
    + "generalization guarantee, ICLR 2020"

  private static let selfParameters: [Parameter] = [
    .init(
      epochs: "every", 50, 0...1_000_000, "epochs between two choices of labels; 0: none, a mean teacher for comparison"
    ),
    .init("momentum", 0.9, 0...1, "the share of a sample's averaged prediction that stays when it is seen"),
    .init("decay", 0.99, 0...1, "the share of the average of the parameters that stays in a step"),
    .init("consistency", 100, 0...1_000_000, "the weight of the squared distance from the average's predictions"),
    .init(epochs: "ramp", 5, 0...1_000_000, "epochs over which that weight rises"),
  ]

  private static let marvelParameters: [Parameter] = [
    .init(epochs: "patience", 5, 1...1_000_000, "epochs in a row with too small a margin that drop a sample"),
    .init(epochs: "warm", 10, 0...1_000_000, "epochs at the start that do not count"),
    .init("threshold", 0, -1...1, "margins of probabilities below this are too small"),
  ]
}

extension MethodChoice {
  /// The method, with its networks on the device.
  ///
  /// - Throws: what the device throws; `.configuration` if the network cannot take the images.
  public func make<D: Device>(_ setup: MethodSetup<D>) throws -> any Method<D> {
    switch entry.name {
    case "plain": try Plain(setup)
    case "mixup": try Mixup(setup, self)
    case "elr": try EarlyLearning(setup, self)
    case "car": try ConfidenceAdaptive(setup, self)
    case "rdi": try DistanceToStart(setup, self)
    case "aux": try AuxiliaryVariables(setup, self)
    case "self": try SelfEnsemble(setup, self)
    case MethodEntry.adaptiveLoss: try AdaptiveLoss(setup, self)
    case "co-teaching": try CoTeaching(setup, self)
    case MethodEntry.asymmetric:
      try findsClasses ? AsymmetricClusters(setup, self) : AsymmetricCoTeaching(setup, self)
    case "marvel", "marvel+": try Marvel(setup, self)
    case "mutual": try MutualLearning(setup, self)
    case MethodEntry.coTraining: try CoTraining(setup, self)
    case "grafting", "dgd": try FilterGrafting(setup, self)
    case MethodEntry.divideMix: try DivideMix(setup, self)
    default: preconditionFailure("the catalogue has \(entry.name), but nothing makes it")
    }
  }
}

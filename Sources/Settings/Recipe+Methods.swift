/// Protocols of training methods.
extension Recipe {
  static let earlyLearning: [Recipe] = {
    let source = "Liu et al. (ELR), NeurIPS 2020, arXiv:2007.00151; its code, shengliu66/ELR"
    func values(_ data: String, _ falls: String, epochs: Int, _ method: String) -> [Entry] {
      sgd(
        data, "resnet34", "ce", lr: "0.02", .at(falls), decay: "1e-3", epochs: epochs,
        [
          .init("method", method), .init("gamma", "0.01"), .init("val", "5000"), .init("val-noise", "on"),
        ])
    }
    let noises = "asymmetric:R,exact=class; symmetric:R,inclusive,exact"
    return [
      Recipe(
        name: "elr-cifar10", source: source, noise: noises,
        note: """
          The values for asymmetric noise. For symmetric noise the code has elr:momentum=0.7,lambda=3 and 150 epochs of a \
          cosine that restarts every 10; --schedule cosine falls once.
          """,
        origin: "code", values("cifar10", "40,80", epochs: 120, "elr:momentum=0.9,lambda=1")),
      Recipe(
        name: "elr-cifar100", source: source, noise: "symmetric:R,inclusive,exact",
        note: "The code's asymmetric noise turns each class into the next one.", origin: "code",
        values("cifar100", "80,120", epochs: 150, "elr:momentum=0.9,lambda=7")),
    ]
  }()

  static let confidenceAdaptive: [Recipe] = [
    Recipe(
      name: "car-cifar10",
      source: "Lu et al. (CAR), arXiv:2108.08212, by the code of their next paper (NAL, NeurIPS 2022), MacLLL/NAL",
      noise: "symmetric:R,inclusive,exact; asymmetric:R,exact=class",
      note: "The cosine restarts every 10 epochs there and falls to 1e-3; here it falls once, to 0.", origin: "code",
      sgd(
        "cifar10", "resnet34", "ce", lr: "0.02", .cosine, decay: "1e-3", batch: 64, epochs: 500,
        [.init("method", "car:lambda=10,beta=0,momentum=0.9,threshold=0,start=60,every=10")]))
  ]

  static let selfEnsemble: [Recipe] = [
    Recipe(
      name: "self-cifar10", source: "Nguyen et al. (SELF), ICLR 2020, arXiv:1910.01842, by others' code for it",
      noise: "symmetric:R,inclusive,exact; asymmetric:R,exact=class",
      note: """
        Rate, weight decay, averages and consistency are those of others' code, in which a round of up to 300 epochs ends by \
        the held-out accuracy, 62 of the 256 images of a batch have a label, and the network is ResNet-26 with shake-shake.
        """,
      origin: "others' code",
      sgd(
        "cifar10", "resnet32", "ce", lr: "0.05", .cosine, decay: "2e-4", batch: 256, epochs: 600,
        [
          .init("method", "self:every=200,momentum=0.9,decay=0.99,consistency=100,ramp=5"), .init("nesterov", "on"),
          .init("val", "5000"), .init("val-noise", "on"),
        ]))
  ]

  static let asymmetricCoTeaching: [Recipe] = [
    Recipe(
      name: "asymmetric-cifar10",
      source: "Yang et al., Asymmetric co-teaching, AAAI 2020, arXiv:1912.01349, read for given labels",
      noise: "symmetric:R; asymmetric:R",
      note: """
        Nobody has published values for it: the paper is about person re-identification, with ResNet-50, Adam at 6e-5, \
        batches of 64 and ten rounds of 30 epochs. The rounds and the share that counts are as there.
        """,
      origin: "own choice",
      sgd(
        "cifar10", "resnet20", "ce", lr: "0.05", .cosine, decay: "5e-4", epochs: 20,
        [
          .init("method", "asymmetric-co-teaching:labels=given,warm=10,every=5,neighbours=10,keep=0.2"),
          .init("nesterov", "on"),
        ]))
  ]

  static let mutualLearning: [Recipe] = [
    Recipe(
      name: "mutual-cifar100",
      source:
        "Zhang et al., Deep mutual learning, CVPR 2018, arXiv:1706.00384; chxy95/Deep-Mutual-Learning (unofficial)",
      noise: "",
      note: "The paper has batches of 64. With 'mutual:exchange=0' the same networks learn each on its own.",
      origin: "unofficial code",
      sgd(
        "cifar100", "resnet32", "ce", lr: "0.1", .at("60,120,180"), decay: "5e-4", batch: 256, epochs: 200,
        [.init("method", "mutual:members=2,exchange=1"), .init("nesterov", "on")]))
  ]

  static let filterGrafting: [Recipe] = {
    let source = "Meng et al., Filter grafting, CVPR 2020, arXiv:2001.05868; its code, fxmeng/filter-grafting"
    let note = """
      With networks at one rate; the code's better rows have --method grafting:rates=1 --schedule cosine, which falls with \
      every step there.
      """
    return ["cifar10", "cifar100"].map { data in
      Recipe(
        name: "grafting-\(data)", source: source, noise: "", note: note, origin: "code",
        sgd(
          data, "resnet32", "ce", lr: "0.1", .at("60,120,180"), decay: "5e-4", epochs: 200,
          [.init("method", "grafting:members=2,amplitude=0.4,steepness=500,rates=0")]))
    }
  }()

  static let divideMix: [Recipe] = {
    let source = "Li, Socher and Hoi (DivideMix), ICLR 2020, arXiv:2002.07394; its code, LiJunnan1992/DivideMix"
    func recipe(_ data: String, _ method: String, _ note: String) -> Recipe {
      Recipe(
        name: "dividemix-\(data)", source: source, noise: "symmetric:R,inclusive,exact; asymmetric:R",
        note: note + """
           Batches of 128 in the first epochs are two halves of 64 later. For asymmetric noise add penalty=1, for 90 % \
          threshold=0.6,history=5.
          """,
        origin: "code; the weights for each noise are remembered",
        sgd(
          data, "preact-resnet18", "ce", lr: "0.02", .at("150"), decay: "5e-4", epochs: 300,
          [.init("method", method)]))
    }
    return [
      recipe(
        "cifar10", "dividemix:warm=10,unlabelled=25",
        "The weight of unlabelled images is 0 at 20 %, 25 at 50 and 80 %, 50 at 90 %, 0 at 40 % asymmetric."),
      recipe(
        "cifar100", "dividemix:warm=30,unlabelled=150",
        "The weight of unlabelled images is 25 at 20 %, and 150 at 50, 80 and 90 %."),
    ]
  }()

  static let distillationAndGrafting: [Recipe] = ["cifar10", "cifar100"].map { data in
    Recipe(
      name: "dgd-\(data)",
      source:
        "Cheng et al., Filter grafting: reason, method, and cultivation, arXiv:2004.12311; filtergrafting/filter-grafting",
      noise: "",
      note: """
        Add --teacher with a run of a ResNet-56 that this protocol has trained with --method plain. The script has batches \
        of 128 and its second student half the rate.
        """,
      origin: "paper",
      sgd(
        data, "resnet32", "ce", lr: "0.1", .at("60,120,180"), decay: "5e-4", batch: 256, epochs: 200,
        [
          .init(
            "method", "dgd:members=2,temperature=2,weight=1,graft=1,amplitude=0.4,steepness=500,rates=0")
        ]))
  }
}

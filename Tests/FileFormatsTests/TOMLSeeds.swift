/// Documents that `FlatTOMLFuzzTests` damages.
enum TOMLSeeds {
  static let all: [[UInt8]] = [ofTraining, ofDetection, ofHand, ofHand, short].map { Array($0.utf8) }

  private static let short = "a = 1\nb = 'c' # d\n[e]\nf = [1, \"g\",\n 2.5,]\n"

  private static let ofHand = #"""
    # Written by hand: é, "quotes", [brackets].
    recipe = 'gce-cifar10'   # a comment
    "limit train" = +1_000
    seed = 18446744073709551615
    lr=1.5E-03

    [ data ]
    data = "C:\\data\t\"x\" \u00e9\U0001F600"
    noise = 'symmetric:0.4'
    milestones = [
      40, # the first
      80, -0.5e+2,
    ]
    ["an other"]
    flags = [true, false, [[1], [["deep"]]], 'no "escapes" \here', ]
    '' = -0.0
    """#

  /// The config.toml of `train --recipe gce-cifar10`.
  private static let ofTraining = """
    # Every setting of this run. To repeat it: gpunoisy train --config FILE

    [data]
    data = "cifar10"
    exclude-by = "drop"
    noise = "none"
    pixels = "none"
    val = "0.1"
    val-noise = true
    on-bad-image = "fail"

    [model]
    model = "resnet34"

    [loss]
    loss = "gce:q=0.7"
    transition = "none"
    method = "plain"

    [optimiser]
    epochs = 120
    batch-size = 128
    optimizer = "sgd"
    lr = 0.01
    momentum = 0.9
    nesterov = false
    beta1 = 0.9
    beta2 = 0.999
    weight-decay = 0.0001
    l1 = 0.0
    schedule = "step"
    milestones = [40, 80]
    gamma = 0.1
    clip-norm = 0.0

    [input]
    augment = "crop-flip"
    shuffle = true
    drop-last = false

    [device]
    device = "auto"
    precision = "fp32"

    [run]
    recipe = "gce-cifar10"
    seed = 1
    aum = true
    checkpoint-every = "1ep"
    """

  /// The config.toml of `detect`.
  private static let ofDetection = """
    # Every setting of this run. To repeat it: gpunoisy detect --config FILE

    [data]
    data = "shapes"
    exclude-by = "drop"
    noise = "none"
    pixels = "none"
    on-bad-image = "fail"

    [model]
    model = "resnet32"

    [loss]
    loss = "ce"

    [optimiser]
    epochs = 150
    batch-size = 64
    optimizer = "sgd"
    lr = 0.1
    momentum = 0.9
    nesterov = true
    beta1 = 0.9
    beta2 = 0.999
    weight-decay = 0.0001
    l1 = 0.0
    milestones = [150, 225]
    gamma = 0.1
    clip-norm = 0.0

    [input]
    shuffle = true
    drop-last = false

    [device]
    device = "auto"
    precision = "fp32"

    [run]
    seed = 1
    checkpoint-every = "1ep"

    [detect]
    detector = "aum"
    passes = 2
    percentile = 99.0
    combine = "intersection"
    margin = "logits"
    folds = 4
    cl-filter = "prune_by_noise_rate"
    cl-score = "self_confidence"
    keep-margins = false
    report = true
    """
}

/// One line of the table of values that PyTorch's autograd gives in double precision.
public struct LossVector: Sendable, CustomStringConvertible {
  /// The kernel of the loss.
  public let kernel: String
  /// The loss's parameters, in the order of its catalogue entry.
  public let parameters: [Double]
  /// The given label.
  public let label: Int
  /// The loss of the row.
  public let loss: Double
  /// Its derivative for each logit.
  public let gradient: [Double]
  /// What a loss that corrects labels reads [5, 5]; empty for others.
  public let matrix: [Double]

  /// The kernel, its parameters and the label.
  public var description: String { "\(kernel) \(parameters), label \(label)" }

  /// The logits of all lines.
  public static let logits = [1.2, -0.7, 0.3, 2.1, -1.5]

  init(
    _ kernel: String, _ parameters: [Double], _ label: Int, _ loss: Double, _ gradient: [Double],
    matrix: [Double] = []
  ) {
    self.kernel = "loss_\(kernel)_rows"
    self.parameters = parameters
    self.label = label
    self.loss = loss
    self.gradient = gradient
    self.matrix = matrix
  }

  /// log 1e-4, the value that official code puts in the place of log 0.
  private static let A = -9.210340371976182

  /// All lines.
  public static let all = ofEarlyLosses + ofProbability + ofRows + ofSums + ofCorrections

  private static let ofEarlyLosses: [LossVector] = [
    LossVector(
      "ce", [], 2, 2.3068190078, [0.2449211375, 0.0366325164, -0.9004224964, 0.6024087919, 0.0164600506]),
    LossVector(
      "ce", [], 3, 0.5068190078, [0.2449211375, 0.0366325164, 0.0995775036, -0.3975912081, 0.0164600506]),
    LossVector(
      "lsr", [0.1], 2, 2.3088190078, [0.2249211375, 0.0166325164, -0.8204224964, 0.5824087919, -0.0035399494]),
    LossVector(
      "lsr", [0.1], 3, 0.6888190078, [0.2249211375, 0.0166325164, 0.0795775036, -0.3175912081, -0.0035399494]),
    LossVector(
      "mae", [2], 2, 1.8008449929, [0.0487772709, 0.0072955491, -0.1793236487, 0.1199727272, 0.0032781015]),
    LossVector(
      "mae", [2], 3, 0.7951824162, [0.2950852932, 0.0441354999, 0.1199727272, -0.4790248787, 0.0198313584]),
    LossVector(
      "rce", [-4], 2, 3.6016899858, [0.0975545418, 0.0145910981, -0.3586472974, 0.2399454545, 0.0065562030]),
    LossVector(
      "rce", [-4], 3, 1.5903648324, [0.5901705863, 0.0882709997, 0.2399454545, -0.9580497574, 0.0396627169]),
    LossVector(
      "rce", [A], 2, 8.2931976708, [0.2246276337, 0.0335972450, -0.8258159206, 0.5524948266, 0.0150962153]),
    LossVector(
      "rce", [A], 3, 3.6619503555, [1.3589179944, 0.2032514881, 0.5524948266, -2.2059910897, 0.0913267806]),
    LossVector(
      "sce", [0.1, 1, -4], 2, 3.8323718866, [0.1220466555, 0.0182543497, -0.4486895470, 0.3001863337, 0.0082022081]),
    LossVector(
      "sce", [0.1, 1, -4], 3, 1.6410467332, [0.6146627001, 0.0919342513, 0.2499032048, -0.9978088782, 0.0413087219]),
    LossVector(
      "sce", [0.1, 1, A], 2, 8.5238795716, [0.2491197474, 0.0372604966, -0.9158581702, 0.6127357058, 0.0167422204]),
    LossVector(
      "sce", [0.1, 1, A], 3, 3.7126322563, [1.3834101082, 0.2069147397, 0.5624525770, -2.2457502105, 0.0929727856]),
    LossVector(
      "sce", [6, 0.1, A], 2, 14.6702338139, [1.4919895887, 0.2231548227, -5.4851165707, 3.6697022341, 0.1002699253]),
    LossVector(
      "sce", [6, 0.1, A], 3, 3.4071090824, [1.6054186247, 0.2401202470, 0.6527145040, -2.6061463575, 0.1078929818]),
    LossVector(
      "gce", [0.7, 0], 2, 1.1443774815, [0.0487235734, 0.0072875176, -0.1791262363, 0.1198406526, 0.0032744927]),
    LossVector(
      "gce", [0.7, 0], 3, 0.4266679808, [0.1717711325, 0.0256915711, 0.0698369309, -0.2788436015, 0.0115439670]),
    LossVector(
      "agce", [0.6, 0.6], 2, 0.8645493972, [0.0281354048, 0.0042081736, -0.1034363619, 0.0692019292, 0.0018908543]),
    LossVector(
      "agce", [0.6, 0.6], 3, 0.3480631654, [0.1370555770, 0.0204992134, 0.0557226393, -0.2224883200, 0.0092108903]),
    LossVector(
      "aul", [5.5, 3], 2, 22.1253209602, [0.7112838983, 0.1063857506, -2.6149479373, 1.7494760893, 0.0478021991]),
    LossVector(
      "aul", [5.5, 3], 3, 8.7835266662, [3.5390168851, 0.5293258689, 1.4388568908, -5.7450410892, 0.2378414444]),
    LossVector(
      "ael", [2.5], 2, 0.9609518249, [0.0093745215, 0.0014021342, -0.0344642775, 0.0230576022, 0.0006300195]),
    LossVector(
      "ael", [2.5], 3, 0.7858702970, [0.0463797534, 0.0069369557, 0.0188566006, -0.0752902847, 0.0031169751]),
    LossVector(
      "peer", [0.5, 1e-5], 2, 2.3067185886, [0.2448965440, 0.0366288379, -0.9003320812, 0.6023483015, 0.0164583978]),
    LossVector(
      "peer", [0.5, 1e-5], 3, 0.5068024079, [0.2449170719, 0.0366319083, 0.0995758506, -0.3975846082, 0.0164597774]),
  ]
}

/// The batch of the peer loss's golden vector: K = 3, B = 4, α = 0.5, ε = 1e-5.
public struct PeerBatch: Sendable {
  /// The first batch.
  public let logits = [[2, 0.1, -1], [0.2, 1.5, 0], [-0.5, 0.3, 1.1], [1, 0.8, -0.2]]
  /// Its labels.
  public let labels = [0, 1, 2, 1]
  /// The batch of the peer pass.
  public let peerLogits = [[0.4, -0.3, 0.9], [1, 0, -1], [0, 0.7, 0.2], [-0.6, 0.1, 0.5]]
  /// Its labels.
  public let peerLabels = [1, 0, 0, 2]
  /// The derivative of the loss for the first batch's logits.
  public let gradient = [
    [-0.0415542484, 0.0311764948, 0.0103777536], [0.0455530269, -0.0828486910, 0.0372956640],
    [0.0305671737, 0.0680284961, -0.0985956697], [0.1179256488, -0.1534441717, 0.0355185229],
  ]
  /// The derivative of the loss for the peer batch's logits.
  public let peerGradient = [
    [-0.0397392369, 0.1052581621, -0.0655189252], [0.0418442515, -0.0305905990, -0.0112536525],
    [0.0954811011, -0.0594331023, -0.0360479988], [-0.0207708847, -0.0418274253, 0.0625983100],
  ]
  /// The loss.
  public let loss = -0.0396466510

  /// The batch.
  public init() {}
}

/// A batch of determinant loss, with a guard of 1e-3.
public struct DeterminantBatch: Sendable {
  /// The batch, which is that of peer loss.
  public let logits = PeerBatch().logits
  /// Its labels.
  public let labels = [0, 1, 2, 1]
  /// The loss of the batch.
  public let loss = 0.8565496270
  /// Its derivative for each logit.
  public let gradient = [
    [-0.2668893072, 0.2302633015, 0.0366260057], [0.1524085109, -0.3289804747, 0.1765719638],
    [0.1241320323, 0.4097101872, -0.5338422195], [0.2187530954, -0.3339634121, 0.1152103167],
  ]

  /// The batch.
  public init() {}
}

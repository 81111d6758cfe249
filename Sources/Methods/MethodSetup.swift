import Compute
import Datasets
import Failures
import Networks
import Sessions

/// What a method is made from: the settings of its networks, and the data on the device.
public struct MethodSetup<D: Device> {
  /// What networks have in common.
  public var session: TrainingSession<D>.Settings
  /// The images to train on, with the labels that they were given.
  public let train: DeviceData<D>
  /// The test set, or what was held out in its place.
  public let test: DeviceData<D>?
  /// What was held out besides a test set.
  public let heldOut: DeviceData<D>?
  /// Classes, K.
  public let classes: Int
  /// Their names [K], by which a file of a transition matrix is read.
  public let classNames: [String]
  /// How much each sample counts [N]; nil where all count alike.
  public let weights: [Float]?
  /// Of the inputs.
  public let normalization: Normalization
  /// Where the transition matrix of a loss that corrects labels comes from.
  public let transition: TransitionSource?
  /// Samples whose labels are known to be right, and which are not trained on; nil where none were asked for.
  public let trusted: TrustedSamples?
  /// Samples of the training set that nobody gave a label: not those that are held out or left out.
  public let unlabelled: [Int32]
  /// Trained networks to learn from, of the same classes and images.
  public let teachers: [Teacher]
  /// Whether margins are to be recorded for the area under the margin.
  public let recordsMargins: Bool
  /// The only stage of most methods.
  public let stage: Stage

  /// A setup; see the properties.
  public init(
    session: TrainingSession<D>.Settings, train: DeviceData<D>, test: DeviceData<D>?, heldOut: DeviceData<D>?,
    classes: Int, weights: [Float]?, normalization: Normalization, transition: TransitionSource?, recordsMargins: Bool,
    stage: Stage, trusted: TrustedSamples? = nil, teachers: [Teacher] = [],
    unlabelled: [Int32] = [], classNames: [String]? = nil
  ) {
    (self.session, self.train, self.test, self.heldOut) = (session, train, test, heldOut)
    (self.classes, self.weights, self.normalization) = (classes, weights, normalization)
    (self.transition, self.recordsMargins, self.stage) = (transition, recordsMargins, stage)
    (self.trusted, self.teachers, self.unlabelled) = (trusted, teachers, unlabelled)
    self.classNames = classNames ?? (0..<classes).map(String.init)
  }

  /// A member of a method whose members may have networks of their own (`MethodChoice.memberNetworks`).
  ///
  /// - Parameter network: its network; nil for that of `--model`.
  /// - Throws: `.configuration` that names the method where the network cannot take the images.
  func member(_ number: Int, network: Network?, of choice: MethodChoice) throws -> TrainingSession<D> {
    guard let network, network != session.network else { return try member(number) }
    var setup = self
    setup.session.network = network
    do {
      return try setup.member(number)
    } catch let failure as Failure where failure.kind == .configuration {
      throw Failure(
        .configuration, "--method \(choice.entry.name):with=\(choice.text("with")): \(failure.what)", why: failure.why,
        fix: "use another network after with=, or another --image-size.")
    }
  }

  /// A network that has memory and first weights; its steps are still to be prepared.
  ///
  /// - Parameters:
  ///   - number: its number among those of the method, by which first weights differ.
  ///   - columns: what the method adds to the per-sample table.
  ///   - hasIndicator: whether the network has a second head (`Graph.withIndicator`).
  ///   - labels: the labels [N] to train on; nil for those that the images were given.
  ///   - evaluates: whether its outputs say anything of the test set.
  ///   - hasOwnBatches: whether its order of samples and its crops differ from those of the other networks, too.
  public func member(
    _ number: Int = 0, columns: [Column] = [], hasIndicator: Bool = false, hasOwnBatches: Bool = false,
    labels: [Int32]? = nil, evaluates: Bool = true
  ) throws -> TrainingSession<D> {
    var settings = session
    (settings.member, settings.columns, settings.hasIndicator) = (number, columns, hasIndicator)
    if hasOwnBatches { (settings.seed, settings.member) = (settings.memberSeed, 0) }
    return try TrainingSession(
      settings, train: train, labels: labels, test: evaluates ? test : nil, heldOut: evaluates ? heldOut : nil,
      classes: classes, weights: weights,
      normalization: normalization)
  }

  /// Whether margins of an epoch count: those of the first show random weights (Pleiss et al.).
  func recordsMargins(_ epoch: Int) -> Bool { recordsMargins && epoch > 0 }
}

import Compute
import FileFormats
import Sessions

/// One network that is pulled back to where it started (RDI).
///
/// The objective is Σ ℓ_i + λ²/2 ‖θ − θ₀‖², over all N samples: beside the mean over a batch the pull is
/// (λ²/N) (θ − θ₀). It covers every parameter, those of batch norm among them, and no running statistics. Over a run of T
/// epochs at the rate η with batches of B it adds up to about λ² η T / B, which is why λ follows the epochs.
/// - Source: Hu, Li and Yu, "Simple and effective regularization methods for training on noisily labeled data with
///   generalization guarantee", ICLR 2020, arXiv:1905.11368; no code of theirs could be read.
final class DistanceToStart<D: Device>: Method {
  let figures: [Figure]
  private let plain: Plain<D>, anchor: D.Buffer, isPulledToStart: Bool
  /// The parameters before the first step, in their packed order; nil before it.
  private var start: [Float]?

  var members: [TrainingSession<D>] { plain.members }
  var stages: [Stage] { plain.stages }

  init(_ setup: MethodSetup<D>, _ choice: MethodChoice) throws {
    let member = try setup.member(), lambda = choice["lambda"]
    anchor = try member.device.allocate(byteCount: 4 * member.parameters.packedCount)
    plain = try Plain(
      setup, member, lent: [.anchor: anchor],
      numbers: [Float(lambda * lambda / Double(max(member.sampleIDs.count, 1)))]
    ) { $0.flat(.pull(slot: 0)) }
    (figures, isPulledToStart) = (choice.entry.figures, choice["anchor"] == 1)
  }

  func begin(_ epoch: EpochStart) throws -> [Int] {
    // Not when the network is made: `--init` replaces its weights later.
    if start == nil { try begin(at: parameters()) }
    return try plain.begin(epoch)
  }

  private func begin(at parameters: [Float]) throws {
    start = parameters
    let zeros = [Float](repeating: 0, count: parameters.count)
    try members[0].device.write(isPulledToStart ? parameters : zeros, to: anchor)
  }

  private func parameters() throws -> [Float] {
    let member = members[0]
    return try member.device.read(Float.self, count: member.parameters.packedCount, from: member.buffer(.parameters))
  }

  /// How far the parameters have come, as a part of where they started: ‖θ − θ₀‖ / ‖θ₀‖.
  func finish(_ epoch: EpochEnd) throws -> EpochOutcome {
    guard let start else { return EpochOutcome(figures: [nil]) }
    func square(_ values: some Sequence<Double>) -> Double { values.reduce(0) { $0 + $1 * $1 } }
    let moved = square(zip(try parameters(), start).lazy.map { Double($0) - Double($1) })
    return EpochOutcome(figures: [(moved / square(start.lazy.map(Double.init))).squareRoot()])
  }

  private static var prefix: String { "state.anchor." }

  func store(in file: inout SafetensorsFile) {
    guard let start else { return }
    file.store(start, of: members[0].parameters, prefix: Self.prefix)
  }

  func restore(from file: SafetensorsFile) throws {
    try begin(at: file.packed(members[0].parameters, prefix: Self.prefix))
  }
}

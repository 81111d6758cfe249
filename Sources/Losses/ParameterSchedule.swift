/// The value of a parameter over the epochs of a run: one number, or points between which it goes in straight lines.
///
/// `0.5` is a number; `0@20/1@40/1.5@40/2@90` is 0 up to epoch 20, rises to 1 at epoch 40, goes on from 1.5 there, and
/// stays at 2 from epoch 90 on. Epochs count from 0.
public struct ParameterSchedule: Sendable, Equatable {
  /// A value and the epoch at which it is reached.
  public struct Point: Sendable, Equatable {
    /// From 0.
    public let epoch: Int
    /// The parameter there.
    public let value: Float
  }

  /// At least one; their epochs never fall.
  public let points: [Point]

  /// The same value in every epoch.
  public init(_ value: Float) { self.init([Point(epoch: 0, value: value)]) }

  private init(_ points: [Point]) { self.points = points }

  /// As many as a run can have.
  private static let mostEpochs = 1_000_000

  /// Reads a number, or values with their epochs; nil if the text is neither.
  public init?(_ text: String) {
    if let value = Float(text) {
      self.init(value)
      return
    }
    var points: [Point] = []
    for item in text.split(separator: "/", omittingEmptySubsequences: false) {
      let pair = item.split(separator: "@", omittingEmptySubsequences: false)
      guard pair.count == 2, let value = Float(pair[0]), let epoch = Int(pair[1]),
        epoch >= points.last?.epoch ?? 0, epoch <= Self.mostEpochs
      else { return nil }
      points.append(Point(epoch: epoch, value: value))
    }
    guard !points.isEmpty else { return nil }
    self.init(points)
  }

  /// The same values at a share of the epochs; a point after epoch 0 stays after it.
  func scaled(by share: Double) -> ParameterSchedule {
    ParameterSchedule(
      points.map {
        Point(
          epoch: $0.epoch == 0 ? 0 : max(1, Int(min((Double($0.epoch) * share).rounded(), Double(Self.mostEpochs)))),
          value: $0.value)
      })
  }

  /// Other values at the same epochs.
  func mapped(_ change: (Float) -> Float) -> ParameterSchedule {
    ParameterSchedule(points.map { Point(epoch: $0.epoch, value: change($0.value)) })
  }

  /// The value of epoch `epoch`, from 0; of two points at one epoch the later counts from there on.
  public func value(epoch: Int) -> Float {
    guard let next = points.firstIndex(where: { $0.epoch > epoch }) else { return points[points.count - 1].value }
    guard next > 0 else { return points[0].value }
    let (before, after) = (points[next - 1], points[next])
    let share = Float(epoch - before.epoch) / Float(after.epoch - before.epoch)
    return before.value + share * (after.value - before.value)
  }
}

extension ParameterSchedule: CustomStringConvertible {
  /// The text that `init` reads.
  public var description: String {
    points.count == 1
      ? Self.text(points[0].value) : points.map { "\(Self.text($0.value))@\($0.epoch)" }.joined(separator: "/")
  }

  static func text(_ value: Float) -> String {
    value == value.rounded() && abs(value) < 1e7 ? "\(Int(value))" : "\(value)"
  }
}

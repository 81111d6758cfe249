import Compute

extension OperationCase {
  private static let gammaAt = 16

  private static func betaAt(_ C: Int) -> Int { gammaAt + Parameter.padded(C) }

  /// Batch statistics in values 10 and 11, with running statistics that do not lie at the beginning.
  static func statistics(
    C: Int, epsilon: Float = BatchNorm.epsilon, isConstant: Bool = false
  ) -> BatchStatistics {
    BatchStatistics(
      mean: value(10), inverse: value(11), runningMean: 16, runningVariance: 32 + Parameter.padded(C),
      epsilon: epsilon, isConstant: isConstant)
  }

  private static func running(C: Int) -> Content {
    let padded = Parameter.padded(C)
    var values = [Float](repeating: 7, count: 32 + 2 * padded + margin)
    for c in 0..<padded {
      values[16 + c] = c < C ? Float(c % 5) - 1.5 : 0
      values[32 + padded + c] = c < C ? 0.5 + Float(c % 7) : 0
    }
    return .floats(values)
  }

  /// Statistics that an operation writes; their padding is the device's own.
  static func addWritten(C: Int, to contents: inout [Operand: Content], _ meaningful: inout [Operand: [Range<Int>]]) {
    for index in [10, 11] {
      contents[operand(index)] = .nothing(Parameter.padded(C))
      meaningful[operand(index)] = [0..<C]
    }
    contents[.store(.running)] = running(C: C)
  }

  /// Statistics that an operation reads.
  private static func addGiven(C: Int, to contents: inout [Operand: Content]) {
    contents[operand(10)] = .normal(Parameter.padded(C), mean: 0.3, deviation: 0.5)
    contents[operand(11)] = .positive(Parameter.padded(C))
    contents[.store(.parameters)] = .parameters(
      betaAt(C) + Parameter.padded(C) + margin,
      [Packed(offset: gammaAt, outputs: C, inputs: 1), Packed(offset: betaAt(C), outputs: C, inputs: 1)])
  }

  /// - Parameter mean: the data's; far from 0, naive sums of squares lose their digits.
  static func batchStatistics(
    M: Int, C: Int, mean: Float = 0, epsilon: Float = BatchNorm.epsilon
  ) -> OperationCase {
    var contents: [Operand: Content] = [operand(0): .normal(M * C, mean: mean)]
    var meaningful: [Operand: [Range<Int>]] = [:]
    addWritten(C: C, to: &contents, &meaningful)
    return OperationCase(
      .batchStatistics(
        TakeBatchStatistics(M: M, C: C, input: value(0), statistics: statistics(C: C, epsilon: epsilon))),
      shape: text([M, C]) + (mean == 0 ? "" : ", mean \(Int(mean))") + text(epsilon: epsilon), contents: contents,
      meaningful: meaningful)
  }

  private static func text(epsilon: Float) -> String {
    epsilon == BatchNorm.epsilon ? "" : ", epsilon \(epsilon)"
  }

  static func inferenceStatistics(C: Int, epsilon: Float = BatchNorm.epsilon) -> OperationCase {
    var contents: [Operand: Content] = [:], meaningful: [Operand: [Range<Int>]] = [:]
    addWritten(C: C, to: &contents, &meaningful)
    return OperationCase(
      .inferenceStatistics(TakeRunningStatistics(C: C, statistics: statistics(C: C, epsilon: epsilon))),
      shape: "\(C)" + text(epsilon: epsilon), contents: contents, meaningful: meaningful)
  }

  private static func text(rectify: Bool, limit: Float) -> String {
    !rectify ? "" : limit == .infinity ? "rectify" : "rectify, limit \(limit)"
  }

  static func normalize(
    M: Int, C: Int, residual: Bool, rectify: Bool, limit: Float = .infinity
  ) -> OperationCase {
    var contents: [Operand: Content] = [operand(0): .normal(M * C), operand(1): written(M * C)]
    if residual { contents[operand(2)] = .normal(M * C) }
    addGiven(C: C, to: &contents)
    return OperationCase(
      .normalize(
        Normalize(
          M: M, C: C, input: value(0), statistics: statistics(C: C), gammaAt: gammaAt, betaAt: betaAt(C),
          residual: residual ? value(2) : nil, rectify: rectify, limit: limit, output: value(1))),
      shape: [text([M, C]), residual ? "residual" : "", text(rectify: rectify, limit: limit)].filter { !$0.isEmpty }
        .joined(separator: ", "), contents: contents)
  }

  /// Where the gradient of a residual goes.
  enum ResidualGradient: CaseIterable { case none, inPlace, apart }

  /// - Parameter limit: of the ReLU, `.infinity` for one without a limit; nil without a ReLU.
  static func normalizeBackward(
    M: Int, C: Int, residual: ResidualGradient, limit: Float?, accumulate: Bool, isConstant: Bool = false
  ) -> OperationCase {
    let rectify = limit != nil, limit = limit ?? .infinity
    let gradients = betaAt(C) + Parameter.padded(C) + margin
    var contents: [Operand: Content] = [
      operand(0): .normal(M * C), operand(1): .rectified(M * C, limit: limit), operand(2): .normal(M * C),
      operand(3): written(M * C), .store(.gradients): accumulate ? .normal(gradients) : .nothing(gradients),
    ]
    if residual == .apart { contents[operand(4)] = written(M * C) }
    addGiven(C: C, to: &contents)
    let words = [
      text([M, C]), ["", "residual in place", "residual"][ResidualGradient.allCases.firstIndex(of: residual) ?? 0],
      text(rectify: rectify, limit: limit), accumulate ? "accumulate" : "", isConstant ? "constant" : "",
    ]
    return OperationCase(
      .normalizeBackward(
        NormalizeBackward(
          M: M, C: C, doutput: value(0), output: value(1), input: value(2),
          statistics: statistics(C: C, isConstant: isConstant), gammaAt: gammaAt, betaAt: betaAt(C), rectify: rectify,
          limit: limit, dinput: value(3),
          dresidual: residual == .none ? nil : value(residual == .inPlace ? 0 : 4), accumulate: accumulate)),
      shape: words.filter { !$0.isEmpty }.joined(separator: ", "), contents: contents)
  }

  static let batchNorms: [OperationCase] = {
    let shapes = [
      (2048, 16), (512, 32), (128, 64), (98, 64), (1, 5), (3, 1), (7, 3), (513, 17), (1024, 10), (1025, 33), (1537, 48),
    ]
    // ReLU6, with a limit that random numbers reach, and another epsilon.
    let limited = shapes.filter { $0.0 % 2 == 1 }.flatMap { M, C in
      [
        normalize(M: M, C: C, residual: false, rectify: true, limit: 1),
        normalizeBackward(M: M, C: C, residual: .none, limit: 1, accumulate: false),
        normalizeBackward(M: M, C: C, residual: .apart, limit: 1, accumulate: true),
        normalizeBackward(M: M, C: C, residual: .none, limit: 1, accumulate: false, isConstant: true),
        normalizeBackward(M: M, C: C, residual: .apart, limit: .infinity, accumulate: true, isConstant: true),
        normalizeBackward(M: M, C: C, residual: .none, limit: nil, accumulate: false, isConstant: true),
        batchStatistics(M: M, C: C, epsilon: 1e-3),
      ]
    }
    return [1, 5, 16, 33].map { inferenceStatistics(C: $0) } + [inferenceStatistics(C: 17, epsilon: 1e-3)] + limited
      + shapes.flatMap { M, C in
        [batchStatistics(M: M, C: C), batchStatistics(M: M, C: C, mean: 100)]
          + [(false, false), (false, true), (true, false), (true, true)].map {
            normalize(M: M, C: C, residual: $0, rectify: $1)
          }
          + ResidualGradient.allCases.flatMap { residual in
            [(false, false), (false, true), (true, false), (true, true)].map {
              normalizeBackward(M: M, C: C, residual: residual, limit: $0 ? .infinity : nil, accumulate: $1)
            }
          }
      }
  }()
}

import Compute

/// Everything of a session that a checkpoint keeps, in PyTorch's names and order of axes.
public struct SessionState: Sendable {
  /// A named tensor.
  public struct Tensor: Sendable {
    /// What `Device.name` asks for.
    public var name: String
    /// PyTorch's shape.
    public var shape: [Int]
    /// The elements in PyTorch's order.
    public var values: [Float]

    /// A tensor with its name.
    public init(name: String, shape: [Int], values: [Float]) {
      self.name = name
      self.shape = shape
      self.values = values
    }
  }

  /// What is learned, and the momenta in the same order; with Adam the means of the gradients.
  public var parameters: [Tensor], momenta: [Tensor]
  /// Adam's means of squared gradients; nil with another optimiser.
  public var secondMoments: [Tensor]?
  /// Batch norm's running means and variances.
  public var running: [Tensor]
  /// The per-sample table, by sample id.
  public var marginSum: [Float], marginLost: [Float], marginCount: [Int32]
  public var sampleLoss: [Float], samplePrediction: [Int32]
  /// What a loss that corrects labels reads [K, K]; nil for other losses.
  public var transition: [Float]?
  /// The columns that the training method has added.
  public var columns: [ColumnValues]

  /// A state; see the properties.
  public init(
    parameters: [Tensor], momenta: [Tensor], secondMoments: [Tensor]? = nil, running: [Tensor], marginSum: [Float],
    marginLost: [Float], marginCount: [Int32], sampleLoss: [Float], samplePrediction: [Int32],
    transition: [Float]? = nil, columns: [ColumnValues] = []
  ) {
    (self.parameters, self.momenta, self.secondMoments, self.running) = (parameters, momenta, secondMoments, running)
    (self.marginSum, self.marginLost, self.marginCount) = (marginSum, marginLost, marginCount)
    (self.sampleLoss, self.samplePrediction) = (sampleLoss, samplePrediction)
    (self.transition, self.columns) = (transition, columns)
  }
}

extension TrainingSession {
  /// Reads the whole state.
  ///
  /// Waits.
  public func readState() throws -> SessionState {
    func column<Element: BitwiseCopyable>(_ store: Store, _ type: Element.Type) throws -> [Element] {
      try device.read(type, count: sampleCount, from: stores[store]!)
    }
    return SessionState(
      parameters: try read(parameters, .parameters), momenta: try read(parameters, .momenta),
      secondMoments: settings.optimizer.kind == .adam ? try read(parameters, .secondMoments) : nil,
      running: try read(running, .running), marginSum: try column(.marginSum, Float.self),
      marginLost: try column(.marginLost, Float.self), marginCount: try column(.marginCount, Int32.self),
      sampleLoss: try column(.sampleLoss, Float.self), samplePrediction: try column(.samplePrediction, Int32.self),
      transition: try stores[.transition].map { try device.read(Float.self, count: classes * classes, from: $0) },
      columns: try readColumns())
  }

  /// Puts a whole state back; its tensors must have this network's names and shapes.
  public func write(_ state: SessionState) throws {
    try write(state.parameters, parameters, .parameters)
    try write(state.momenta, parameters, .momenta)
    if settings.optimizer.kind == .adam, let moments = state.secondMoments {
      try write(moments, parameters, .secondMoments)
    }
    try write(state.running, running, .running)
    try device.write(state.marginSum, to: stores[.marginSum]!)
    try device.write(state.marginLost, to: stores[.marginLost]!)
    try device.write(state.marginCount, to: stores[.marginCount]!)
    try device.write(state.sampleLoss, to: stores[.sampleLoss]!)
    try device.write(state.samplePrediction, to: stores[.samplePrediction]!)
    if let store = stores[.transition], let transition = state.transition { try device.write(transition, to: store) }
    try write(state.columns)
  }

  /// Reads the weights and the running statistics alone.
  ///
  /// Waits.
  public func readWeights() throws -> (parameters: [SessionState.Tensor], running: [SessionState.Tensor]) {
    (try read(parameters, .parameters), try read(running, .running))
  }

  /// Replaces the weights, and the running statistics if there are any, alone.
  public func writeWeights(parameters given: [SessionState.Tensor], running statistics: [SessionState.Tensor]?) throws {
    try write(given, parameters, .parameters)
    if let statistics { try write(statistics, running, .running) }
  }

  private func read(_ table: ParameterTable, _ store: Store) throws -> [SessionState.Tensor] {
    let packed = try device.read(Float.self, count: table.packedCount, from: stores[store]!)
    return zip(table.entries, table.unpack(packed)).map {
      SessionState.Tensor(name: $0.name, shape: $0.shape, values: $1)
    }
  }

  private func write(_ tensors: [SessionState.Tensor], _ table: ParameterTable, _ store: Store) throws {
    precondition(tensors.map(\.name) == table.entries.map(\.name), "the tensors are not this network's")
    try device.write(table.pack(tensors.map(\.values)), to: stores[store]!)
  }
}

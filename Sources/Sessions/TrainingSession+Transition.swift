import Statistics

extension TrainingSession {
  /// Corrects labels by another transition matrix from the next step on; that of no noise is what a session begins with,
  /// and makes a loss that corrects labels cross entropy.
  ///
  /// Does nothing for a loss that corrects none.
  ///
  /// - Throws: `.configuration` for a matrix that the loss cannot use.
  public func correct(by matrix: TransitionMatrix) throws {
    guard let correction = settings.loss.correction, let store = stores[.transition] else { return }
    precondition(matrix.classCount == classes, "a matrix of \(matrix.classCount) classes for \(classes)")
    switch correction {
    case .matrix: try device.write(matrix.values.map { Float($0) }, to: store)
    case .inverse: try device.write(TransitionSource.inverse(of: matrix).map { Float($0) }, to: store)
    }
  }
}

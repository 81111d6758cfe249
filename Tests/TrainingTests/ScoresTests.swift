import Testing
import Training

@Suite struct `The score of an epoch` {
  /// Of four samples 0 and 1 have their true label, 2 and 3 a wrong one; 0 and 2 and 3 are predicted as given.
  private let results: (losses: [Float], predictions: [Int32]) = ([0.5, 2, 0.25, 1.25, 99], [0, 2, 1, 2, 0])
  private let given: [Int32] = [0, 1, 1, 2, 0], truth: [Int32] = [0, 1, 2, 0, 0]

  @Test func `tells right labels from wrong ones`() {
    let score = TrainingScore([3, 0, 2, 1], results, given: given, true: truth)
    #expect(score.loss == 1 && score.accuracy == 0.75)
    #expect(score.cleanAccuracy == 0.5 && score.wrongAccuracy == 1)
  }

  @Test func `is that of the samples of the epoch alone`() {
    let right = TrainingScore([0, 1], results, given: given, true: truth)
    #expect(right.loss == 1.25 && right.accuracy == 0.5)
    #expect(right.cleanAccuracy == 0.5 && right.wrongAccuracy == nil)
    let wrong = TrainingScore([2], results, given: given, true: truth)
    #expect(wrong.loss == 0.25 && wrong.accuracy == 1)
    #expect(wrong.cleanAccuracy == nil && wrong.wrongAccuracy == 1)
  }

  @Test func `knows nothing of right and wrong without true labels, nor of no samples`() {
    let score = TrainingScore([0, 1, 2, 3], results, given: given, true: nil)
    #expect(score.accuracy == 0.75 && score.cleanAccuracy == nil && score.wrongAccuracy == nil)
    let none = TrainingScore([], results, given: given, true: truth)
    #expect(none.loss == 0 && none.accuracy == 0 && none.cleanAccuracy == nil && none.wrongAccuracy == nil)
  }
}

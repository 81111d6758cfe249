import Datasets
import Testing
import Training

@Suite struct `Noise and what is held out` {
  private func data(_ validationNoise: Bool) throws -> RunData {
    var settings = RunSettings()
    (settings.data, settings.limitTrain, settings.limitTest) = ("shapes", 400, 20)
    (settings.noise, settings.validation, settings.validationNoise) = (
      try Noise("symmetric:0.5,exact"), .count(100), validationNoise
    )
    return try RunData(settings)
  }

  @Test func `keep apart unless noise is asked for there, too`() throws {
    let clean = try data(false), noisy = try data(true)
    let right = try #require(clean.heldOut), wrong = try #require(noisy.heldOut)
    #expect(right.images.pixels == wrong.images.pixels, "the same samples are held out")
    #expect(right.trueLabels == nil || right.labels == right.trueLabels)
    // Of 400 labels exactly half are wrong, and of the 100 that are held out about as many.
    let differences = zip(right.labels, wrong.labels).count { $0 != $1 }
    #expect((30...70).contains(differences))
    #expect(wrong.trueLabels == right.labels)
    let inTraining = zip(noisy.dataset.train.labels, try #require(noisy.dataset.train.trueLabels))
    #expect(inTraining.count { $0 >= 0 && $0 != $1 } == 200 - differences)
  }
}

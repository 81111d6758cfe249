import Failures
import Testing
import Training

@Suite struct `Recipes` {
  @Test(arguments: Recipe.catalogue.map(\.name))
  func `set what they say, and nothing that is out of range`(name: String) throws {
    let recipe = try Recipe(named: name)
    var settings = RunSettings()
    // Other than every recipe's, so that a value which is not set shows.
    (settings.epochs, settings.batchSize, settings.learningRate, settings.gamma) = (1, 2, 3, 0.5)
    try recipe.apply(to: &settings)
    try settings.validate()
    var again = RunSettings()
    try recipe.apply(to: &again)
    #expect(settings == again)
    #expect(settings.data == (name.hasSuffix("cifar100") ? "cifar100" : "cifar10"))
    // Milestones beyond the end would never come.
    #expect(settings.milestones.allSatisfy { $0 < settings.epochs })
    let lines = try recipe.lines(inForce: settings)
    #expect(recipe.values.allSatisfy { value in lines.contains { $0.hasPrefix("  \(value.name) = \(value.text)") } })
    #expect(!lines.contains { $0.hasSuffix("given") } && !recipe.source.isEmpty && !recipe.note.isEmpty)
    #expect(Set(recipe.values.map(\.name)).count == recipe.values.count)
  }

  @Test func `AUM's is what train does by itself, and SCE's has the published values`() throws {
    var aum = RunSettings(), sce = RunSettings()
    try Recipe(named: "aum-cifar10").apply(to: &aum)
    var defaults = RunSettings()
    (defaults.data, defaults.validation, defaults.augment) = ("cifar10", "5000", .cropFlip)
    #expect(aum == defaults)
    try Recipe(named: "sce-cifar10").apply(to: &sce)
    #expect(sce.loss == "sce:alpha=0.1,beta=1,A=-4" && sce.epochs == 120 && sce.milestones == [40, 80])
    #expect(sce.learningRate == 0.01 && sce.batchSize == 128 && !sce.nesterov && sce.weightDecay == 1e-4)
  }

  @Test func `point out what was replaced, and refuse unknown names`() throws {
    let recipe = try Recipe(named: "gce-cifar10")
    var settings = RunSettings()
    try recipe.apply(to: &settings)
    settings.epochs = 3
    let lines = try recipe.lines(inForce: settings).filter { $0.hasSuffix("replaced by what was given") }
    #expect(lines == ["  epochs = 120  replaced by what was given"])
    #expect { try Recipe(named: "nosuch") } throws: { ($0 as? Failure)?.kind == .usage }
  }
}

import FileFormats
import Reports
import Settings

extension RunSettings {
  /// The settings of a run to look at what it left, with the run's own copy of the verdicts that it was given, where it has
  /// one, and without arrays of other programs: what these said is in its folder.
  public func takingVerdicts(keptIn run: String) -> RunSettings {
    var settings = self
    (settings.detection.predictedProbabilities, settings.detection.features) = (nil, nil)
    let copy = run + "/" + RunFolder.earlierVerdictsName
    if detection.verdicts != nil, FileBytes.kind(of: copy) == .file { settings.detection.verdicts = copy }
    return settings
  }
}

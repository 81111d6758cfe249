import Failures

/// How the folders right below a data set are to be read: as classes, or as parts with classes below them.
///
/// A folder is a part by its name (`SplitPart`). One alone beside other folders is a class, as `train` beside `bus` and
/// `car` is; parts come in twos, or alone. `train` is a part only if it has class folders itself.
enum FolderParts {
  /// Every folder with images is a class; `alike` names those that are called as parts are.
  case classes([FolderSurvey.Folder], alike: [String])
  /// Parts, of which train is always there, and the folders beside them that are none.
  case parts(train: FolderSurvey.Folder, [SplitPart: FolderSurvey.Folder], others: [FolderSurvey.Folder])

  /// - Throws: `.badInput` for two folders of one part, and for parts without train or without class folders.
  init(_ survey: FolderSurvey) throws {
    let folders = survey.folders.filter { !$0.images.isEmpty }
    let named = folders.filter { SplitPart($0.name) != nil }, others = folders.filter { SplitPart($0.name) == nil }
    let trains = named.filter { SplitPart($0.name) == .train }
    let haveClasses = named.allSatisfy { !$0.classNames.isEmpty }
    let areParts =
      others.isEmpty
      ? !named.isEmpty
      : named.count > 1 && (haveClasses || trains.contains { !$0.classNames.isEmpty })
    guard areParts else {
      self = .classes(folders, alike: named.map(\.name))
      return
    }
    let names = named.map(\.name).joined(separator: ", ")
    var parts: [SplitPart: FolderSurvey.Folder] = [:]
    for folder in named {
      guard let part = SplitPart(folder.name) else { continue }
      if let first = parts.updateValue(folder, forKey: part) {
        throw Failure(
          .badInput, "'\(survey.root)' has two folders for one part: '\(first.name)' and '\(folder.name)'.",
          why: "a data set has one training part, one for validation and one for tests.",
          fix: "merge the two folders, or remove one.")
      }
    }
    guard let train = parts[.train] else {
      throw Failure(
        .badInput, "'\(survey.root)' has no training part.",
        why: "its folders are called \(names), which are parts of a data set, and none is called train.",
        fix: "add the folder train, or rename the one to train on to train.")
    }
    guard !train.classNames.isEmpty else {
      throw Failure(
        .badInput, "'\(survey.root)/\(train.name)' has no class folders.",
        why: "its images lie right in it; a part needs a folder for each class, such as \(train.name)/cat.",
        fix: "sort the images into class folders, or list them in a table with the columns path,label.")
    }
    self = .parts(train: train, parts, others: others)
  }
}

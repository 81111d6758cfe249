import ArgumentParser

/// The value of an option that takes one name or several, such as `--model resnet20,resnet32:shortcut=stride`.
struct NameList: ExpressibleByArgument {
  let values: [String]

  init(_ values: [String]) { self.values = values }

  /// What follows a comma belongs to the name before it if it is an `option=value` without a name of its own.
  init?(argument: String) {
    var names: [String] = []
    for piece in argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
      if let last = names.last, last.contains(":"), piece.contains("="), !piece.contains(":") {
        names[names.count - 1] = "\(last),\(piece)"
      } else {
        names.append(piece)
      }
    }
    values = names
  }

  var defaultValueDescription: String { values.joined(separator: ",") }
}

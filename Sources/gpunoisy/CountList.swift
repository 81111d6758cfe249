import ArgumentParser

/// The value of an option that takes one number or several, such as `--batch-size 32,64,128`.
struct CountList: ExpressibleByArgument {
  let values: [Int]

  init(_ values: [Int]) { self.values = values }

  init?(argument: String) {
    let values = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard values.allSatisfy({ $0 != nil }) else { return nil }
    self.values = values.compactMap { $0 }
  }

  var defaultValueDescription: String { values.map(String.init).joined(separator: ",") }
}

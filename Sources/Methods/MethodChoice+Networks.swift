import Failures
import Networks

/// The networks of a method's members.
extension MethodChoice {
  /// What stands for the run's own network after `with=`.
  static let sameNetwork = "same"

  /// Whether members have other networks than that of `--model`.
  public var namesNetworks: Bool { entry.hasNetworkParameter && text("with") != Self.sameNetwork }

  /// The network of each member, the run's own first; of the networks after `with=`, with plus signs between, each is one
  /// member's, and a single one is that of all others.
  ///
  /// - Throws: `.configuration` for an unknown network, and for more or fewer networks than there are members for.
  public func memberNetworks(of own: Network) throws(Failure) -> [Network] {
    guard namesNetworks else { return [Network](repeating: own, count: networks) }
    let names = text("with").split(separator: "+", omittingEmptySubsequences: false).map(String.init)
    var others: [Network] = []
    for name in names {
      do {
        others.append(try Network(name))
      } catch {
        throw Failure(
          .configuration, "--method \(entry.name):with=\(text("with")): \(error.what)", why: error.why,
          fix: "write the name of a network after with=, such as with=resnet20, or leave it out.")
      }
    }
    guard networks > 1, others.count == 1 || others.count == networks - 1 else {
      throw Failure(
        .configuration, "--method \(entry.name):with=\(text("with")) cannot be used with members=\(networks).",
        why: networks > 1
          ? "with= names \(others.count) networks, and beside the first there \(networks == 2 ? "is" : "are") "
            + "\(networks - 1)."
          : "there is one network, that of --model.",
        fix: "write members=\(others.count + 1), or one network after with= for all others.")
    }
    return [own] + (others.count == 1 ? [Network](repeating: others[0], count: networks - 1) : others)
  }
}

extension MethodEntry {
  /// Whether its parameter `with` names the networks of further members.
  var hasNetworkParameter: Bool { textParameters.contains { $0.name == "with" } }
}

import FileFormats
import Losses

/// What `losses` and `train --list-losses` print.
enum LossTable {
  /// A block of lines for each loss.
  static func text(_ losses: [Loss]) throws -> String {
    try losses.map { loss in
      let entry = loss.entry
      var lines = ["\(entry.name)\(entry.aliases.isEmpty ? "" : "  (\(entry.aliases.joined(separator: ", ")))")"]
      lines.append("    loss    \(entry.formula)")
      for (parameter, schedule) in zip(entry.parameters, loss.schedules) {
        lines.append(
          "    \(parameter.name)=\(schedule)  \(parameter.summary), \(number(parameter.range.lowerBound)) to "
            + number(parameter.range.upperBound) + (parameter.isWhole ? ", a whole number" : ""))
      }
      lines += LossPreset.all(of: entry).map { "    \(entry.name):\($0.name)  \($0.values)" }
      if let scale = try LossScale.value(of: loss) {
        lines.append("    scale   \(LossScale.text(scale)) of the gradient of cross entropy")
      }
      lines.append("    noise   \(entry.condition)")
      lines.append("    source  \(entry.source)")
      return lines.joined(separator: "\n") + "\n"
    }.joined(separator: "\n")
  }

  /// The combinations for which there are published values, a line for each data set.
  static var combinations: String {
    let lines = LossPreset.combinations.map { "    \($0.loss):\($0.name)  \($0.values)\n" }
    return "Combinations with published values\n" + lines.joined()
  }

  static func json(_ losses: [Loss]) throws -> JSONValue {
    try .object([
      JSONMember("schema", "gpunoisy.losses/1"),
      JSONMember("losses", .array(losses.map { .object(try members(of: $0)) })),
      JSONMember(
        "combinations",
        .array(
          LossPreset.combinations.map {
            .object([
              JSONMember("name", JSONValue($0.loss)), JSONMember("preset", JSONValue($0.name)),
              JSONMember("parameters", JSONValue($0.values)),
            ])
          })),
    ])
  }

  private static func members(of loss: Loss) throws -> [JSONMember] {
    let entry = loss.entry
    let parameters = zip(entry.parameters, loss.schedules).map { parameter, schedule -> JSONValue in
      .object([
        JSONMember("name", JSONValue(parameter.name)),
        JSONMember("value", schedule.points.count == 1 ? json(schedule.value(epoch: 0)) : JSONValue("\(schedule)")),
        JSONMember("default", json(parameter.defaultValue)), JSONMember("minimum", json(parameter.range.lowerBound)),
        JSONMember("maximum", json(parameter.range.upperBound)), JSONMember("whole", .bool(parameter.isWhole)),
        JSONMember("summary", JSONValue(parameter.summary)),
      ])
    }
    let presets = LossPreset.all(of: entry).map { preset -> JSONValue in
      .object([JSONMember("name", JSONValue(preset.name)), JSONMember("parameters", JSONValue(preset.values))])
    }
    return [
      JSONMember("name", JSONValue(entry.name)), JSONMember("aliases", .array(entry.aliases.map { JSONValue($0) })),
      JSONMember("formula", JSONValue(entry.formula)), JSONMember("condition", JSONValue(entry.condition)),
      JSONMember("source", JSONValue(entry.source)),
      JSONMember("gradient_scale", try LossScale.value(of: loss).map { JSONValue($0) } ?? .null),
      JSONMember("parameters", .array(parameters)),
      JSONMember("presets", .array(presets)),
    ]
  }

  /// A value as the user wrote it: 0.1, not the double next to the float.
  private static func json(_ value: Float) -> JSONValue { JSONValue(Double("\(value)")) }

  private static func number(_ value: Float) -> String { "\(ParameterSchedule(value))" }
}

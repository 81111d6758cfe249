import Compute
import ComputeKernels
import Failures
import FileFormats

/// A tuning as JSON: in run.json, where it makes a resumed run repeat itself, and in the files of `gpunoisy tune`.
public enum TuningRecord {
  /// The choices as an object: their names, and for each a list of windows with numbers.
  ///
  /// `{"winograd-rows": [{"window": [128, 32, 32, 16, 16, 3, 3, 1, 1], "number": 8}]}`; a window is B, H, W, C, O, KH, KW,
  /// stride, padding. No choices: `{}`.
  public static func json(_ tuning: Tuning) -> JSONValue {
    let keys = tuning.numbers.keys.sorted()
    return .object(
      Tuning.Choice.allCases.compactMap { choice in
        let entries = keys.filter { $0.choice == choice }
        guard !entries.isEmpty else { return nil }
        return JSONMember(
          choice.rawValue,
          .array(
            entries.map { key in
              [
                "window": .array(numbers(of: key.window).map { JSONValue($0) }),
                "number": JSONValue(tuning.numbers[key]),
              ]
            }))
      })
  }

  /// Reads what `json` gives.
  ///
  /// - Throws: `.badInput`.
  public static func tuning(_ json: JSONValue, named name: String) throws(Failure) -> Tuning {
    func wrong(_ why: String) -> Failure {
      Failure(
        .badInput, "'\(name)' has no usable tuning.", why: why,
        fix: "run 'gpunoisy tune' again, or use --tuning defaults.")
    }
    guard let members = json.members else { throw wrong("it is not an object.") }
    var tuning = Tuning()
    for member in members {
      guard let choice = Tuning.Choice(rawValue: member.name), let entries = member.value.array else {
        throw wrong("this version does not know its '\(member.name)'.")
      }
      for entry in entries {
        guard let numbers = entry["window"]?.array?.compactMap(\.integer), let number = entry["number"]?.integer,
          (1...1 << 20).contains(number), let window = window(of: numbers)
        else { throw wrong("an entry of '\(member.name)' has no valid window of nine numbers, or no valid number.") }
        tuning.numbers[Tuning.Key(choice, window)] = number
      }
    }
    return tuning
  }

  private static func numbers(of window: Window) -> [Int] {
    [
      window.B, window.H, window.W, window.C, window.O, window.KH, window.KW, window.stride, window.padding,
    ]
  }

  /// A window of nine numbers, as files and the command line have it; nil for one that no network has.
  public static func window(of numbers: [Int]) -> Window? {
    guard numbers.count == 9, numbers.dropLast().allSatisfy({ (1...1 << 20).contains($0) }),
      (0...1 << 10).contains(numbers[8]), numbers[5] <= numbers[1] + 2 * numbers[8],
      numbers[6] <= numbers[2] + 2 * numbers[8]
    else { return nil }
    return Window(
      B: numbers[0], H: numbers[1], W: numbers[2], C: numbers[3], O: numbers[4], KH: numbers[5], KW: numbers[6],
      stride: numbers[7], padding: numbers[8])
  }
}

import Failures
import FileFormats
import TestSupport
import Testing

@Suite("JSON")
struct JSONTextTests {
  @Test("is written compactly and indented, with members in their order")
  func writing() {
    let value: JSONValue = [
      "b": 1, "a": [true, nil, 0.5, "x\"\\\n\u{1}é"], "empty": .object([]), "none": .array([]),
      "seed": JSONValue(UInt64.max), "nan": JSONValue(Double.nan), "small": 1e-7,
    ]
    #expect(
      JSONText.compact(value)
        == #"{"b":1,"a":[true,null,0.5,"x\"\\\n\u0001é"],"empty":{},"none":[],"seed":18446744073709551615,"#
        + #""nan":null,"small":1e-07}"#)
    #expect(
      JSONText.indented(["a": [1, 2], "b": .object([])]) == "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}\n")
  }

  @Test("reads back what is written")
  func roundTrip() throws {
    let value: JSONValue = [
      "text": "\u{0}\u{1F}\u{7F}\"\\/😀é\u{2028}", "numbers": [0, -1, 9_223_372_036_854_775_807, 1e-300, -0.1],
      "seed": JSONValue(UInt64.max), "flags": [true, false, nil],
    ]
    for text in [JSONText.compact(value), JSONText.indented(value)] {
      let back = try JSONText.parse(Array(text.utf8), named: "text")
      #expect(back == value)
      #expect(back["seed"]?.unsigned == .max)
      #expect(back["numbers"]?.array?[2].integer == .max)
      #expect(back["numbers"]?.array?[3].double == 1e-300)
    }
  }

  @Test("understands escapes, surrogate pairs and every kind of number")
  func reading() throws {
    let value = try JSONText.parse(
      Array(#" [ "\u00e9\ud83d\ude00\/\b\f" , -0 , 1.5E+3 , 10e-2 ] "#.utf8), named: "text")
    #expect(value.array?[0].string == "é😀/\u{8}\u{C}")
    #expect(value.array?[2].double == 1500)
    #expect(value.array?[3].double == 0.1)
    #expect(value.array?[2].integer == nil)
  }

  @Test(
    "refuses what is not JSON",
    arguments: [
      "", " ", "{", "[1,]", "{\"a\":1,}", "{a:1}", "[1 2]", "01", "1.", ".5", "+1", "1e", "-", "nan", "Infinity",
      "tru", "truex", "\"a", "\"\n\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
      "[] []", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "'a'", "// c\n1", "\u{FEFF}1",
    ])
  func refusal(text: String) {
    let failure = #expect(throws: Failure.self) { try JSONText.parse(Array(text.utf8), named: "x.json") }
    #expect(failure?.kind == .badInput)
    #expect(failure?.what.contains("x.json") == true)
  }

  @Test("refuses invalid UTF-8 and what is too deep or too long")
  func limits() throws {
    #expect(throws: Failure.self) { try JSONText.parse([0x22, 0xC3, 0x28, 0x22], named: "x") }
    #expect(throws: Failure.self) {
      try JSONText.parse(Array(repeating: UInt8(ascii: "["), count: 1 << 20), named: "x")
    }
    let long = Array(("[" + String(repeating: "0,", count: 100) + "0]").utf8)
    #expect(throws: Failure.self) { try JSONText.parse(long, named: "x", limits: .init(values: 101)) }
    #expect(try JSONText.parse(long, named: "x", limits: .init(values: 102)).array?.count == 101)
  }

  @Test("numbers are spelled as Python's repr", .enabled(if: PythonOracle.has("struct"), "\(PythonOracle.absence)"))
  func pythonNumbers() throws {
    var values: [Double] = [
      0, -0.0, 1, 0.1, 1e-4, 9.9999e-5, 1e-7, 123456.789, 1e15, 1e16, 9_007_199_254_740_992, 9_007_199_254_740_994,
      9_999_999_999_999_998, 1.5e16, 1e22, 1e100, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .infinity,
      -.infinity,
    ]
    var bits: UInt64 = 0x9E37_79B9_7F4A_7C15
    for _ in 0..<500 {
      bits = bits &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let value = Double(bitPattern: bits ^ bits >> 29)
      if value.isFinite { values.append(value) }
    }
    let words = values.map { String($0.bitPattern, radix: 16) }
    let script = """
      import struct, sys
      for w in sys.argv[1].split(","):
          print(repr(struct.unpack(">d", bytes.fromhex(w.zfill(16)))[0]))
      """
    let result = try PythonOracle.run(script, [words.joined(separator: ",")])
    #expect(result.code == 0)
    let expected = result.output.split(separator: "\n").map(String.init)
    #expect(expected == values.map { NumberFormatting.shortest($0) })
  }

  @Test("32-bit numbers are as short as they can be")
  func floats() {
    #expect(NumberFormatting.shortest(Float(0.1)) == "0.1")
    #expect(NumberFormatting.shortest(Float(1e-7)) == "1e-07")
    #expect(NumberFormatting.shortest(Float(16_777_216)) == "16777216.0")
    #expect(NumberFormatting.shortest(Float(3e9)) == "3000000000.0")
    #expect(NumberFormatting.shortest(Float(1e20)) == "1e+20")
    #expect(NumberFormatting.shortest(Float.nan) == "nan")
  }
}

import Failures
import FileFormats
import TestSupport
import Testing

@Suite("NumPyArray")
struct NumPyArrayTests {
  @Test("reads what it writes, for all kinds of elements")
  func roundTrip() throws {
    let arrays = [
      NumPyArray([1, -2, 300] as [Int16]), NumPyArray([7] as [UInt8]), NumPyArray([Int64.min, .max]),
      NumPyArray([1.5, -0.25, .infinity] as [Float], shape: [3, 1]), NumPyArray([0.1] as [Double], shape: []),
      NumPyArray(["a", "grün", ""]), NumPyArray([] as [Int32], shape: [0, 4]),
    ]
    for array in arrays {
      let file = array.encoded()
      #expect(file.count % 64 == array.bytes.count % 64)
      #expect(try NumPyArray(decoding: file, name: "array") == array)
    }
    #expect(arrays[0].integers == [1, -2, 300])
    #expect(arrays[2].integers == [.min, .max])
    #expect(arrays[3].doubles == [1.5, -0.25, .infinity])
    #expect(arrays[5].texts == ["a", "grün", ""])
    #expect(arrays[3].integers == nil && arrays[5].doubles == nil && arrays[0].texts == nil)
    #expect(NumPyArray([UInt64.max]).integers == nil)
  }

  @Test("reads 16-bit floating-point numbers")
  func half() {
    let bits: [UInt16] = [0x3C00, 0xC000, 0x3555, 0x0001, 0x7BFF, 0x7C00, 0x8000]
    let array = NumPyArray(.float(2), shape: [7], bytes: bits.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
    #expect(array.doubles == [1, -2, 0.333251953125, 0x1p-24, 65504, .infinity, 0])
  }

  /// A file of version 1.0 around a header of one's own.
  private func file(_ header: String, data: Int = 0, version: UInt8 = 1) -> [UInt8] {
    let count = header.utf8.count
    let length = [UInt8(count & 0xFF), UInt8(count >> 8)] + (version == 1 ? [] : [0, 0])
    return [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, version, 0] + length + Array(header.utf8)
      + [UInt8](repeating: 1, count: data)
  }

  @Test("reads versions 2 and 3, big-endian numbers, and keys in any order")
  func variants() throws {
    let header = "{'shape': (2,), 'fortran_order': False, 'descr': '>i2'}"
    for version: UInt8 in [1, 2, 3] {
      let array = try NumPyArray(decoding: file(header, data: 4, version: version), name: "array")
      #expect(array.integers == [257, 257])
    }
  }

  @Test(
    "refuses what it cannot read",
    arguments: [
      ("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 8),
      ("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", 16),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", 15),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", 17),
      ("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", 8),
      ("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,), }", 4),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", 0),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4611686018427387904, 4), }", 0),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 0),
      ("{'descr': '|u1', 'fortran_order': False, 'shape': (9223372036854775807,), }", 0),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 4),
      ("{'descr': '<f4', 'fortran_order': False}", 4),
      ("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 4),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } ''", 4),
      ("__import__('os').system('true')", 0),
    ])
  func refuses(header: String, data: Int) {
    #expect { try NumPyArray(decoding: file(header, data: data), name: "array") } throws: {
      ($0 as? Failure)?.kind == .badInput
    }
  }

  @Test("a file cut off anywhere, or with any byte changed, never crashes")
  func damaged() {
    let whole = NumPyArray([1, 2, 3] as [Int32]).encoded()
    for length in 0..<whole.count {
      #expect(throws: Failure.self) { try NumPyArray(decoding: Array(whole[..<length]), name: "array") }
    }
    for index in 0..<whole.count {
      for value: UInt8 in [0, 0x20, 0x27, 0x30, 0x39, 0xFF] {
        var changed = whole
        changed[index] = value
        // Some changes give another valid file; what counts is that nothing traps.
        _ = try? NumPyArray(decoding: changed, name: "array").doubles
      }
    }
  }

  @Test(
    "agrees with NumPy byte for byte", .enabled(if: PythonOracle.has("numpy"), Comment(rawValue: PythonOracle.absence)))
  func numpy() throws {
    let scratch = ScratchFolder()
    let arrays = [
      NumPyArray([1.5, 2, 3, 4, 5, 6] as [Float], shape: [2, 3]), NumPyArray([5, -6] as [Int64]),
      NumPyArray(["ab", "ü"]),
      NumPyArray([1, 2] as [UInt8], shape: [2, 1, 1, 1]), NumPyArray([1] as [Double], shape: []),
    ]
    for (index, array) in arrays.enumerated() { try FileBytes.write(array.encoded(), to: scratch("\(index).npy")) }
    let script = """
      import sys, io, numpy as np
      folder = sys.argv[1]
      expected = [np.array([[1.5, 2, 3], [4, 5, 6]], 'f4'), np.array([5, -6]), np.array(['ab', 'ü']),
                  np.array([1, 2], 'u1').reshape(2, 1, 1, 1), np.array(1.0)]
      for i, e in enumerate(expected):
          a = np.load(f'{folder}/{i}.npy')
          assert a.dtype == e.dtype and a.shape == e.shape and (a == e).all(), (i, a, e)
          b = io.BytesIO(); np.save(b, e)
          assert b.getvalue() == open(f'{folder}/{i}.npy', 'rb').read(), i
      """
    let (code, output) = try PythonOracle.run(script, [scratch.path])
    #expect(code == 0, "\(output)")
  }
}

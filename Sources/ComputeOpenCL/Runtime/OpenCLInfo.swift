import COpenCL

/// The most bytes that a driver may answer to a question about text; a larger claim is a driver's mistake.
private let longestText = 1 << 24

/// Asks a `clGet…Info` function for a number; one that answers with fewer bytes than the number has gives zeros above.
///
/// - Parameter ask: the call, given the capacity in bytes and the place for the answer.
func infoValue<Value: FixedWidthInteger>(
  _ call: String, as type: Value.Type, ask: (Int, UnsafeMutableRawPointer?) -> cl_int
) throws(OpenCLError) -> Value {
  var value = Value.zero
  let code = withUnsafeMutableBytes(of: &value) { ask($0.count, $0.baseAddress) }
  try check(code, call)
  return value
}

/// Asks a `clGet…Info` function for a list of numbers.
///
/// - Parameter ask: the call, given the capacity in bytes, the place for the answer, and the place for its size.
func infoArray<Value: FixedWidthInteger>(
  _ call: String, of type: Value.Type, atMost limit: Int,
  ask: (Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> cl_int
) throws(OpenCLError) -> [Value] {
  var byteCount = 0
  try check(ask(0, nil, &byteCount), call)
  let count = byteCount / MemoryLayout<Value>.stride
  guard (0...limit).contains(count) else { throw OpenCLError(call, code: CL_INVALID_VALUE) }
  guard count > 0 else { return [] }
  var values = [Value](repeating: 0, count: count)
  let code = values.withUnsafeMutableBytes { ask(count * MemoryLayout<Value>.stride, $0.baseAddress, nil) }
  try check(code, call)
  return values
}

/// Asks a `clGet…Info` function for text: up to its first zero byte, without white space around it.
func infoText(
  _ call: String, ask: (Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> cl_int
) throws(OpenCLError) -> String {
  let bytes = try infoArray(call, of: UInt8.self, atMost: longestText, ask: ask)
  let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  guard let first = text.firstIndex(where: { !$0.isWhitespace }),
    let last = text.lastIndex(where: { !$0.isWhitespace })
  else { return "" }
  return String(text[first...last])
}

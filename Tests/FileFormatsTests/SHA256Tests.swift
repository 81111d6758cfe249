import FileFormats
import Testing

@Suite("SHA-256")
struct SHA256Tests {
  @Test(
    "gives the published digests",
    arguments: [
      // NIST, "Examples with Intermediate Values" for FIPS 180, and its test vectors for long messages.
      ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        1,
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
      ),
      ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
  func vectors(text: String, count: Int, digest: String) {
    #expect(SHA256.digest(of: String(repeating: text, count: count)).description == digest)
  }

  @Test("pieces of any size give the digest of the whole", arguments: [1, 3, 55, 56, 63, 64, 65, 127, 128, 1000])
  func pieces(size: Int) {
    let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    for length in [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 999, 1000] {
      var hash = SHA256()
      for start in stride(from: 0, to: length, by: size) {
        hash.update(Array(message[start..<min(start + size, length)]))
      }
      #expect(hash.digest() == SHA256.digest(of: Array(message.prefix(length))))
      #expect(hash.digest() == hash.digest())
    }
  }

  @Test("lengths around the padding's limits give what sha256sum gives")
  func lengths() {
    // printf 'x%.0s' $(seq N) | sha256sum
    #expect(
      SHA256.digest(of: String(repeating: "x", count: 55)).description
        == "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072")
    #expect(
      SHA256.digest(of: String(repeating: "x", count: 56)).description
        == "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e")
    #expect(
      SHA256.digest(of: String(repeating: "x", count: 64)).description
        == "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c")
  }

  @Test("a digest can be made of its bytes")
  func bytes() throws {
    let digest = SHA256.digest(of: "abc")
    #expect(SHA256.Digest(bytes: digest.bytes) == digest)
    #expect(SHA256.Digest(bytes: digest.bytes.dropLast()) == nil)
  }
}

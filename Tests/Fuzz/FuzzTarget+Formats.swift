import Failures
import FileFormats
import Images

extension FuzzTarget {
  /// Formats, without a meaning.
  static let formats: [FuzzTarget] = [
    FuzzTarget(
      "toml",
      [
        "seed = 0xff\nlr = 1e-3\n[data]\nmilestones = [1, 2]\nname = \"m\\u00e9\"\n", "a = ['x', true, -0.5]\n# end",
        "\"data\" = \"x\"\n\"\" = 1\n",
      ]
    ) { bytes in
      Fuzz.refusing {
        let file = try FlatTOML(decoding: bytes, name: "x")
        let again = try FlatTOML(decoding: Array(file.text.utf8), name: "y")
        precondition(again.text == file.text, "written otherwise")
      }
    },
    FuzzTarget("csv", ["a,b\n1,2\n", "\"a \"\"x\"\"\",b\r\n\"1\n2\",\r\n", "\u{FEFF}sample_id,label\n0,1\n"]) { bytes in
      Fuzz.refusing {
        let table = try CSV(decoding: bytes, name: "x")
        precondition(table.rows.allSatisfy { $0.count == table.header.count }, "a row of another length")
        guard table.header.count > 1, table.header[0].unicodeScalars.first != "\u{FEFF}" else { return }
        let text = CSV.line(table.header) + table.rows.map { CSV.line($0) }.joined()
        let again = try CSV(decoding: Array(text.utf8), name: "y")
        precondition(again.header == table.header && again.rows == table.rows, "written otherwise")
      }
    },
    FuzzTarget(
      "json",
      [
        #"{"a":[1,2.5e-3,-0,true,false,null,"x\u00e9\ud83d\ude00\n"]}"#, "[[[[]]]]", #""\ud800""#, "-1e999",
        #"{"a":1,"a":2}"#, "123456789012345678901234567890",
      ]
    ) { bytes in
      Fuzz.refusing {
        let value = try JSONText.parse(bytes, named: "x")
        for text in [JSONText.compact(value), JSONText.indented(value)] {
          let again = try JSONText.parse(Array(text.utf8), named: "y", limits: .init(depth: 70, values: 1 << 21))
          precondition(again == value, "written otherwise")
        }
        _ = (value.integer, value.double, value.unsigned)
      }
    },
    FuzzTarget(
      "weights",
      [
        Seeds.torchOld,
        (try? ZipArchive.stored([("a/data.pkl", Seeds.torchPickle), ("a/data/0", [UInt8](repeating: 1, count: 8))]))
          ?? [],
        SafetensorsFile().encoded(),
      ]
    ) { bytes in
      Fuzz.refusing {
        let file = try WeightsFile(parsing: bytes, path: "x", for: ["w"])
        precondition(file.tensors["w"].map { $0.floats?.count ?? $0.count == $0.count } ?? true)
      }
    },
    FuzzTarget(
      "npy",
      [
        NumPyArray([Int64](0..<6)).encoded(), NumPyArray([0.5, 1] as [Float], shape: [2, 1]).encoded(),
        NumPyArray([0.5, -1] as [Double]).encoded(), NumPyArray(["ab", "c"]).encoded(),
      ]
    ) { bytes in
      Fuzz.refusing {
        let array = try NumPyArray(decoding: bytes, name: "x"), count = array.count
        precondition(array.integers.map { $0.count == count } ?? true)
        precondition(array.doubles.map { $0.count == count } ?? true)
        precondition(array.texts.map { $0.count == count } ?? true)
        guard array.shape.count <= 8 else { return }
        let again = try NumPyArray(decoding: array.encoded(), name: "y")
        precondition(again.bytes == array.bytes, "written otherwise")
      }
    },
    FuzzTarget("safetensors", [Seeds.tensors.encoded(), SafetensorsFile().encoded(), Seeds.tensors.input]) { bytes in
      // As it is, or without length and checksum.
      let bytes = bytes.first == UInt8(ascii: "{") ? bytes.tensorFile : bytes
      Fuzz.refusing {
        let file = try SafetensorsFile(parsing: bytes, path: "x")
        for name in file.names {
          guard let tensor = file[name] else { preconditionFailure("\(name) is gone") }
          _ = (tensor.floats?.count, tensor.doubles?.count, tensor.integers?.count, tensor.unsignedIntegers?.count)
          Fuzz.refusing { _ = try file.floats(name, shape: tensor.shape) }
          Fuzz.refusing { _ = try file.integers(name, shape: tensor.shape) }
        }
        let again = try SafetensorsFile(parsing: file.encoded(), path: "y")
        precondition(again.names == file.names, "written otherwise")
      }
    },
    FuzzTarget("zip", Seeds.archives) { bytes in
      Fuzz.refusing {
        let archive = try ZipArchive(decoding: bytes, name: "x")
        for member in archive.members {
          Fuzz.refusing { _ = try archive.prefix(of: member, count: 10_012) }
          Fuzz.refusing { _ = try archive.contents(of: member, limit: 1 << 20) }
        }
      }
    },
    FuzzTarget("gzip", [Seeds.gzip, Seeds.gzip + Seeds.gzip]) { bytes in
      Fuzz.refusing { _ = try Gzip.decompress(bytes[...], .gzip, limit: 1 << 20, name: "x") }
      Fuzz.refusing { _ = try Gzip.prefix(bytes[...], .gzip, count: 16, name: "x") }
      if bytes.count > 1 { Fuzz.refusing { _ = try Gzip.decompress(bytes[1...], .bare, limit: 1 << 16, name: "x") } }
    },
    FuzzTarget("png", Seeds.pngs, image),
    FuzzTarget("jpeg", Seeds.jpegs, image),
    FuzzTarget("webp", Seeds.webps, image),
    // HEIC and AVIF, which are refused where libheif is not on the machine.
    FuzzTarget("heif", Seeds.heifs, image),
  ]

  private static let image: @Sendable ([UInt8]) -> Void = { bytes in
    let header = ImageHeader(bytes), isHEIF = ImageFormat(bytes) == .heif
    // Libraries that are not under test take their time and their memory for large images.
    if let header, header.width * header.height > 1 << 22, isHEIF || ImageFormat(bytes) == .webp { return }
    let hasMore = ImageFormat(bytes) == .jpeg || header.map { $0.orientation != .upright } ?? false
    for (repairs, turns) in [(false, true), (true, false)].prefix(hasMore ? 2 : 1) {
      var decoder = ImageDecoder()
      (decoder.repairs, decoder.turns) = (repairs, turns)
      Fuzz.refusing {
        let image = try decoder.decode(bytes, name: "x").image
        // What a damaged HEIF file says of its size need not be that of what is decoded.
        if let header, !isHEIF {
          let swaps = turns && header.orientation.swapsSides
          precondition(
            (image.width, image.height) == (swaps ? (header.height, header.width) : (header.width, header.height)),
            "another header")
        }
        if image.pixels.count < 1 << 20 { _ = image.resized(width: 8, height: 8).inColour }
      }
    }
  }
}

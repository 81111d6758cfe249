import FileFormats
import Images

/// Small valid files, for several targets.
enum Seeds {
  /// The bytes of a text of hexadecimal digits.
  static func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  /// One tensor of most types, an empty one among them.
  static let tensors: SafetensorsFile = {
    var file = SafetensorsFile(metadata: ["a": "b"])
    file["w"] = .init([0.5, -1, 2, 3, 4, 5] as [Float], shape: [2, 3])
    file["b"] = .init([0.5, -1] as [Double], shape: [2])
    file["h"] = .init(.float16, shape: [3], bytes: [0, 0x3C, 0, 0xBC, 0, 0x7E])
    file["i"] = .init([-1] as [Int64], shape: [1])
    file["u"] = .init([.max] as [UInt64], shape: [])
    file["x"] = .init([] as [UInt8], shape: [0, 5])
    return file
  }()

  /// Images of 4 x 4, in colour and grey.
  private static let images = [3, 1].map { channels in
    Image(height: 4, width: 4, channels: channels, pixels: (0..<16 * channels).map { UInt8($0 * 5) })
  }
  static let pngs = images.map { image in made { try PNG.encode(image) } }
  static let jpegs = images.map { image in made { try JPEG.encode(image) } }

  /// Two classes of two images each, in colour, and grey with a test set.
  static let bundles: [[UInt8]] = [3, 1].map { channels in
    var files = [
      (
        "images.npy",
        NumPyArray(.unsigned(1), shape: [4, 3, 3, channels], bytes: (0..<36 * channels).map { UInt8($0) })
      ),
      ("labels.npy", NumPyArray([0, 1, 0, 1] as [Int64])),
    ]
    if channels == 1 {
      files.append(("test_images.npy", files[0].1))
      files.append(("test_labels.npy", files[1].1))
      files.append(("class_names.npy", NumPyArray(["ant", "bee"])))
      files.append(("true_labels.npy", files[1].1))
    }
    return made { try ZipArchive.stored(files.map { ($0.0, $0.1.encoded()) }) }
  }

  static let archives = [zip, zip64] + bundles

  static func made<Value>(_ make: () throws -> Value) -> Value {
    do { return try make() } catch { fatalError("\(error)") }
  }

  /// A zip with one deflated file and a comment.
  static let zip = hex(
    "504b03041400000008000000210060858f39050000001e00000005000000612e747874aba8c00700504b010214031400"
      + "000008000000210060858f39050000001e000000050000000000000000000000800100000000612e747874504b050600"
      + "00000001000100330000002800000002006363")

  /// A zip whose sizes stand in the fields of 64 bits.
  static let zip64 = hex(
    "504b03042d000000000000002100038d08c0ffffffffffffffff03001400626967010010000800000000000000080000"
      + "00000000003030303030303030504b01022d032d000000000000002100038d08c0080000000800000003000000000000"
      + "0000000000800100000000626967504b05060000000001000100310000003d0000000000")

  /// Text, packed.
  static let gzip = hex(
    "1f8b0800000000000203cb48cdc9c95728cf2fca49c9186e4c00dd20303bdc000000")

  /// Four labels in the IDX format, packed.
  static let idxLabels = hex(
    "1f8b08000000000002036360e060646060606160e4640400f0d5fe2d0c000000")

  /// Four images of 2 x 2, packed.
  static let idxImages = hex(
    "1f8b08000000000002036360e060666060600162263066646266616563e7e0e4e2e6e1e5e307005c52446d20000000")

  /// Labels as CIFAR-N's files hold them, in pickle's protocol 2.
  static let pickle2 = hex(
    "80027d7100580b000000636c65616e5f6c6162656c7101636e756d70792e5f636f72652e6d756c746961727261790a5f"
      + "7265636f6e7374727563740a7102636e756d70790a6e6461727261790a71034b00857104635f636f646563730a656e63"
      + "6f64650a7105580100000062710658060000006c6174696e31710786710852710987710a52710b284b014b0685710c63"
      + "6e756d70790a64747970650a710d58020000006938710e898887710f527110284b0358010000003c71114e4e4e4affff"
      + "ffff4affffffff4b00747112628968055830000000000000000000000001000000000000000200000000000000000000"
      + "0000000000010000000000000002000000000000007113680786711452711574711662732e")

  /// The same in protocol 4.
  static let pickle4 = hex(
    "800495ca000000000000007d948c0b636c65616e5f6c6162656c948c166e756d70792e5f636f72652e6d756c74696172"
      + "726179948c0c5f7265636f6e7374727563749493948c056e756d7079948c076e6461727261799493944b008594430162"
      + "9487945294284b014b06859468058c0564747970659493948c02693894898887945294284b038c013c944e4e4e4affff"
      + "ffff4affffffff4b00749462894330000000000000000001000000000000000200000000000000000000000000000001"
      + "00000000000000020000000000000094749462732e")

  /// One tensor as `torch.save` wrote it at first.
  static let torchOld = hex(
    "80028a0a6cfc9c46f9206aa850192e80024de9032e80027d710028581000000070726f746f636f6c5f76657273696f6e"
      + "71014de903580d0000006c6974746c655f656e6469616e710288580a000000747970655f73697a657371037d71042858"
      + "0500000073686f727471054b025803000000696e7471064b0458040000006c6f6e6771074b0475752e80027d71005801"
      + "00000077710163746f7263682e5f7574696c730a5f72656275696c645f74656e736f725f76320a710228285807000000"
      + "73746f72616765710363746f7263680a466c6f617453746f726167650a7104580e000000393432313036393230333134"
      + "30387105580300000063707571064b024e747107514b004b028571084b018571098963636f6c6c656374696f6e730a4f"
      + "726465726564446963740a710a2952710b74710c52710d732e80025d7100580e00000039343231303639323033313430"
      + "387101612e02000000000000000000803f00000040")

  /// The pickle of one tensor as it stands in the archives of `torch.save`.
  static let torchPickle = hex(
    "80027d7100580100000077710163746f7263682e5f7574696c730a5f72656275696c645f74656e736f725f76320a7102"
      + "2828580700000073746f72616765710363746f7263680a466c6f617453746f726167650a710458010000003071055803"
      + "00000063707571064b02747107514b004b028571084b018571098963636f6c6c656374696f6e730a4f72646572656444"
      + "6963740a710a2952710b74710c52710d732e")
}

import Failures
import FileFormats

/// CIFAR-10 as its authors' binary files: five training batches and a test batch of 3,073-byte records.
enum CIFAR10Binary: DatasetFormat {
  static let lookedFor = "CIFAR-10 binary (data_batch_1.bin ... test_batch.bin)"

  static func recognizes(_ location: DataLocation) -> Bool { location.names.contains("data_batch_1.bin") }

  static func open(_ location: DataLocation, _ options: DatasetOptions) throws -> Dataset {
    let names = try CIFARRecords.classNames(location, file: "batches.meta.txt", default: KnownClasses.cifar10)
    var train = CIFARRecords(labelBytes: 1, classCount: 10)
    for batch in 1...5 { try train.append(location, "data_batch_\(batch).bin") }
    var test = CIFARRecords(labelBytes: 1, classCount: 10)
    try test.append(location, "test_batch.bin")
    return Dataset(
      name: "cifar10", kind: .cifar10, classNames: names, train: train.samples, test: test.samples,
      source: "CIFAR-10 binary files in \(location.path)")
  }
}

/// CIFAR-100 as its authors' binary files: 3,074-byte records with a coarse and a fine label; the fine one is used.
enum CIFAR100Binary: DatasetFormat {
  static let lookedFor = "CIFAR-100 binary (train.bin, test.bin)"

  static func recognizes(_ location: DataLocation) -> Bool {
    location.names.contains("train.bin") && location.names.contains { $0 == "test.bin" || $0 == "fine_label_names.txt" }
  }

  static func open(_ location: DataLocation, _ options: DatasetOptions) throws -> Dataset {
    let names = try CIFARRecords.classNames(location, file: "fine_label_names.txt", default: KnownClasses.cifar100)
    var train = CIFARRecords(labelBytes: 2, classCount: 100)
    try train.append(location, "train.bin")
    var test = CIFARRecords(labelBytes: 2, classCount: 100)
    try test.append(location, "test.bin")
    return Dataset(
      name: "cifar100", kind: .cifar100, classNames: names, train: train.samples, test: test.samples,
      source: "CIFAR-100 binary files in \(location.path)")
  }
}

/// Records of label bytes, then 1,024 red, 1,024 green and 1,024 blue bytes.
private struct CIFARRecords {
  private static let area = 32 * 32

  let labelBytes: Int
  let classCount: Int
  private var pixels: [UInt8] = []
  private var labels: [Int32] = []
  private var firstFile: (name: String, count: Int)?

  init(labelBytes: Int, classCount: Int) {
    (self.labelBytes, self.classCount) = (labelBytes, classCount)
  }

  var samples: LabelledSet {
    LabelledSet(
      images: ImageSet(count: labels.count, height: 32, width: 32, channels: 3, pixels: pixels), labels: labels)
  }

  /// Reads one file behind those before it; all must have the same number of records.
  mutating func append(_ location: DataLocation, _ name: String) throws {
    let bytes = try FileBytes.read(location.file(name))
    let record = labelBytes + 3 * Self.area
    let count = bytes.count / record
    guard bytes.count > 0, bytes.count % record == 0, count == firstFile?.count ?? count else {
      let expected = firstFile.map { $0.count * record } ?? (count + 1) * record
      throw Failure(
        .badInput, "'\(location.file(name))' has \(bytes.count) bytes; \(expected) were expected.",
        why: firstFile.map { "it must hold \($0.count) records of \(record) bytes, as \($0.name) does." }
          ?? "it must consist of whole records of \(record) bytes.",
        fix: "the file was probably truncated: download it again.")
    }
    if firstFile == nil { firstFile = (name, count) }
    for index in 0..<count {
      let label = Int(bytes[index * record + labelBytes - 1])
      guard label < classCount else {
        throw Failure(
          .badInput, "record \(index) of '\(location.file(name))' has the label \(label).",
          why: "this data set has \(classCount) classes, numbered from 0.", fix: "download the file again.")
      }
      labels.append(Int32(label))
    }
    pixels += [UInt8](unsafeUninitializedCapacity: count * 3 * Self.area) { buffer, filled in
      bytes.withUnsafeBufferPointer { bytes in
        for index in 0..<count {
          let source = index * record + labelBytes, target = index * 3 * Self.area
          for position in 0..<Self.area {
            for channel in 0..<3 {
              buffer[target + position * 3 + channel] = bytes[source + channel * Self.area + position]
            }
          }
        }
      }
      filled = count * 3 * Self.area
    }
  }

  /// The names in a text file, one a line, or the well-known ones where the file is missing.
  static func classNames(_ location: DataLocation, file: String, default names: [String]) throws -> [String] {
    guard location.names.contains(file) else { return names }
    let bytes = try FileBytes.read(location.file(file))
    let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
    guard lines.count == names.count, Set(lines).count == names.count else {
      throw Failure(
        .badInput, "'\(location.file(file))' names \(Set(lines).count) classes.",
        why: "this data set has \(names.count).",
        fix: "download the file again, or delete it.")
    }
    return lines
  }
}

import FileFormats

@testable import Datasets

extension FuzzTarget {
  /// Layouts of data sets.
  static let datasets: [FuzzTarget] = [
    FuzzTarget("npz", Seeds.bundles) { bytes in
      let path = Fuzz.put(bytes, "data.npz")
      Fuzz.refusing { try whole(Dataset.open(path)) }
      Fuzz.refusing { try unlabelled(path) }
    },
    FuzzTarget("idx", [[UInt8].joined(idx([4], [0, 1, 9, 1]), idx([4, 2, 2], (0..<16).map { UInt8($0) }))]) { bytes in
      let (labels, images) = bytes.halves
      Fuzz.put(labels, "idx/train-labels-idx1-ubyte")
      Fuzz.put(images, "idx/train-images-idx3-ubyte")
      Fuzz.refusing { try whole(Dataset.open(Fuzz.folder + "/idx")) }
    },
    FuzzTarget("idx-gzip", [[UInt8].joined(Seeds.idxLabels, Seeds.idxImages)]) { bytes in
      let (labels, images) = bytes.halves
      Fuzz.put(labels, "idxgz/train-labels-idx1-ubyte.gz")
      Fuzz.put(images, "idxgz/train-images-idx3-ubyte.gz")
      Fuzz.refusing { try whole(Dataset.open(Fuzz.folder + "/idxgz")) }
    },
    FuzzTarget("cifar", [cifar, Array(repeating: UInt8(7), count: 6147)]) { bytes in
      for batch in 1...5 { Fuzz.put(bytes, "cifar/data_batch_\(batch).bin") }
      Fuzz.put(bytes, "cifar/test_batch.bin")
      Fuzz.put(bytes.prefix(200), "cifar/batches.meta.txt")
      Fuzz.refusing { try whole(Dataset.open(Fuzz.folder + "/cifar")) }
      Fuzz.put(KnownClasses.cifar10.joined(separator: "\n").utf8, "cifar/batches.meta.txt")
      Fuzz.refusing { try whole(Dataset.open(Fuzz.folder + "/cifar")) }
      Fuzz.put(bytes, "cifar100/train.bin")
      Fuzz.put(bytes, "cifar100/test.bin")
      Fuzz.refusing { try whole(Dataset.open(Fuzz.folder + "/cifar100")) }
    },
    FuzzTarget("image-folder", zip(Seeds.pngs, Seeds.jpegs).map { .joined($0, $1) }) { bytes in
      let (one, two) = bytes.halves
      Fuzz.put(one, "images/a/1.png")
      Fuzz.put(two, "images/b/2.jpg")
      let options = DatasetOptions(imageSize: PixelSize(width: 4, height: 4), onBadImage: .skip)
      Fuzz.refusing { try whole(Dataset.open(Fuzz.folder + "/images", options: options)) }
    },
    FuzzTarget("annotations", ["1.png\ta\t0\n2.png\tb\t1\n", "2.png\ta\r\n"]) { bytes in
      Fuzz.put(Seeds.pngs[0], "tiny/train/a/1.png")
      Fuzz.put(Seeds.pngs[1], "tiny/train/b/1.png")
      Fuzz.put(Seeds.pngs[0], "tiny/val/images/1.png")
      Fuzz.put(bytes, "tiny/val/val_annotations.txt")
      Fuzz.refusing { try whole(Dataset.open(Fuzz.folder + "/tiny", options: DatasetOptions(onBadImage: .skip))) }
    },
    FuzzTarget(
      "manifest-csv",
      [
        "path,label,split,clean_label\na.png,cat,train,dog\nb.png,dog,test,dog\n", "file_name,label\n../x.png,1\n",
        "path,label\na.png,3\nb.png,0\n",
      ]
    ) { bytes in
      manifest(bytes, "list.csv")
    },
    FuzzTarget(
      "manifest-jsonl",
      [
        "{\"path\":\"a.png\",\"label\":\"cat\",\"split\":\"train\"}\n{\"path\":\"b.png\",\"label\":3}\n",
        "{\"file_name\":\"a.png\",\"label\":0,\"clean_label\":1}\n\n",
      ]
    ) { bytes in
      manifest(bytes, "list.jsonl")
    },
    FuzzTarget(
      "clothing1m",
      ["a.png\nb.png\u{FF}a.png 0\nb.png 13\n", "images/a.png\u{FF}images/a.png 1\u{FF}b.png\u{FF}b.png 0\u{FF}x\ny\n"]
        .map { $0.unicodeScalars.map { UInt8($0.value) } }
    ) { bytes in
      let names = [
        "noisy_train_key_list.txt", "noisy_label_kv.txt", "clean_test_key_list.txt", "clean_label_kv.txt",
        "category_names_eng.txt",
      ]
      for (name, part) in zip(names, bytes.parts(names.count)) { Fuzz.put(part, "clothing/" + name) }
      Fuzz.put(Seeds.pngs[0], "clothing/a.png")
      Fuzz.put(Seeds.pngs[1], "clothing/b.png")
      let options = DatasetOptions(imageSize: PixelSize(width: 4, height: 4), onBadImage: .skip)
      Fuzz.refusing { try whole(Dataset.open(Fuzz.folder + "/clothing", options: options)) }
    },
    FuzzTarget(
      "unlabelled",
      imageNames.flatMap { names in
        [Seeds.pngs[0], Seeds.jpegs[1], Seeds.webps[2]].map { .parts(names, last: $0) }
      }
    ) { bytes in
      let parts = bytes.parts(2), folder = Fuzz.folder + "/unlabelled"
      Fuzz.remove(folder)
      let names = (parts[0].text ?? "").split(separator: "\n").prefix(12).map(String.init).filter(isPlace)
      for (number, name) in names.enumerated() {
        // A name may be that of a folder, too.
        try? FileBytes.makeFolder(FileBytes.folder(of: folder + "/" + name))
        try? FileBytes.write(number % 2 == 0 ? parts[1] : Seeds.pngs[1], to: folder + "/" + name)
      }
      Fuzz.refusing { try unlabelled(folder) }
      if let name = names.first { Fuzz.refusing { try unlabelled(folder + "/" + name) } }
      var options = DatasetOptions(imageSize: PixelSize(width: 4, height: 4), onBadImage: .skip)
      Fuzz.refusing { try whole(Dataset.open(folder, options: options)) }
      options.takesUnlabelled = true
      Fuzz.refusing { try whole(Dataset.open(folder, options: options)) }
    },
    FuzzTarget("label-pickle", [Seeds.pickle2, Seeds.pickle4]) { bytes in
      Fuzz.refusing { _ = try LabelPickle.arrays(bytes, "x") }
    },
  ]

  /// Looks at everything that a data set promises.
  private static func whole(_ dataset: Dataset) {
    precondition(dataset.trainPaths.count == dataset.train.count)
    for set in [dataset.train, dataset.test, dataset.heldOut].compactMap({ $0 }) {
      precondition(set.labels.count == set.images.count && set.labels.allSatisfy { $0 < dataset.classCount })
    }
    _ = (dataset.fingerprint, dataset.train.classCounts(dataset.classCount), dataset.sampleFingerprint(first: 1))
  }

  private static func manifest(_ bytes: [UInt8], _ name: String) {
    Fuzz.put(Seeds.pngs[0], "list/a.png")
    Fuzz.put(Seeds.jpegs[0], "list/b.png")
    let path = Fuzz.put(bytes, "list/" + name)
    Fuzz.refusing { try whole(Dataset.open(path, options: DatasetOptions(onBadImage: .skip))) }
    Fuzz.refusing { try unlabelled(path) }
  }

  /// Reads the images alone, whatever is said of labels.
  private static func unlabelled(_ path: String) throws {
    Fuzz.refusing { _ = try UnlabelledImages.isLabelled(path, as: ["cat", "dog"]) }
    let images = try UnlabelledImages(path)
    precondition(images.names.count == images.count && images.files?.count ?? images.count == images.count)
    _ = images.note
    let policies: [DatasetOptions.BadImagePolicy] = [.skip, .repair, .fail]
    for (channels, policy) in zip([3, 1, 3], policies) {
      Fuzz.refusing {
        var count = 0, size = PixelSize(width: 4, height: 3)
        if policy == .repair { size = PixelSize(width: 5, height: 1) }
        let options = DatasetOptions(fit: channels == 1 ? .pad : .crop, onBadImage: policy)
        let outcome = try images.read(size: size, channels: channels, options: options) { count += $0.count }
        precondition(count == images.count && outcome.isReadable.count == count)
        precondition(outcome.bad.count == outcome.isReadable.count { !$0 })
      }
    }
  }

  /// Files of a folder: loose and deep ones, classes, and what is to be passed over.
  private static let imageNames = [
    "a.png\nb/2.jpg\nb/deep/er/no-suffix\n.hidden.png\nnotes.txt",
    "cat/1.png\ndog/1.png\ndog/r/run.json\ndog/r/config.toml\n@eaDir/x.png", "train/cat/1.png\ntest/dog/1.webp",
  ]

  /// Whether a text names a place below a folder that can be made.
  private static func isPlace(_ name: String) -> Bool {
    let parts = FileBytes.parts(of: name)
    return FileBytes.staysInside(name) && parts.count <= 10 && parts.allSatisfy { (1...100).contains($0.utf8.count) }
  }

  private static func idx(_ shape: [UInt8], _ values: [UInt8]) -> [UInt8] {
    [0, 0, 8, UInt8(shape.count)] + shape.flatMap { [0, 0, 0, $0] } + values
  }

  private static let cifar =
    Array("airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n".utf8)
    + Array(repeating: UInt8(7), count: 3073 - 61)
}

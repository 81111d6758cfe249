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
    _ = try UnlabelledImages.isLabelled(path, as: ["cat", "dog"])
    let images = try UnlabelledImages(path), size = PixelSize(width: 4, height: 4)
    var count = 0
    let outcome = try images.read(size: size, channels: 3, options: DatasetOptions(onBadImage: .skip)) {
      count += $0.count
    }
    precondition(count == images.count && outcome.isReadable.count == count)
  }

  private static func idx(_ shape: [UInt8], _ values: [UInt8]) -> [UInt8] {
    [0, 0, 8, UInt8(shape.count)] + shape.flatMap { [0, 0, 0, $0] } + values
  }

  private static let cifar =
    Array("airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n".utf8)
    + Array(repeating: UInt8(7), count: 3073 - 61)
}

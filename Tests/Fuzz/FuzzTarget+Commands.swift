import Datasets
import FileFormats

@testable import gpunoisy

extension FuzzTarget {
  /// Files that only commands read.
  static let commands: [FuzzTarget] = [
    FuzzTarget(
      "verdicts",
      [
        "sample_id,path,given_label,given_name,verdict,new_label,new_name,source\n0,,0,ant,wrong,1,bee,grid\n"
          + "1,,1,bee,keep,,,grid\n2,,2,3,drop,,,blind\n2,,,,relabel:bee,,,\n0,,,,accept,,,\n1,,,,unsure,,,\n",
        "id,verdict,label\n0,other,3\n2, Accept ,\n1,none_of_these,\n", "path,verdict\na/0.png,keep\n",
      ]
    ) { bytes in
      Fuzz.put(issues.utf8, "detection/label_issues.csv")
      let path = Fuzz.put(bytes, "verdicts.csv")
      Fuzz.refusing {
        let suspected = try SuspectedLabels(run: Fuzz.folder + "/detection")
        let data = Dataset(
          name: "tiny", classNames: ["ant", "bee", "3"], train: tiny.train, test: nil, source: "tiny")
        for purpose in [Verdicts.Purpose.run, .data] {
          Fuzz.refusing {
            _ = try Verdicts(from: SampleList(path, of: data), about: suspected.subjects, for: purpose).byID.count
          }
        }
      }
    },
    FuzzTarget(
      "suspected",
      [issues, "sample_id,path,suspicion,given_label,predicted_label\n0,a/0.png,0.5,0,1\n4,a/4.png,nan,1,\n"]
    ) { bytes in
      Fuzz.put(bytes, "run/label_issues.csv")
      Fuzz.put(bytes, "run/suspicion.csv")
      for threshold in [nil, 0.2] {
        Fuzz.refusing {
          let suspected = try SuspectedLabels(run: Fuzz.folder + "/run", above: threshold)
          for data in [tiny, withPaths] { Fuzz.refusing { try suspected.requireFit(data, labels: data.train.labels) } }
        }
      }
    },
    FuzzTarget(
      "detect-json", [#"{"schema":"gpunoisy.detect/1","status":"finished","issues":3,"samples":10}"#]
    ) { bytes in
      Fuzz.put(bytes, "run/detect.json")
      Fuzz.refusing {
        let result = try DetectResult(finished: Fuzz.folder + "/run")
        _ = (result.text, JSONText.compact(result.json))
      }
    },
    FuzzTarget(
      "bench-json",
      [
        #"{"schema":"gpunoisy.bench/1","device":"cpu","driver":"","runs":[{"model":"mlp","batch_size":8,"#
          + #""precision":"float32","training":{"images_per_second":{"median":10.5}},"threads":2,"#
          + #""operations":[{"name":"copy","shape":"4","ms":0.5,"count":2}]}]}"#
      ]
    ) { bytes in
      let path = Fuzz.put(bytes, "bench.json")
      Fuzz.refusing {
        let document = try BenchDocument(contentsOf: path)
        Fuzz.refusing { try document.check(models: [("mlp", 8, "float32")]) }
      }
    },
  ]

  private static let issues = """
    sample_id,path,is_label_issue,label_score,given_label,predicted_label,suggested_conf,rank
    0,a/0.png,True,0.1,0,1,0.9,1
    1,a/1.png,False,0.9,1,,,2
    2,a/2.png,True,,2,0,0.5,3

    """
}

import Datasets
import FileFormats
import Reports
import Settings

extension ListOrigin {
  /// What the run says in whose folder a file lies; nil where it lies in none.
  ///
  /// A run.json that cannot be read says nothing: the list may have been copied to some other program's folder.
  init?(beside path: String) {
    let folder = FileBytes.folder(of: path)
    guard FileBytes.kind(of: folder + "/" + RunFolder.recordName) == .file,
      let data = (try? RunRecord.read(folder: folder))?.data
    else { return nil }
    self.init(run: folder, trainCount: data.trainCount, samples: data.samples, classNames: data.classNames)
    guard let settings = try? SettingsDraft(ofFileAt: folder + "/config.toml").settings, settings.job == .detect else {
      return
    }
    (split, limitTrain, limitTest) = (settings.detection.split, settings.limitTrain, settings.limitTest)
  }
}

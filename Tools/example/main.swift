// Trains a small network on the built-in images, 40 % of whose labels are wrong, without the command.
// Run it with: swift run -c release Example
import ComputeCPU
import Training

var settings = RunSettings()
settings.data = "shapes"
settings.model = "resnet20"
settings.loss = "sce"
settings.noise = "symmetric:0.4"
settings.limitTrain = 512
settings.limitTest = 256
settings.batchSize = 32
settings.epochs = 2

let trainer = try Trainer(settings, data: RunData(settings), on: CPUDevice())
_ = try trainer.run()
for epoch in trainer.history.epochs {
  print("epoch \(epoch.epoch): train loss \(epoch.trainLoss), test accuracy \(epoch.testAccuracy ?? 0)")
}
let (ids, margins) = try trainer.margins()
if let worst = zip(ids, margins).min(by: { $0.1 < $1.1 }) {
  print("the most suspicious label is that of sample \(worst.0): its margin is \(worst.1)")
}

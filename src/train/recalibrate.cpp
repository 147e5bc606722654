#include "coppice/train/recalibrate.hpp"

#include <memory>
#include <utility>
#include <vector>

#include "coppice/base/error.hpp"
#include "coppice/torch/graph_module.hpp"

#include "torch/scoring/batches.hpp"
#include "torch/trace/undisturbed.hpp"
#include "train/device.hpp"
#include "train/statistics.hpp"

namespace coppice {

std::int64_t recalibrate_batch_norm(const Callable& model, const BatchSource& data, std::int64_t batches) {
  if (batches < 0) throw Error("recalibration: expected 0 batches or more, found " + std::to_string(batches));
  const std::vector<at::Tensor> statistics = running_statistics(model.module());
  if (statistics.empty()) throw Error("recalibration: expected batch norms with running statistics, found none");
  const at::Device device = device_of(model.module());
  std::vector<at::Tensor> renewed;
  std::int64_t done = 0;
  {
    // Takes everything back, the statistics too: they are put in place when all went well.
    const tracing::Undisturbed undisturbed(model.module(), true);
    Renewal renewal(model.module());
    data.for_each([&](Batch batch) {
      const std::string where = "recalibration batch " + std::to_string(done);
      scoring::samples_of(batch, false, where);
      scoring::move_to(batch, device);
      renewal.next();
      scoring::guarded(where, [&] { model(batch.inputs); });
      return ++done != batches;
    });
    for (const at::Tensor& tensor : statistics) renewed.push_back(tensor.detach().clone());
  }
  if (done == 0) throw Error("recalibration: expected data, found none");
  const at::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < statistics.size(); ++i) at::Tensor(statistics[i]).copy_(renewed[i]);
  return done;
}

}  // namespace coppice

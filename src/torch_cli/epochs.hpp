#pragma once
#include <string>

#include "coppice/train/history.hpp"

namespace coppice::cli {

/// "epoch 3: training loss 0.31, held-out loss 0.35, accuracy 91.20 %, sparsity 5.60, 12.3 s".
std::string epoch_line(const EpochRecord& epoch);
/// "0.27 M parameters, 8.52 M MACs, held-out loss 0.35, accuracy 91.20 %".
std::string stage_line(std::int64_t parameters, double macs, const Evaluation& held_out);
/// "loss 0.35, accuracy 91.20 %".
std::string evaluation_text(const Evaluation& evaluation);

}  // namespace coppice::cli

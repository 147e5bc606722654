#include <sstream>

#include "coppice/base/error.hpp"
#include "coppice/base/mapped_file.hpp"
#include "coppice/base/named.hpp"
#include "coppice/train/distillation.hpp"
#include "coppice/train/optimizer.hpp"
#include "coppice/train/recipe.hpp"

#include "train/recipe/choices.hpp"
#include "train/recipe/table.hpp"

namespace coppice::recipe {
namespace {

constexpr base::Names<Method, 4> methods{{{Method::none, "none"},
                                          {Method::one_shot, "one_shot"},
                                          {Method::gradual, "gradual"},
                                          {Method::iterative, "iterative"}}};

constexpr base::Names<SparsifyMethod, 4> sparsify_methods{{{SparsifyMethod::one_shot, "one_shot"},
                                                           {SparsifyMethod::gradual, "gradual"},
                                                           {SparsifyMethod::iterative, "iterative"},
                                                           {SparsifyMethod::lottery, "lottery"}}};

void read_data(Table& table, Data& out) {
  table.read("training", out.training);
  table.read("test", out.test);
  table.read_ratio("held_out", out.held_out);
  table.read("batch_size", out.batch_size);
  table.read("workers", out.workers);
  table.read("mean", out.mean);
  table.read("deviation", out.deviation);
  table.read("crop", out.crop);
  table.read("random_scale", out.random_scale);
  table.read("random_shift", out.random_shift);
  table.read("random_flip", out.random_flip);
  table.read("skip_damaged", out.skip_damaged);
  if (out.batch_size < 1) table.fail("batch_size", "expected 1 or more, found " + std::to_string(out.batch_size));
  if (out.workers < 0) table.fail("workers", "expected 0 or more, found " + std::to_string(out.workers));
}

// Numbers out of range are told here, with their line, and not when their stage begins.
template <class Check>
void checked(const Table& table, const char* key, const Check& check) {
  try {
    check();
  } catch (const Error& error) {
    table.fail(key, error.what());
  }
}

// Refuses keys that have no effect with what was chosen.
void expect_none(Table& table, std::initializer_list<const char*> keys, const std::string& with) {
  for (const char* key : keys)
    if (table.has(key)) table.fail(key, "expected none with " + with);
}

// Of a training, but for its epochs.
constexpr std::initializer_list<const char*> training_keys{"optimizer",       "learning_rate", "loss",
                                                           "label_smoothing", "clip_norm",     "accumulate",
                                                           "precision",       "keep_best",     "distillation"};

void read_optimizer(Table& table, OptimizerOptions& out) {
  table.read_name("kind", [&](const std::string& text) { out.kind = parse_optimizer(text); });
  table.read("learning_rate", out.learning_rate);
  table.read("momentum", out.momentum);
  table.read("nesterov", out.nesterov);
  table.read("weight_decay", out.weight_decay);
  table.read("beta1", out.beta1);
  table.read("beta2", out.beta2);
  table.read("decay_vectors", out.decay_vectors);
  table.finish();  // a key that is misspelt explains what is wrong
  checked(table, "", [&] { make_optimizer(out, {at::zeros({1}).requires_grad_()}); });
}

void read_learning_rate(Table& table, LearningRate& out) {
  table.read_name("schedule", [&](const std::string& text) { out.schedule = parse_rate_schedule(text); });
  table.read("warmup", out.warmup);
  table.read("gamma", out.gamma);
  table.read("milestones", out.milestones);
  table.read("final", out.final);
  table.read("rise", out.rise);
  table.read("start_divisor", out.start_divisor);
  table.read("final_divisor", out.final_divisor);
  table.finish();
  checked(table, "", [&] { out.factor(0, 1); });
}

void read_training(Table& table, Training& out) {
  table.read("epochs", out.epochs);
  if (out.epochs < 0) table.fail("epochs", "expected 0 or more, found " + std::to_string(out.epochs));
  table.read_table("optimizer", [&](Table& inner) { read_optimizer(inner, out.optimizer); });
  table.read_table("learning_rate", [&](Table& inner) { read_learning_rate(inner, out.learning_rate); });
  table.read_name("loss", [&](const std::string& text) {
    make_loss(text, 0);
    out.loss = text;
  });
  table.read("label_smoothing", out.label_smoothing);
  table.read("clip_norm", out.clip_norm);
  table.read("accumulate", out.accumulate);
  table.read_name("precision", [&](const std::string& text) { out.precision = parse_precision(text); });
  table.read("keep_best", out.keep_best);
  checked(table, "label_smoothing", [&] { make_loss(out.loss, out.label_smoothing); });
  if (!(out.clip_norm >= 0)) table.fail("clip_norm", "expected 0 or more, found " + std::to_string(out.clip_norm));
  if (out.accumulate < 1) table.fail("accumulate", "expected 1 or more, found " + std::to_string(out.accumulate));
}

void read_distillation(Table& table, Training& out) {
  table.read_table("distillation", [&](Table& inner) {
    Distillation& distillation = out.distillation.emplace();
    inner.read_name("kind", [&](const std::string& text) {
      distillation.kind = parse_distillation(text);
      if (distillation.kind == DistillationKind::attention || distillation.kind == DistillationKind::fitnet)
        throw Error("expected soft_target, logits or decoupled, found \"" + text + "\", which compares activations");
    });
    inner.read("temperature", distillation.temperature);
    inner.read("alpha", distillation.alpha);
    inner.finish();
    checked(inner, "", [&] {
      const DistillationCallback callback(
          {.kind = distillation.kind, .temperature = distillation.temperature, .alpha = distillation.alpha});
    });
  });
}

void read_pruner(Table& table, PrunerOptions& out) {
  double whole = 0;
  table.read_ratio("pruning_ratio", whole);
  out.pruning_ratio = whole;
  table.read_ratios("layer_ratios", [&](const std::string& name, double ratio) { out.layer_ratios[name] = ratio; });
  table.read("ignored_layers", out.ignored_layers);
  table.read_ratio("target_macs", out.target_macs);
  table.read_ratio("target_parameters", out.target_parameters);
  table.read_name("context", [&](const std::string& text) { out.context = pruning::parse_context(text); });
  table.read_name("criterion", [&](const std::string& text) { out.criterion = parse_criterion(text); });
  table.read_name("schedule", [&](const std::string& text) { out.schedule = pruning::parse_schedule(text); });
  table.read_name("reduction", [&](const std::string& text) { out.reduction = importance::parse_reduction(text); });
  table.read_name("normalizer", [&](const std::string& text) { out.normalizer = importance::parse_normalizer(text); });
  table.read("iterative_steps", out.iterative_steps);
  table.read("round_to", out.round_to);
  table.read("min_units", out.min_units);
  table.read("exact_only", out.exact_only);
}

void read_pruning(Table& table, Pruning& out) {
  out.method = Method::one_shot;
  table.read_name("method", [&](const std::string& text) { out.method = base::parse_name("method", methods, text); });
  read_pruner(table, out.pruner);
  table.read("start", out.window.start);
  table.read("end", out.window.end);
  table.read("calibration_batches", out.calibration_batches);
  if (out.calibration_batches < 1)
    table.fail("calibration_batches", "expected 1 or more, found " + std::to_string(out.calibration_batches));
  table.read("recalibration_batches", out.recalibration_batches);
  table.read("iterations", out.iterations);
  table.read("most_lost", out.most_lost);
  table.read("backoffs", out.backoffs);
  table.read("backoff", out.backoff);
  read_training(table, out.training);
  read_distillation(table, out.training);
  table.finish();  // a key that is misspelt explains what is missing
  const PrunerOptions& pruner = out.pruner;
  const bool asked = pruner.pruning_ratio.whole() > 0 || !pruner.layer_ratios.empty() || pruner.target_macs ||
                     pruner.target_parameters;
  if (out.method != Method::none && !asked)
    table.fail("", "expected pruning_ratio, layer_ratios, target_macs or target_parameters, found none");
  const bool learns = out.method == Method::gradual || out.method == Method::iterative;
  if (learns && out.training.epochs == 0)
    table.fail("epochs", "expected 1 or more, for the network learns while it is pruned");
  if (out.method == Method::one_shot && out.training.epochs > 0)
    table.fail("epochs", "expected none with method one_shot: [recover] trains what was cut");
  if (out.method == Method::none) return;  // the others wait for another method
  const std::string method = "method " + std::string(base::find_name(methods, out.method));
  if (out.method != Method::one_shot) expect_none(table, {"iterative_steps", "recalibration_batches"}, method);
  if (out.method != Method::gradual) expect_none(table, {"start", "end"}, method);
  if (out.method != Method::iterative) expect_none(table, {"iterations", "most_lost", "backoffs", "backoff"}, method);
  if (out.method == Method::one_shot) expect_none(table, training_keys, method);
}

void read_sparsify(Table& table, Sparsify& out) {
  sparsity::SparsifyOptions& what = out.what;
  const bool asked = table.has("sparsity");
  table.read_name("pattern", [&](const std::string& text) { what.pattern = sparsity::parse_pattern(text); });
  table.read_ratio("sparsity", what.sparsity);
  table.read_ratios("layers", [&](const std::string& name, double share) { what.layers.emplace_back(name, share); });
  table.read("ignore", what.ignore);
  table.read("keep_classifier", what.keep_classifier);
  table.read_name("context", [&](const std::string& text) { what.context = sparsity::parse_context(text); });
  table.read_name("granularity",
                  [&](const std::string& text) { what.granularity = sparsity::parse_granularity(text); });
  table.read_name("criterion", [&](const std::string& text) {
    const Criterion criterion = parse_criterion(text);
    if (criterion.options().initial)
      throw Error("expected one told from the weights of now or from data, found \"" + text + "\"");
    if (criterion.weights_only())
      what.criterion = *criterion.weights_only();
    else
      out.criterion = criterion;
  });
  table.read("calibration_batches", out.calibration_batches);
  if (out.calibration_batches < 1)
    table.fail("calibration_batches", "expected 1 or more, found " + std::to_string(out.calibration_batches));
  table.read_name("schedule", [&](const std::string& text) { out.when.schedule = pruning::parse_schedule(text); });
  table.read("start", out.when.window.start);
  table.read("end", out.when.window.end);
  table.read_ratio("initial", out.when.initial);
  table.read("frequency", out.when.frequency);
  read_training(table, out.training);
  read_distillation(table, out.training);
  table.read("rounds", out.rounds);
  table.read("rewind_epoch", out.rewind_epoch);
  table.read_name("method",
                  [&](const std::string& text) { out.method = base::parse_name("method", sparsify_methods, text); });
  table.finish();  // a key that is misspelt explains what is missing
  if (!asked && !sparsity::pattern_sparsity(what.pattern))
    table.fail("", "expected sparsity, or a pattern N:M that makes its own, found neither");
  if (asked && sparsity::contradicts(what.pattern, what.sparsity))
    table.fail("sparsity", "expected none with pattern " + sparsity::to_string(what.pattern) + ", which makes its own");
  const std::string method = "method " + std::string(base::find_name(sparsify_methods, out.method));
  const bool rounds = out.method == SparsifyMethod::iterative || out.method == SparsifyMethod::lottery;
  const bool learns = out.method == SparsifyMethod::iterative || out.method == SparsifyMethod::gradual;
  if (out.method != SparsifyMethod::gradual)
    expect_none(table, {"schedule", "start", "end", "initial", "frequency"}, method);
  if (out.method != SparsifyMethod::one_shot && what.criterion == importance::Criterion::small_final)
    table.fail("criterion", "expected one that drops the smallest with " + method + ", found \"small_final\"");
  if (out.method == SparsifyMethod::gradual && out.criterion)
    table.fail("criterion",
               "expected one told from the weights with method gradual, found \"" + out.criterion->name() + "\"");
  if (!out.criterion) expect_none(table, {"calibration_batches"}, "a criterion told from the weights");
  if (!rounds) expect_none(table, {"rounds"}, method);
  if (out.method != SparsifyMethod::lottery) expect_none(table, {"rewind_epoch"}, method);
  if (!learns) {
    expect_none(table, {"epochs"}, method);
    expect_none(table, training_keys, method);
  }
  if (learns && out.training.epochs == 0)
    table.fail("epochs", "expected 1 or more, for the network learns while it is made sparse");
  if (out.rounds < 1) table.fail("rounds", "expected 1 or more, found " + std::to_string(out.rounds));
  if (rounds && out.rounds > 1 && what.pattern.kind == sparsity::Pattern::Kind::keep_of)
    table.fail("rounds", "expected 1 with pattern " + sparsity::to_string(what.pattern) + ", found " +
                             std::to_string(out.rounds));
}

// A round of a lottery trains the whole network as [train] did.
void check_lottery(Table& table, const Recipe& recipe) {
  const std::int64_t epoch = recipe.sparsify->rewind_epoch;
  if (recipe.train.epochs == 0)
    table.fail("sparsify", "expected [train] with method lottery, whose rounds repeat it, found none");
  if (recipe.prune.method != Method::none)
    table.fail("sparsify", "expected no [prune] with method lottery, for widths must stay");
  if (epoch < 0 || epoch >= recipe.train.epochs)
    table.fail("sparsify.rewind_epoch", "expected an epoch of [train] from 0 to " +
                                            std::to_string(recipe.train.epochs - 1) + ", found " +
                                            std::to_string(epoch));
}

void read_evaluate(Table& table, Evaluate& out) {
  table.read("metrics", out.metrics);
  for (const std::string& name : out.metrics) checked(table, "metrics", [&] { make_metric(name); });
  if (out.metrics.empty()) table.fail("metrics", "expected one or more, found none");
  table.read("baselines", out.baselines);
}

void read_export(Table& table, Export& out) {
  table.read("onnx", out.onnx);
  if (out.onnx.empty() || out.onnx.find('/') != std::string::npos)
    table.fail("onnx", "expected the name of a file, which stands in the output folder, found \"" + out.onnx + "\"");
  if (out.onnx == "report.json" || out.onnx == "report.txt" || out.onnx == "fingerprint")
    table.fail("onnx", "expected a name that no other result has, found \"" + out.onnx + "\"");
}

// The tables on which a training depends, whatever their order, spacing and comments.
std::string beginning(const toml::table& root) {
  toml::table out;
  for (const char* key : {"seed", "data", "model", "train"})
    if (const toml::node* node = root.get(key)) out.insert(key, *node);
  if (const toml::node* metrics = root.at_path("evaluate.metrics").node()) out.insert("metrics", *metrics);
  std::ostringstream text;
  text << out;
  return text.str();
}

}  // namespace

Recipe parse(std::string_view toml, const std::string& where) {
  toml::table root;
  try {
    root = toml::parse(toml, where);
  } catch (const toml::parse_error& error) {
    throw Error(where + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
  Recipe out;
  out.fingerprint = toml;
  out.beginning = beginning(root);
  Table table(root, where, "");
  table.read("seed", out.seed);
  table.read("seeds", out.seeds);
  if (out.seeds < 1) table.fail("seeds", "expected 1 or more, found " + std::to_string(out.seeds));
  table.read_table("data", [&](Table& inner) { read_data(inner, out.data); });
  table.read_table("model", [&](Table& inner) {
    inner.read("file", out.model.file);
    inner.read("zoo", out.model.zoo);
  });
  table.read_table("train", [&](Table& inner) { read_training(inner, out.train); });
  table.read_table("prune", [&](Table& inner) { read_pruning(inner, out.prune); });
  table.read_table("sparsify", [&](Table& inner) { read_sparsify(inner, out.sparsify.emplace()); });
  table.read_table("recover", [&](Table& inner) {
    read_training(inner, out.recover);
    read_distillation(inner, out.recover);
  });
  table.read_table("evaluate", [&](Table& inner) { read_evaluate(inner, out.evaluate); });
  table.read_table("export", [&](Table& inner) { read_export(inner, out.output); });
  table.finish();
  if (out.data.training.empty()) table.fail("data.training", "expected the name of data to train on, found none");
  if (out.model.file.empty() == out.model.zoo.empty())
    table.fail("model",
               std::string("expected either file or zoo, found ") + (out.model.file.empty() ? "none" : "both"));
  if (out.sparsify && out.sparsify->method == SparsifyMethod::lottery) check_lottery(table, out);
  if (out.train.epochs == 0 && out.prune.method == Method::none && !out.sparsify && out.recover.epochs == 0)
    throw Error(where + ": expected something to do in [train], [prune], [sparsify] or [recover], found nothing");
  return out;
}

Recipe read(const std::string& path) {
  const auto file = base::MappedFile::open(path);
  const auto bytes = file->bytes();
  return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

}  // namespace coppice::recipe

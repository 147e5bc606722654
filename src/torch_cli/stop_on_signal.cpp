#include "torch_cli/stop_on_signal.hpp"

#include <csignal>

namespace coppice::cli {
namespace {

volatile std::sig_atomic_t asked = 0;
struct sigaction usual_interrupt, usual_end;

void ask(int signal) {
  asked = 1;
  ::sigaction(signal, signal == SIGINT ? &usual_interrupt : &usual_end, nullptr);
}

}  // namespace

StopOnSignal::StopOnSignal() {
  asked = 0;
  struct sigaction action {};
  action.sa_handler = ask;
  ::sigaction(SIGINT, &action, &usual_interrupt);
  ::sigaction(SIGTERM, &action, &usual_end);
}

StopOnSignal::~StopOnSignal() {
  ::sigaction(SIGINT, &usual_interrupt, nullptr);
  ::sigaction(SIGTERM, &usual_end, nullptr);
}

bool StopOnSignal::requested() {
  return asked != 0;
}

}  // namespace coppice::cli

#include "cli/run_program.hpp"

int main(int argc, char** argv) {
  return coppice::cli::run_program(argc, argv, nullptr);
}

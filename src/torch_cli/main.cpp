#include "cli/run_program.hpp"
#include "torch_cli/services.hpp"

int main(int argc, char** argv) {
  coppice::cli::Services services;
  return coppice::cli::run_program(argc, argv, &services);
}

#pragma once

namespace coppice::cli {

class TorchServices;

/// The whole of a program: parses the arguments, runs the command, says what went wrong, and returns the exit code (0
/// done, 1 failed, 2 wrong use). Without services, commands that need libtorch are handed over to coppice-torch, which
/// stands beside this program or on the PATH.
int run_program(int argc, char** argv, TorchServices* services);

}  // namespace coppice::cli

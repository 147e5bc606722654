// Writes a reference architecture with its tensors in a side file: side_file_model NAME OUT
#include <cstdio>

#include "coppice/formats/onnx.hpp"
#include "coppice/zoo/zoo.hpp"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: side_file_model NAME OUT\n");
    return 2;
  }
  using coppice::formats::WriteOptions;
  coppice::formats::write_onnx(coppice::zoo::build(argv[1]), argv[2], {WriteOptions::External::large});
}

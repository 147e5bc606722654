# The rooms of the house, lowest first; USES names rooms that stand above in this list.
coppice_room(base PRIVATE Threads::Threads)
include(cmake/coppice_highway.cmake)
coppice_room(tensor USES base PRIVATE hwy::hwy)
coppice_room(graph USES tensor)

# Only the generated messages are wanted: ONNX's main library registers every operator schema before main() starts.
find_package(Protobuf REQUIRED)
find_path(ONNX_INCLUDE_DIR onnx/onnx_pb.h REQUIRED)
find_library(ONNX_PROTO_LIBRARY NAMES onnx_proto onnx NAMES_PER_DIR REQUIRED)
find_package(ZLIB REQUIRED)
find_path(MINIZIP_INCLUDE_DIR minizip/unzip.h REQUIRED)
find_library(MINIZIP_LIBRARY minizip REQUIRED)
# Of JSON only headers are used, inside: an installed package need not find it.
find_package(nlohmann_json REQUIRED)
coppice_room(formats USES graph PRIVATE ${ONNX_PROTO_LIBRARY} ${Protobuf_LIBRARIES} ${MINIZIP_LIBRARY} ZLIB::ZLIB
  $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
coppice_room(zoo USES graph)
coppice_room(coupling USES graph)
coppice_room(importance USES coupling)
coppice_room(pruning USES importance PRIVATE $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
coppice_room(sparsity USES pruning formats)
coppice_room(analysis USES pruning PRIVATE $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
find_package(CLI11 REQUIRED)
coppice_room(cli USES analysis sparsity zoo formats PRIVATE CLI11::CLI11 nlohmann_json::nlohmann_json)

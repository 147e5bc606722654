# What tests share: ONNX Runtime as a referee, and graphs to try things on.
find_package(nlohmann_json REQUIRED)
find_program(COPPICE_NODE node)
set(COPPICE_NODE_MODULES ${CMAKE_SOURCE_DIR}/build/npm/node_modules CACHE PATH
  "Folder with the npm packages of tests/npm/package.json")

add_library(coppice_test_referee STATIC support/child_process.cpp support/ort_referee.cpp)
target_include_directories(coppice_test_referee PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(coppice_test_referee PRIVATE nlohmann_json::nlohmann_json)
target_compile_definitions(coppice_test_referee PRIVATE
  COPPICE_NODE="$<IF:$<BOOL:${COPPICE_NODE}>,${COPPICE_NODE},>"
  COPPICE_REFEREE_SCRIPT="${CMAKE_CURRENT_SOURCE_DIR}/npm/referee.mjs"
  COPPICE_DEFAULT_NODE_MODULES="${COPPICE_NODE_MODULES}")

file(GLOB graph_sources CONFIGURE_DEPENDS support/random_graph.cpp support/special_graphs.cpp support/random/*.cpp support/special/*.cpp support/mixing/*.cpp)
add_library(coppice_test_graphs STATIC ${graph_sources})
target_compile_options(coppice_test_graphs PRIVATE -O1)  # built often, run briefly
target_link_libraries(coppice_test_graphs PUBLIC coppice_graph coppice_test_referee)

add_library(coppice_test_proof STATIC support/proof.cpp)
target_link_libraries(coppice_test_proof PUBLIC coppice_pruning coppice_formats coppice_test_referee)

# write_random_graph SEED OUT.onnx (or a special graph's name): the graph of a failed test, for a closer look.
add_executable(write_random_graph EXCLUDE_FROM_ALL support/write_random_graph.cpp)
target_link_libraries(write_random_graph PRIVATE coppice_test_graphs coppice_formats)

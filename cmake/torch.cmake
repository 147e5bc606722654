# The room of libtorch, where libtorch is: coppice::torch, and the program coppice-torch. The core never links it.
option(COPPICE_TORCH "Build the room torch and the program coppice-torch where libtorch is found" ON)
if(COPPICE_TORCH)
  include(cmake/coppice_libtorch.cmake)
endif()
if(NOT TARGET coppice_libtorch)
  message(STATUS "libtorch was not found, or not wanted: no coppice-torch")
  return()
endif()

coppice_room(torch USES analysis sparsity zoo formats PRIVATE $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
target_link_libraries(coppice_torch PUBLIC coppice_libtorch)
# The headers of libtorch take many times longer than what includes them, and the fewer of them the better: the kernels
# see tensors only. Nothing here is hot: the loops are libtorch's and those of the room tensor.
get_target_property(sources coppice_torch SOURCES)
set(kernel_sources ${sources})
list(FILTER kernel_sources INCLUDE REGEX "/src/torch/(kernels|executor|trace/ops)/")
list(FILTER sources EXCLUDE REGEX "/src/torch/(kernels|executor|trace/ops)/")
add_library(coppice_torch_kernels OBJECT ${kernel_sources})
target_include_directories(coppice_torch_kernels PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
target_link_libraries(coppice_torch_kernels PRIVATE coppice_graph coppice_libtorch)
target_precompile_headers(coppice_torch_kernels PRIVATE include/coppice/torch/aten.hpp)
set_target_properties(coppice_torch PROPERTIES SOURCES "${sources}")
target_sources(coppice_torch PRIVATE $<TARGET_OBJECTS:coppice_torch_kernels>)
target_precompile_headers(coppice_torch PRIVATE include/coppice/torch/libtorch.hpp)
foreach(target coppice_torch coppice_torch_kernels)
  target_compile_options(${target} PRIVATE -O1)
endforeach()

# Samples, and the loop of training, pruning and recovery.
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
coppice_room(data USES torch PRIVATE JPEG::JPEG PNG::PNG)
# Of TOML, too, only headers are used, inside.
find_path(TOML_INCLUDE_DIR toml++/toml.h REQUIRED)
coppice_room(train USES data PRIVATE $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
target_include_directories(coppice_train SYSTEM PRIVATE ${TOML_INCLUDE_DIR})
foreach(room data train)
  target_compile_options(coppice_${room} PRIVATE -O1)
  target_precompile_headers(coppice_${room} REUSE_FROM coppice_torch)
endforeach()

# Installed apart from the core, which must be usable without libtorch.
get_property(rooms GLOBAL PROPERTY COPPICE_ROOMS)
list(REMOVE_ITEM rooms torch data train)
set_property(GLOBAL PROPERTY COPPICE_ROOMS ${rooms})

# The program: the commands of the room cli, with the work that libtorch does.
coppice_room(torch_cli USES train cli PRIVATE CLI11::CLI11 nlohmann_json::nlohmann_json)
get_target_property(sources coppice_torch_cli SOURCES)
list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
set_target_properties(coppice_torch_cli PROPERTIES SOURCES "${sources}")
target_compile_options(coppice_torch_cli PRIVATE -O1)
target_precompile_headers(coppice_torch_cli REUSE_FROM coppice_torch)
get_property(rooms GLOBAL PROPERTY COPPICE_ROOMS)
list(REMOVE_ITEM rooms torch_cli)
set_property(GLOBAL PROPERTY COPPICE_ROOMS ${rooms})

add_executable(coppice-torch src/torch_cli/main.cpp)
target_include_directories(coppice-torch PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
target_link_libraries(coppice-torch PRIVATE coppice_torch_cli CLI11::CLI11)
set_target_properties(coppice-torch PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
install(TARGETS coppice-torch RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

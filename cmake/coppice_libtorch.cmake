# Provides coppice_libtorch where libtorch is installed: Debian's libtorch-dev, or LibTorch 2.x found through
# CMAKE_PREFIX_PATH (python3 -c "import torch; print(torch.utils.cmake_prefix_path)"). Installed beside the package
# configuration, as whoever links coppice::torch needs libtorch too.
function(coppice_find_libtorch)
  if(TARGET coppice_libtorch)
    return()
  endif()
  set(CMAKE_MESSAGE_LOG_LEVEL WARNING)  # its configuration reports every dependency
  find_package(Torch QUIET CONFIG)
  if(NOT Torch_FOUND)
    return()
  endif()
  add_library(coppice_libtorch INTERFACE IMPORTED GLOBAL)
  target_link_libraries(coppice_libtorch INTERFACE ${TORCH_LIBRARIES})
  target_include_directories(coppice_libtorch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
  separate_arguments(flags NATIVE_COMMAND "${TORCH_CXX_FLAGS}")
  target_compile_options(coppice_libtorch INTERFACE ${flags})
endfunction()
coppice_find_libtorch()

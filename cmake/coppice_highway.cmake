# Provides hwy::hwy. Some distributions' libhwy-dev come without the CMake package. Installed beside the package
# configuration, as whoever links the static libraries needs Highway too.
find_package(hwy QUIET CONFIG)
if(NOT TARGET hwy::hwy)
  find_path(COPPICE_HWY_INCLUDE_DIR hwy/highway.h)
  find_library(COPPICE_HWY_LIBRARY hwy)
  if(NOT COPPICE_HWY_INCLUDE_DIR OR NOT COPPICE_HWY_LIBRARY)
    message(FATAL_ERROR "Highway was not found: install libhwy-dev")
  endif()
  add_library(hwy::hwy UNKNOWN IMPORTED)
  set_target_properties(hwy::hwy PROPERTIES IMPORTED_LOCATION ${COPPICE_HWY_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${COPPICE_HWY_INCLUDE_DIR})
endif()

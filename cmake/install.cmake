# cmake --install: the program, the libraries of all rooms, the headers, and a package for find_package(coppice).
include(CMakePackageConfigHelpers)
set(COPPICE_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/coppice)

get_property(rooms GLOBAL PROPERTY COPPICE_ROOMS)
list(TRANSFORM rooms PREPEND coppice_ OUTPUT_VARIABLE room_targets)

# coppice::coppice: everything.
add_library(coppice_everything INTERFACE)
set_target_properties(coppice_everything PROPERTIES EXPORT_NAME coppice)
target_link_libraries(coppice_everything INTERFACE ${room_targets})
add_library(coppice::coppice ALIAS coppice_everything)

install(TARGETS ${room_targets} coppice_everything EXPORT coppice ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET coppice_torch)
  foreach(room torch data train)
    set_target_properties(coppice_${room} PROPERTIES EXPORT_NAME ${room})
    add_library(coppice::${room} ALIAS coppice_${room})
    install(TARGETS coppice_${room} EXPORT coppice_torch ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  endforeach()
  install(EXPORT coppice_torch NAMESPACE coppice:: FILE coppiceTorchTargets.cmake DESTINATION ${COPPICE_PACKAGE_DIR})
  install(FILES cmake/coppice_libtorch.cmake DESTINATION ${COPPICE_PACKAGE_DIR})
endif()
install(DIRECTORY include/coppice DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
install(EXPORT coppice NAMESPACE coppice:: FILE coppiceTargets.cmake DESTINATION ${COPPICE_PACKAGE_DIR})
configure_package_config_file(cmake/coppiceConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/coppiceConfig.cmake
  INSTALL_DESTINATION ${COPPICE_PACKAGE_DIR})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/coppiceConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/coppice_highway.cmake ${CMAKE_CURRENT_BINARY_DIR}/coppiceConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/coppiceConfigVersion.cmake
  DESTINATION ${COPPICE_PACKAGE_DIR})
if(TARGET coppice)
  install(TARGETS coppice RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

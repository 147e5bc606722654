# The program: main.cpp over the room cli, which holds one file a command.
get_target_property(cli_sources coppice_cli SOURCES)
list(FILTER cli_sources EXCLUDE REGEX "/main\\.cpp$")
set_target_properties(coppice_cli PROPERTIES SOURCES "${cli_sources}")
target_compile_definitions(coppice_cli PRIVATE COPPICE_VERSION="${PROJECT_VERSION}")
# Nothing here is hot, and the headers of CLI11 and JSON take long to optimise.
target_compile_options(coppice_cli PRIVATE -O1)
# The commands are no part of the library.
get_property(rooms GLOBAL PROPERTY COPPICE_ROOMS)
list(REMOVE_ITEM rooms cli)
set_property(GLOBAL PROPERTY COPPICE_ROOMS ${rooms})

add_executable(coppice src/cli/main.cpp)
target_include_directories(coppice PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
target_link_libraries(coppice PRIVATE coppice_cli CLI11::CLI11)
set_target_properties(coppice PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

# Completion for bash is told by the program itself, so that it never goes stale.
add_custom_command(TARGET coppice POST_BUILD
  COMMAND coppice completion bash > ${CMAKE_BINARY_DIR}/coppice.bash-completion VERBATIM)
install(FILES ${CMAKE_BINARY_DIR}/coppice.bash-completion
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME coppice)

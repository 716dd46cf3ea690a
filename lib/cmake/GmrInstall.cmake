# find_package(gmr) and pkg-config for whoever uses the installed library.
include(CMakePackageConfigHelpers)

set(GMR_TRACE_TARGETS gmr_trace gmr_trace_interpose gmr_trace_wrap gmr_trace_threads gmr_trace_ops)
install(TARGETS gmr gmr_trace_interpose_objects gmr_trace_wrap_objects gmr_trace_threads_objects
                gmr_trace_ops_objects ${GMR_TRACE_TARGETS}
        EXPORT gmr-targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        OBJECTS DESTINATION ${CMAKE_INSTALL_LIBDIR}/gmr)
install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
# Headers that stand before those of Boost: only users of gmr::trace have this folder on their path.
install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/trace/include/
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gmr/trace/shadow)

set(gmr_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/gmr)
install(EXPORT gmr-targets NAMESPACE gmr:: DESTINATION ${gmr_package_dir})
set(GMR_BOOST_COMPONENTS context program_options url)
# Who links the archive needs what it needs; a shared libgmr brings its own.
set(GMR_PC_REQUIRES "Requires: libdw libelf")
if(BUILD_SHARED_LIBS)
  set(GMR_PC_REQUIRES "Requires.private: libdw libelf")
endif()
set(GMR_PC_BOOST "-lboost_program_options -lboost_url")
if(GMR_BACKEND STREQUAL "stacktrace")
  list(APPEND GMR_BOOST_COMPONENTS stacktrace_backtrace)
  set(GMR_PC_REQUIRES "")
  string(APPEND GMR_PC_BOOST " -lboost_stacktrace_backtrace")
endif()
string(REPLACE ";" " " GMR_BOOST_COMPONENTS "${GMR_BOOST_COMPONENTS}")
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/gmr-config.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/gmr-config.cmake INSTALL_DESTINATION ${gmr_package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/gmr-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/gmr-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/gmr-config-version.cmake DESTINATION ${gmr_package_dir})

# The objects of the opt-ins as one file each, since pkg-config can only name files. The hook serves a
# shared Boost.Context; with a static one use CMake, whose gmr::trace wraps the symbols instead.
function(gmr_install_one_object name objects)
  set(file ${CMAKE_CURRENT_BINARY_DIR}/${name}.o)
  add_custom_command(OUTPUT ${file}
    COMMAND ${CMAKE_LINKER} -r -o ${file} $<TARGET_OBJECTS:${objects}>
    DEPENDS ${objects} $<TARGET_OBJECTS:${objects}>
    COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(${objects}_together ALL DEPENDS ${file})
  install(FILES ${file} DESTINATION ${CMAKE_INSTALL_LIBDIR}/gmr)
endfunction()
gmr_install_one_object(gmr-trace gmr_trace_interpose_objects)
gmr_install_one_object(gmr-trace-ops gmr_trace_ops_objects)

# They name the prefix relative to their own place: `cmake --install --prefix` may choose another.
file(RELATIVE_PATH GMR_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
foreach(module gmr gmr-trace gmr-trace-ops)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${module}.pc.in ${CMAKE_CURRENT_BINARY_DIR}/${module}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${module}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

install(FILES ${CMAKE_CURRENT_SOURCE_DIR}/gdb/gmr-gdb.py ${CMAKE_CURRENT_SOURCE_DIR}/gdb/gmr_names.py
        DESTINATION ${CMAKE_INSTALL_DATADIR}/gmr)

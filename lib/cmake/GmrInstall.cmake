# What is installed: the libraries, their headers, the objects of the opt-ins, and find_package(gmr). See GmrPkgConfig.cmake
# for whoever does without CMake.
include(CMakePackageConfigHelpers)

set(GMR_TRACE_TARGETS gmr_trace gmr_trace_interpose gmr_trace_wrap gmr_trace_threads gmr_trace_ops)
set(GMR_TRACE_OBJECTS gmr_trace_interpose_objects gmr_trace_wrap_objects gmr_trace_threads_objects)
if(GMR_TRACES_OPERATIONS)
  list(APPEND GMR_TRACE_OBJECTS gmr_trace_ops_objects)
endif()
install(TARGETS gmr ${GMR_TRACE_OBJECTS} ${GMR_TRACE_TARGETS}
        EXPORT gmr-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        OBJECTS DESTINATION ${CMAKE_INSTALL_LIBDIR}/gmr)
# What a program with libgmr.so needs, which does without the libraries that the static one needs.
set(GMR_SHARED_TARGETS gmr_trace_headers)
if(TARGET gmr_shared)
  list(APPEND GMR_SHARED_TARGETS gmr_shared gmr_trace_shared)
endif()
install(TARGETS ${GMR_SHARED_TARGETS} EXPORT gmr-shared-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/include/ ${GMR_GENERATED_INCLUDE}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
# Headers that stand before those of Boost: only users of gmr::trace have this folder on their path.
install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/shadow/include/
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gmr/trace/shadow)

set(gmr_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/gmr)
install(EXPORT gmr-targets NAMESPACE gmr:: DESTINATION ${gmr_package_dir})
install(EXPORT gmr-shared-targets NAMESPACE gmr:: DESTINATION ${gmr_package_dir})
set(GMR_BOOST_COMPONENTS context program_options url)
set(GMR_NEEDS_LIBDW ON)
if(NOT GMR_BACKEND STREQUAL "libdw")
  set(GMR_NEEDS_LIBDW OFF)
endif()
if(GMR_BACKEND STREQUAL "stacktrace")
  list(APPEND GMR_BOOST_COMPONENTS stacktrace_backtrace)
endif()
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/gmr-config.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/gmr-config.cmake INSTALL_DESTINATION ${gmr_package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/gmr-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/gmr-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/gmr-config-version.cmake
              ${CMAKE_CURRENT_LIST_DIR}/gmr-find-boost.cmake DESTINATION ${gmr_package_dir})

include(GmrPkgConfig)

install(FILES ${CMAKE_CURRENT_SOURCE_DIR}/gdb/gmr-gdb.py ${CMAKE_CURRENT_SOURCE_DIR}/gdb/gmr_names.py
        DESTINATION ${CMAKE_INSTALL_DATADIR}/gmr)

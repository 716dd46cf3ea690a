# libgmr.so, for programs of several libraries: gmr::gmr_shared and gmr::trace_shared. It has the fiber hook inside, and is linked
# from the objects of the static library.
if(NOT GMR_SHARED OR GMR_SANITIZE OR NOT GMR_BACKEND STREQUAL "libdw")
  return()
endif()
get_target_property(context_is_static Boost::context GMR_STATIC)
set(why "")
if(context_is_static)
  set(why "its hook stands before a shared Boost.Context, and this one is static")
elseif(CMAKE_INTERPROCEDURAL_OPTIMIZATION OR "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${CMAKE_BUILD_TYPE}}" MATCHES "-flto")
  set(why "it is linked from the objects of the static library, which have no code with -flto")
elseif(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
  set(why "a program that prepares it is run, and there is no CMAKE_CROSSCOMPILING_EMULATOR")
endif()
if(why)
  message(STATUS "not building libgmr.so: ${why}")
  return()
endif()

# The objects again, with names that can be exported.
add_executable(gmr_show_symbols ${CMAKE_CURRENT_LIST_DIR}/show_symbols.cpp)
target_compile_options(gmr_show_symbols PRIVATE -g0)
target_link_libraries(gmr_show_symbols PRIVATE gmr_warnings)
target_compile_features(gmr_show_symbols PRIVATE cxx_std_20)
set_target_properties(gmr_show_symbols PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
set(shown ${CMAKE_CURRENT_BINARY_DIR}/libgmr_shown.a)
add_custom_command(OUTPUT ${shown} COMMAND gmr_show_symbols $<TARGET_FILE:gmr> ${shown}
                   DEPENDS gmr gmr_show_symbols VERBATIM)
add_custom_target(gmr_shown DEPENDS ${shown})

add_library(gmr_shared_objects OBJECT src/hook/program_variables.cpp)
target_include_directories(gmr_shared_objects PRIVATE src)
target_link_libraries(gmr_shared_objects PRIVATE gmr::gmr gmr_library_settings)
set_target_properties(gmr_shared_objects PROPERTIES POSITION_INDEPENDENT_CODE ON)

set(map ${CMAKE_CURRENT_LIST_DIR}/libgmr.map)
set(list ${CMAKE_CURRENT_LIST_DIR}/libgmr.list)
add_library(gmr_shared SHARED $<TARGET_OBJECTS:gmr_trace_interpose_objects> $<TARGET_OBJECTS:gmr_shared_objects>)
add_library(gmr::gmr_shared ALIAS gmr_shared)
add_dependencies(gmr_shared gmr_shown)
get_target_property(includes gmr INTERFACE_INCLUDE_DIRECTORIES)
target_include_directories(gmr_shared INTERFACE ${includes})
target_compile_features(gmr_shared INTERFACE cxx_std_20)
target_link_libraries(gmr_shared INTERFACE Boost::headers Threads::Threads PRIVATE $<BUILD_INTERFACE:Boost::context>
  $<BUILD_INTERFACE:Boost::program_options> $<BUILD_INTERFACE:Boost::url> $<BUILD_INTERFACE:PkgConfig::LIBDW>
  $<BUILD_INTERFACE:${CMAKE_DL_LIBS}>)
# The code was compiled for hidden names, and so takes them to be of its own module.
target_link_options(gmr_shared PRIVATE LINKER:--dynamic-list=${list} LINKER:--no-undefined LINKER:--as-needed
  LINKER:--version-script=${map} LINKER:--whole-archive,${shown},--no-whole-archive)
set_target_properties(gmr_shared PROPERTIES OUTPUT_NAME gmr LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} LINK_DEPENDS "${shown};${map};${list}" INSTALL_RPATH_USE_LINK_PATH ON)

# The first of the program's libraries, so that the hook is found before Boost.Context.
add_library(gmr_trace_shared INTERFACE)
add_library(gmr::trace_shared ALIAS gmr_trace_shared)
set_target_properties(gmr_trace_shared PROPERTIES EXPORT_NAME trace_shared)
target_link_options(gmr_trace_shared INTERFACE
  "SHELL:LINKER:--push-state,--no-as-needed $<TARGET_FILE:gmr::gmr_shared> LINKER:--pop-state")
target_link_libraries(gmr_trace_shared INTERFACE gmr::trace_headers gmr::gmr_shared)

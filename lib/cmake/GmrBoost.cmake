# Boost: what is found, and what a newer one than those that gmr is tested with is put to before its coroutines and
# operations are traced.

set(GMR_BOOST_MINIMUM 1.81)
set(GMR_BOOST_NEWEST_TESTED 1.92)

# gmr_find_boost(COMPONENTS...): find_package for all of gmr, with one sentence for what stands in the way.
macro(gmr_find_boost)
  find_package(Boost ${GMR_BOOST_MINIMUM} QUIET CONFIG COMPONENTS ${ARGN})
  if(NOT Boost_FOUND)
    gmr_explain_missing_boost(${ARGN})
  endif()
endmacro()

function(gmr_explain_missing_boost)
  set(how "install it (config/install-packages.sh build test), or name where it is with -DCMAKE_PREFIX_PATH=PREFIX")
  set(found "none was found")
  if(Boost_CONSIDERED_VERSIONS)
    list(JOIN Boost_CONSIDERED_VERSIONS ", " versions)
    list(JOIN Boost_CONSIDERED_CONFIGS ", " configs)
    set(found "${versions} was found (${configs})")
  endif()
  find_package(Boost ${GMR_BOOST_MINIMUM} QUIET CONFIG)  # without the libraries
  if(Boost_FOUND)
    list(JOIN ARGN ", " libraries)
    message(FATAL_ERROR "gmr needs these libraries of Boost, and Boost ${Boost_VERSION} (${Boost_DIR}) does not have all "
                        "of them: ${libraries}. To go on, ${how}.")
  endif()
  message(FATAL_ERROR "gmr needs Boost ${GMR_BOOST_MINIMUM} or later, and ${found}. To go on, ${how}.")
endfunction()

# gmr_try_boost(OUT WHAT PROGRAM SOURCES...): whether a small program with tracing is right with this Boost. OUT has what
# was wrong, one line for a C++ literal, and is empty where nothing was.
function(gmr_try_boost out what program)
  set(key GMR_BOOST_${Boost_VERSION}_${what})
  if(NOT DEFINED CACHE{${key}})
    message(STATUS "Trying whether gmr can trace ${what} with Boost ${Boost_VERSION}")
    gmr_run_probe(problem ${what} ${program} ${ARGN})
    set(${key} "${problem}" CACHE INTERNAL "Why gmr can't trace ${what} with this Boost")
  endif()
  set(problem "${${key}}")
  if(problem)
    message(WARNING "gmr can't trace ${what} with Boost ${Boost_VERSION}, which is newer than those that it is tested with "
                    "(${GMR_BOOST_MINIMUM} to ${GMR_BOOST_NEWEST_TESTED}): ${problem}. gmr::gmr works without. "
                    "To have them, use a Boost that gmr is tested with, or a newer gmr. What was tried: "
                    "${CMAKE_BINARY_DIR}/gmr-boost-${what}.log")
  else()
    message(STATUS "Trying whether gmr can trace ${what} with Boost ${Boost_VERSION} - yes")
  endif()
  set(${out} "${problem}" PARENT_SCOPE)
endfunction()

function(gmr_run_probe out what program)
  set(lib ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/..)
  set(definitions)
  if(what STREQUAL "operations")
    set(definitions "-DBOOST_ASIO_CUSTOM_HANDLER_TRACKING=<gmr/detail/hook/handler_tracking.hpp>")
  endif()
  set(options SOURCES ${lib}/cmake/${program} ${ARGN} COMPILE_DEFINITIONS ${definitions}
      LINK_LIBRARIES Boost::headers Boost::url Threads::Threads ${CMAKE_DL_LIBS}
      CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${lib}/shadow/include\\;${lib}/include\\;${lib}/src\\;${GMR_GENERATED_INCLUDE}"
      CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON)
  if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
    try_compile(compiled ${options} OUTPUT_VARIABLE output NO_CACHE)
    set(ran 0)
  else()
    try_run(ran compiled ${options} COMPILE_OUTPUT_VARIABLE output RUN_OUTPUT_VARIABLE said NO_CACHE)
  endif()
  file(WRITE ${CMAKE_BINARY_DIR}/gmr-boost-${what}.log "${output}\n${said}")
  set(problem)
  if(NOT compiled)
    set(problem "a program with tracing does not compile or link")
  elseif(NOT ran EQUAL 0)
    string(STRIP "${said}" said)
    string(REGEX REPLACE "[\n\r\"\\\\]+" " " said "${said}")
    if(NOT said)
      set(said "it ended with ${ran}")
    endif()
    set(problem "a program with tracing is shown wrongly: ${said}")
  endif()
  set(${out} "${problem}" PARENT_SCOPE)
endfunction()

# gmr_probe_sources(OUT): what the probes are linked with: all that sees coroutines, and the ground floor below it as one unit.
function(gmr_probe_sources out)
  set(src ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../src)
  file(GLOB ground ${src}/text/*.cpp ${src}/os/*.cpp ${src}/os/arch/${CMAKE_SYSTEM_PROCESSOR}/*.cpp)
  list(TRANSFORM ground REPLACE "(.+)" "#include \"\\1\"\n")
  file(WRITE ${CMAKE_BINARY_DIR}/gmr-boost-ground.cpp ${ground})
  file(GLOB sources ${src}/hook/*.cpp ${src}/hook/coroutine/*.cpp ${src}/hook/loops/*.cpp ${src}/hook/notes/*.cpp ${src}/hook/operations/*.cpp ${src}/hook/threads/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/(enroll_threads|program_variables|units_[a-z_]+)[.]cpp$")  # of opt-ins, of libgmr.so, and one of the two units
  set(${out} ${CMAKE_BINARY_DIR}/gmr-boost-ground.cpp ${sources} PARENT_SCOPE)
endfunction()

# Writes gmr/detail/hook/boost_support.hpp.
function(gmr_write_boost_support)
  configure_file(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/boost_support.hpp.in
                 ${GMR_GENERATED_INCLUDE}/gmr/detail/hook/boost_support.hpp @ONLY)
endfunction()

gmr_find_boost(context program_options url)
find_package(Threads REQUIRED)
set(GMR_GENERATED_INCLUDE ${CMAKE_CURRENT_BINARY_DIR}/generated)
set(GMR_BOOST_RELEASE ${Boost_VERSION_MAJOR}.${Boost_VERSION_MINOR})
math(EXPR GMR_BOOST_VERSION "${Boost_VERSION_MAJOR} * 100000 + ${Boost_VERSION_MINOR} * 100 + ${Boost_VERSION_PATCH}")
set(GMR_COROUTINES_PROBLEM "")
set(GMR_OPERATIONS_PROBLEM "")
set(GMR_TRACES_COROUTINES true)
set(GMR_TRACES_OPERATIONS true)
gmr_write_boost_support()
if(GMR_BOOST_RELEASE VERSION_GREATER GMR_BOOST_NEWEST_TESTED)
  gmr_probe_sources(gmr_probe_sources)
  gmr_try_boost(GMR_COROUTINES_PROBLEM coroutines probe_coroutines.cpp ${gmr_probe_sources}
                ${CMAKE_CURRENT_LIST_DIR}/../src/hook/operations/units_without_trace_ops.cpp)
  gmr_try_boost(GMR_OPERATIONS_PROBLEM operations probe_operations.cpp ${gmr_probe_sources}
                ${CMAKE_CURRENT_LIST_DIR}/../src/hook/operations/units_with_trace_ops.cpp)
  foreach(what COROUTINES OPERATIONS)
    if(GMR_${what}_PROBLEM)
      set(GMR_TRACES_${what} false)
    endif()
  endforeach()
  if(NOT GMR_TRACES_COROUTINES)  # trace_ops brings them
    set(GMR_TRACES_OPERATIONS false)
    set(GMR_OPERATIONS_PROBLEM "${GMR_COROUTINES_PROBLEM}")
  endif()
  gmr_write_boost_support()
endif()

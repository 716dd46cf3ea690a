# Settings for everything this tree builds itself; nothing here reaches a consumer of gmr::gmr.

include(GmrBoost)

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  include(GmrCompilerCache)
endif()

# Warnings, language level and sanitizers of our own targets.
add_library(gmr_warnings INTERFACE)
add_library(gmr_settings INTERFACE)
target_link_libraries(gmr_settings INTERFACE gmr_warnings)
target_compile_features(gmr_settings INTERFACE cxx_std_20)
target_compile_options(gmr_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${GMR_WERROR}>>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  # Before 13, libstdc++ calls in std::stable_sort what it has deprecated itself. g++ warns of our own calls.
  target_compile_options(gmr_warnings INTERFACE -Wno-deprecated-declarations)
endif()
if(GMR_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # Sanitized code confuses this one, as its manual says: false alarms in variants, <regex>, use_future.
  target_compile_options(gmr_settings INTERFACE -Wno-maybe-uninitialized)
endif()
if(GMR_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # Where a unit is made of several sources, a class of one may have members of types that are only there.
  target_compile_options(gmr_warnings INTERFACE -Wno-subobject-linkage)
endif()
if(GMR_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_compile_options(gmr_settings INTERFACE -Wno-tsan)  # Asio has fences
endif()
if(GMR_SANITIZE)
  target_compile_options(gmr_settings INTERFACE -fsanitize=${GMR_SANITIZE}
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(gmr_settings INTERFACE -fsanitize=${GMR_SANITIZE})
endif()

# The same for what is installed. A frame in a report needs its function, the calls inlined into it, file and line. The
# types and variables of all the templates of Boost would make libgmr.a three times as large, and each program too.
add_library(gmr_library_settings INTERFACE)
target_link_libraries(gmr_library_settings INTERFACE gmr_settings)
if(GMR_DEBUG_INFO STREQUAL "lines")
  target_compile_options(gmr_library_settings INTERFACE
    $<$<AND:$<CONFIG:RelWithDebInfo>,$<COMPILE_LANGUAGE:C,CXX>>:-g1>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    # Its -g1 has inlined functions without their namespaces; with this they have mangled names, as g++'s.
    target_compile_options(gmr_library_settings INTERFACE
      $<$<AND:$<CONFIG:RelWithDebInfo>,$<COMPILE_LANGUAGE:C,CXX>>:-fdebug-info-for-profiling>)
  endif()
elseif(NOT GMR_DEBUG_INFO STREQUAL "full")
  message(FATAL_ERROR "GMR_DEBUG_INFO must be lines or full, not \"${GMR_DEBUG_INFO}\"")
endif()

# Asio and Beast compiled once: headers elsewhere only declare. All units of one program must agree.
add_library(gmr_boost_settings INTERFACE)
target_compile_definitions(gmr_boost_settings INTERFACE BOOST_ASIO_SEPARATE_COMPILATION
                           BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)

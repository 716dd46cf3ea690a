# Settings for everything this tree builds itself; nothing here reaches a consumer of gmr::gmr.

find_package(Boost 1.81 REQUIRED COMPONENTS context program_options url)
find_package(Threads REQUIRED)

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  find_program(GMR_CCACHE ccache)
  if(GMR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_C_COMPILER_LAUNCHER ${GMR_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${GMR_CCACHE})
  endif()
endif()

# Warnings, language level and sanitizers of our own targets.
add_library(gmr_settings INTERFACE)
target_compile_features(gmr_settings INTERFACE cxx_std_20)
target_compile_options(gmr_settings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${GMR_WERROR}>>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  # libstdc++ uses what it has deprecated itself, in std::stable_partition.
  target_compile_options(gmr_settings INTERFACE -Wno-error=deprecated-declarations)
endif()
if(GMR_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # Sanitized code confuses this one, as its manual says: false alarms in variants, <regex>, use_future.
  target_compile_options(gmr_settings INTERFACE -Wno-maybe-uninitialized)
endif()
if(GMR_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # Where a unit is made of several sources, a class of one may have members of types that are only there.
  target_compile_options(gmr_settings INTERFACE -Wno-subobject-linkage)
endif()
if(GMR_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_compile_options(gmr_settings INTERFACE -Wno-tsan)  # Asio has fences
endif()
if(GMR_SANITIZE)
  target_compile_options(gmr_settings INTERFACE -fsanitize=${GMR_SANITIZE}
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(gmr_settings INTERFACE -fsanitize=${GMR_SANITIZE})
endif()

# Asio and Beast compiled once: headers elsewhere only declare. All units of one program must agree.
add_library(gmr_boost_settings INTERFACE)
target_compile_definitions(gmr_boost_settings INTERFACE BOOST_ASIO_SEPARATE_COMPILATION
                           BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)

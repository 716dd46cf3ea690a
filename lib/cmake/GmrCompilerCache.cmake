# ccache, set up so that the build trees of one clone share what they compile alike: those of the README's two commands do.
# Sets GMR_COMPILER_LAUNCHER, for commands that call a compiler themselves; empty where there is no ccache.
find_program(GMR_CCACHE ccache)
find_program(GMR_ENV env)
mark_as_advanced(GMR_CCACHE GMR_ENV)
set(GMR_COMPILER_LAUNCHER)
if(NOT GMR_CCACHE OR NOT GMR_ENV OR CMAKE_CXX_COMPILER_LAUNCHER)
  return()
endif()

# Paths within the clone are relative to the build tree, and so the same in each of them.
set(GMR_COMPILER_LAUNCHER ${GMR_ENV} CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} ${GMR_CCACHE})
set(CMAKE_C_COMPILER_LAUNCHER ${GMR_COMPILER_LAUNCHER})
set(CMAKE_CXX_COMPILER_LAUNCHER ${GMR_COMPILER_LAUNCHER})

# Debug information names the directory that those paths start from. It must not be another clone's, so it is a part of what is
# compared; and for all trees of this clone it is one directory, from which the same relative paths lead to the sources.
file(RELATIVE_PATH tree ${PROJECT_SOURCE_DIR} ${CMAKE_BINARY_DIR})
if(tree MATCHES "^[^./][^/]*/[^/]+$")
  add_compile_options(-fdebug-prefix-map=${CMAKE_BINARY_DIR}=${PROJECT_SOURCE_DIR}/lib/src)
endif()

# gmr.pc, gmr-trace.pc, gmr-trace-ops.pc, and the last two with -static at the end of their names for a static
# Boost.Context in an otherwise shared program; gmr-shared.pc and gmr-trace-shared.pc for libgmr.so.

# gmr_install_one_object(NAME OBJECTS [ALIASES...]): the objects of an opt-in as one file, since pkg-config can only name
# files. `__wrap_NAME` is defined as an alias of each NAME among ALIASES.
function(gmr_install_one_object name objects)
  set(file ${CMAKE_CURRENT_BINARY_DIR}/${name}.o)
  list(TRANSFORM ARGN REPLACE "(.+)" "--defsym=__wrap_\\1=\\1" OUTPUT_VARIABLE aliases)
  add_custom_command(OUTPUT ${file}
    COMMAND ${CMAKE_LINKER} -r ${aliases} -o ${file} $<TARGET_OBJECTS:${objects}>
    DEPENDS ${objects} $<TARGET_OBJECTS:${objects}>
    COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(${name}_as_one_object ALL DEPENDS ${file})
  install(FILES ${file} DESTINATION ${CMAKE_INSTALL_LIBDIR}/gmr)
endfunction()

# -lgmr_trace is one of two hooks: the linker takes the one for a static Boost.Context in a static program. What is named
# like libraries are scripts for the linker, as the C library has them.
function(gmr_install_hooks)
  foreach(kind "so;gmr-trace" "a;gmr-trace-static")
    list(GET kind 0 suffix)
    list(GET kind 1 object)
    set(file ${CMAKE_CURRENT_BINARY_DIR}/libgmr_trace.${suffix})
    file(WRITE ${file} "/* GNU ld script: see gmr-trace.pc */\nINPUT(${object}.o)\n")
    install(FILES ${file} DESTINATION ${CMAKE_INSTALL_LIBDIR}/gmr)
  endforeach()
endfunction()

# gmr_linker_flags(OUT FLAG SYMBOLS...)
function(gmr_linker_flags out flag)
  list(TRANSFORM ARGN PREPEND -Wl,${flag}= OUTPUT_VARIABLE flags)
  list(JOIN flags " " flags)
  set(${out} "${flags}" PARENT_SCOPE)
endfunction()

# gmr_boost_library(OUT COMPONENT): its name for -l, which may have more in it than the component, and adds its folder to
# the list GMR_BOOST_FOLDERS when the linker would not look there.
function(gmr_boost_library out component)
  get_target_property(file Boost::${component} LOCATION)
  set(name boost_${component})
  if(file MATCHES "/lib([^/]+)\\.(so|a)[0-9.]*$")
    set(name ${CMAKE_MATCH_1})
    cmake_path(GET file PARENT_PATH folder)
    if(NOT folder IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
      list(APPEND GMR_BOOST_FOLDERS ${folder})
    endif()
  endif()
  set(${out} ${name} PARENT_SCOPE)
  set(GMR_BOOST_FOLDERS ${GMR_BOOST_FOLDERS} PARENT_SCOPE)
endfunction()

# gmr_write_pc(NAME TEMPLATE)
function(gmr_write_pc GMR_PC_NAME template)
  set(file ${CMAKE_CURRENT_BINARY_DIR}/${GMR_PC_NAME}.pc)
  configure_file(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${template} ${file} @ONLY)
  install(FILES ${file} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

# They name the prefix relative to their own place: `cmake --install --prefix` may choose another.
file(RELATIVE_PATH GMR_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
set(GMR_BOOST_FOLDERS)
foreach(component IN LISTS GMR_BOOST_COMPONENTS)
  gmr_boost_library(GMR_BOOST_LIBRARY_${component} ${component})
endforeach()
list(REMOVE_DUPLICATES GMR_BOOST_FOLDERS)
list(TRANSFORM GMR_BOOST_FOLDERS PREPEND "-L" OUTPUT_VARIABLE GMR_PC_BOOST)
foreach(component IN LISTS GMR_BOOST_COMPONENTS)
  if(NOT component STREQUAL "context")
    list(APPEND GMR_PC_BOOST -l${GMR_BOOST_LIBRARY_${component}})
  endif()
endforeach()
list(JOIN GMR_PC_BOOST " " GMR_PC_BOOST)

# As -isystem: if the user names the folder too, by -I and before gmr-trace, compilers leave that out as the duplicate.
set(GMR_PC_BOOST_INCLUDE "")
get_target_property(folders Boost::headers INTERFACE_INCLUDE_DIRECTORIES)
foreach(folder IN LISTS folders)
  if(NOT folder IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
    string(APPEND GMR_PC_BOOST_INCLUDE " -isystem ${folder}")
  endif()
endforeach()

set(GMR_PC_REQUIRES "")
if(GMR_NEEDS_LIBDW)
  set(GMR_PC_REQUIRES "Requires: libdw libelf")
endif()
gmr_linker_flags(GMR_PC_EXPORTS --export-dynamic-symbol ${GMR_DEBUG_SYMBOLS})
set(GMR_PC_LIBS "-l:libgmr.a ${GMR_PC_BOOST} -pthread ${GMR_PC_EXPORTS}")  # there may be a libgmr.so beside it
gmr_write_pc(gmr gmr.pc.in)

# Which hook, and how Boost.Context is sent to it.
gmr_linker_flags(wraps --wrap ${GMR_FCONTEXT_SYMBOLS})
gmr_linker_flags(exports --export-dynamic-symbol ${GMR_FCONTEXT_SYMBOLS} ${GMR_UCONTEXT_SYMBOLS})
set(context ${GMR_BOOST_LIBRARY_context})
set(folder "-L\${libdir}/gmr")
set(of_static_context "Libs: ${folder} -l:libgmr_trace.a ${wraps} -l:lib${context}.a -ldl")
set(of_shared_context "Libs: ${folder} -lgmr_trace ${exports} -l${context} -ldl\nLibs.private: ${wraps}")
get_target_property(context_is_static Boost::context GMR_STATIC)
if(context_is_static)
  set(of_shared_context "${of_static_context}")
endif()
set(GMR_PC_BASE gmr)
foreach(kind "" "-static")
  set(GMR_PC_KIND "${kind}")
  set(GMR_PC_HOOK "${of_shared_context}")
  if(kind)
    set(GMR_PC_HOOK "${of_static_context}")
  endif()
  gmr_write_pc(gmr-trace${kind} gmr-trace.pc.in)
  if(GMR_TRACES_OPERATIONS)
    gmr_write_pc(gmr-trace-ops${kind} gmr-trace-ops.pc.in)
  endif()
endforeach()

# The shared library brings what it needs. Where nothing but tracing is used, nobody refers to it.
if(TARGET gmr_shared)
  set(GMR_PC_REQUIRES "")
  set(GMR_PC_LIBS "-l:libgmr.so -pthread")
  gmr_write_pc(gmr-shared gmr.pc.in)
  set(GMR_PC_BASE gmr-shared)
  set(GMR_PC_HOOK "Libs: -L\${libdir} -Wl,--push-state,--no-as-needed -l:libgmr.so -Wl,--pop-state")
  gmr_write_pc(gmr-trace-shared gmr-trace.pc.in)
endif()

# In a program that asks for libraries as if it were static and is not, calls are sent to the aliases.
gmr_install_one_object(gmr-trace gmr_trace_interpose_objects ${GMR_FCONTEXT_SYMBOLS})
gmr_install_one_object(gmr-trace-static gmr_trace_wrap_objects)
if(GMR_TRACES_OPERATIONS)
  gmr_install_one_object(gmr-trace-ops gmr_trace_ops_objects)
endif()
gmr_install_hooks()

# What the targets gmr::trace... and the .pc files have in common.

# Boost.Context's functions that the fiber hook stands in front of, under each name that they are called by: see
# src/hook/fiber/fiber_names.h.
set(GMR_FCONTEXT_SYMBOLS make_fcontext jump_fcontext ontop_fcontext
  _ZN5boost7context6detail13make_fcontextEPvmPFvNS1_10transfer_tEE
  _ZN5boost7context6detail13jump_fcontextEPvS2_
  _ZN5boost7context6detail14ontop_fcontextEPvS2_PFNS1_10transfer_tES3_E)

# The C library's functions that it stands in front of.
set(GMR_UCONTEXT_SYMBOLS makecontext setcontext swapcontext)

# Whether they come from a static library: the property GMR_STATIC of Boost::context.
include(gmr-find-boost)
gmr_mark_boost_context()

# The tables by which debuggers find the green threads of stripped programs too. Name by name: pkgconf puts a backslash
# before a star, and then nothing matches.
set(GMR_DEBUG_SYMBOLS gmr_debug_coroutines gmr_debug_fibers)
list(TRANSFORM GMR_DEBUG_SYMBOLS PREPEND LINKER:--export-dynamic-symbol= OUTPUT_VARIABLE options)
target_link_options(gmr INTERFACE ${options})

# A unit with coroutines is traced when <boost/asio/awaitable.hpp> is ours, which stands in front of Boost's. So this
# folder is given as -I also by the installed package, where CMake would make it -isystem like Boost's own, in the order
# of linking. Where Boost's header is found first all the same, the unit must not compile: its coroutines would be
# missing in every report. For that a name of Asio's is a macro that makes no sense, until our header takes it away. It
# is a macro since a file that is included first would keep g++ from using precompiled headers. With it g++ also refuses
# a precompiled header that was made without tracing; clang does not, and has to look. The name is one that only this
# header of Asio's has, for it is a macro again behind a precompiled header that was made with tracing.
set(GMR_SHADOW_LOCK awaitable_async_op=the_headers_of_gmr_trace_must_be_found_before_those_of_Boost__see_docs_tracing_md)
string(APPEND GMR_SHADOW_LOCK ::awaitable_async_op)
add_library(gmr_trace_headers INTERFACE)
add_library(gmr::trace_headers ALIAS gmr_trace_headers)
set_target_properties(gmr_trace_headers PROPERTIES EXPORT_NAME trace_headers SYSTEM OFF EXPORT_NO_SYSTEM ON)
target_include_directories(gmr_trace_headers INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/lib/shadow/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/gmr/trace/shadow>)
target_compile_definitions(gmr_trace_headers INTERFACE $<$<COMPILE_LANGUAGE:CXX>:${GMR_SHADOW_LOCK}>)
target_compile_options(gmr_trace_headers INTERFACE
  "$<$<COMPILE_LANG_AND_ID:CXX,Clang,AppleClang>:SHELL:-include gmr/detail/hook/precompiled_check.hpp>")

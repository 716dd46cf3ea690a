// Which frames a reader of a stack may skip.
#include <algorithm>
#include <array>

#include "symbolize/beginnings.hpp"
#include "symbolize/names.hpp"

namespace gmr::symbolize {
namespace {

bool is_system_module(std::string_view path) {
  constexpr std::array<std::string_view, 13> names{
      "libc.so",  "libc-",     "libm.so", "libpthread", "libstdc++", "libc++", "libgcc_s",
      "ld-linux", "libboost_", "libasan", "libtsan",    "libubsan",  "[vdso]"};
  return starts_with_any(path.substr(path.rfind('/') + 1), names);
}

bool is_system_file(std::string_view file) {
  constexpr std::array<std::string_view, 3> directories{"/usr/include/", "/usr/lib/gcc/",
                                                        "/usr/lib/llvm"};
  const bool header = file.ends_with(".hpp") || file.ends_with(".ipp");
  return starts_with_any(file, directories) || file.find("/include/c++/") != file.npos ||
         file.find("/libstdc++-v3/") != file.npos || (header && file.find("/boost/") != file.npos);
}

// The library's own functions without external linkage have no namespace where they were inlined:
// -g1, with which it is installed, leaves scopes out. Their sources tell them.
bool is_own_file(std::string_view file) {
  return file.starts_with(GMR_OWN_SOURCES);
}

bool is_system_name(std::string_view name) {
  constexpr std::array<std::string_view, 11> beginnings{
      "std::",   "boost::", "__gnu_cxx::", "__cxxabiv1::",   "gmr::",       "gmr_",
      "__libc_", "__asan_", "__tsan_",     "__interceptor_", "operator new"};
  // With gmr::trace the functions that switch fibers are gmr's, without they are Boost.Context's.
  constexpr std::array<std::string_view, 5> names{"_start", "operator delete", "jump_fcontext",
                                                  "ontop_fcontext", "make_fcontext"};
  return starts_with_any(name, beginnings) || std::ranges::find(names, name) != names.end();
}

}  // namespace

bool is_internal(std::string_view short_name, std::string_view file, std::string_view module) {
  return is_system_module(module) || is_system_file(file) || is_own_file(file) ||
         is_system_name(short_name);
}

}  // namespace gmr::symbolize

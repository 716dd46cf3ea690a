// Names of functions in debug information.
#pragma once

#include <elfutils/libdw.h>

#include <string>

namespace gmr::symbolize {

// From the mangled name where there is one; `symbol`, which may be null, is what the symbol table
// calls it. g++ gives functions of internal linkage neither when they are inlined: then the names
// of the enclosing scopes are put before their own.
[[nodiscard]] std::string function_name(Dwarf_Die function, const char* symbol);

}  // namespace gmr::symbolize

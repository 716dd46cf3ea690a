// The library's own, for what the helper program can't do. The runtime's function writes a name out
// whole, however long, so only names are tried that can't become long.
#include "symbolize/plain_demangler.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <cstring>
#include <memory>

namespace gmr::symbolize {
namespace {

constexpr std::size_t longest_symbol = 8 * 1024;  // each character takes some 80 bytes of stack
// What says "as before" may say all that came before: each doubles the name at most.
constexpr int most_repetitions = 12;

struct free_memory {
  void operator()(char* text) const noexcept { std::free(text); }
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Counts too many rather than too few: S and T also stand in names.
bool may_become_long(const std::string& symbol) {
  int repetitions = 0;
  for (std::size_t i = 2; i < symbol.size(); ++i) {
    if (is_digit(symbol[i])) {  // a name of so many characters
      std::size_t size = 0;
      for (; i < symbol.size() && is_digit(symbol[i]) && size < longest_symbol; ++i)
        size = size * 10 + static_cast<std::size_t>(symbol[i] - '0');
      i += size;
      if (i >= symbol.size()) break;
    }
    const bool repeats = (symbol[i] == 'S' && i + 1 < symbol.size() &&
                          (symbol[i + 1] == '_' || is_digit(symbol[i + 1]) ||
                           (symbol[i + 1] >= 'A' && symbol[i + 1] <= 'Z'))) ||
                         symbol[i] == 'T';
    if (repeats) ++repetitions;
    if (is_digit(symbol[i])) --i;
  }
  return repetitions > most_repetitions;
}

}  // namespace

demangle_result write_readable(const std::string& symbol, std::string& text) {
  if (symbol.size() > longest_symbol || may_become_long(symbol)) return demangle_result::too_long;
  int status = 0;
  const std::unique_ptr<char, free_memory> made{
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status)};
  if (status != 0 || !made) return demangle_result::not_mangled;
  text.assign(made.get(), ::strnlen(made.get(), longest_name));
  return demangle_result::readable;
}

}  // namespace gmr::symbolize

// From symbols to readable names.
#include <array>
#include <utility>

#include "hook/asio_version.hpp"
#include "symbolize/names.hpp"
#include "symbolize/plain_demangler.hpp"

namespace gmr::symbolize {
namespace {

bool is_symbol_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || c == '.';
}

// The parts of a split coroutine and the like, which some compilers append to the mangled name.
std::string_view without_part(std::string_view symbol) {
  constexpr std::array<std::string_view, 9> parts{".resume", ".destroy", ".cleanup",
                                                  ".cold",   ".actor",   ".destroyer",
                                                  ".part",   ".isra",    ".constprop"};
  for (const std::string_view part : parts) {
    const std::size_t at = symbol.find(part);
    if (at != std::string_view::npos && at > 2) symbol = symbol.substr(0, at);
  }
  return symbol;
}

}  // namespace

std::string symbol_of_frame(std::string_view text) {
  const std::size_t end = text.find(".Frame");
  if (end == std::string_view::npos) return {};
  std::size_t begin = end;
  while (begin > 0 && is_symbol_character(text[begin - 1]))
    --begin;
  return std::string{text.substr(begin, end - begin)};
}

demangle_result demangle(const std::string& symbol, std::string& name) {
  name = symbol;
  if (!symbol.starts_with("_Z") && !symbol.starts_with("_R")) return demangle_result::not_mangled;
  std::string text;
  const demangle_result result = write_readable(std::string{without_part(symbol)}, text);
  if (result == demangle_result::readable) name = complete_name(text);
  return result;
}

std::string demangle(const std::string& symbol) {
  std::string name;
  static_cast<void>(demangle(symbol, name));
  return name;
}

std::string complete_name(std::string_view function_name) {
  const std::string symbol = symbol_of_frame(function_name);
  std::string name;
  if (!symbol.empty() && demangle(symbol, name) == demangle_result::readable) return name;
  return trace::without_asio_version(std::string{function_name});
}

}  // namespace gmr::symbolize

// Demangling through the C++ runtime, with bounds.
#include <cxxabi.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "symbolize/names.hpp"

namespace gmr::symbolize {
namespace {

// Asio's longest are around 20,000; the demangler's time and output may grow faster than its input.
constexpr std::size_t longest_symbol = 32 * 1024;

struct free_memory {
  void operator()(char* text) const noexcept { std::free(text); }
};

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

// g++ names the frame of a coroutine after its function: "f(f()::_Z1fv.Frame*)".
std::string function_of_frame(const std::string& text) {
  const std::size_t end = text.find(".Frame");
  if (end == std::string::npos) return {};
  std::size_t begin = end;
  while (begin > 0 && is_symbol_character(text[begin - 1]))
    --begin;
  const std::string symbol = text.substr(begin, end - begin);
  const std::string name = demangle(symbol);
  return name == symbol ? std::string() : name;
}

}  // namespace

std::string demangle(const std::string& symbol) {
  if (!symbol.starts_with("_Z") || symbol.size() > longest_symbol) return symbol;
  int status = 0;
  const std::string plain{without_part(symbol)};
  const std::unique_ptr<char, free_memory> text{
      abi::__cxa_demangle(plain.c_str(), nullptr, nullptr, &status)};
  return status == 0 && text ? complete_name(text.get()) : symbol;
}

std::string complete_name(std::string_view function_name) {
  std::string text{function_name};
  std::string name = function_of_frame(text);
  return name.empty() ? text : name;
}

}  // namespace gmr::symbolize

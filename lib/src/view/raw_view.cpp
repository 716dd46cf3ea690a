#include "view/raw_view.hpp"

#include <cstring>

#include "os/memory.hpp"

namespace gmr::views {
namespace {

// What both standard libraries have behind the pointer that a std::source_location is.
struct location_in_memory {
  std::uintptr_t file;
  std::uintptr_t function;
  std::uint32_t line;
};

std::string_view read_text(std::uintptr_t address, std::span<char> into) noexcept {
  const std::size_t size = os::read_bytes(address, std::as_writable_bytes(into));
  return {into.data(), ::strnlen(into.data(), size)};
}

}  // namespace

std::string_view words_of(unwind::bare_end end) noexcept {
  switch (end) {
    case unwind::bare_end::outermost:
      return {};
    case unwind::bare_end::limit:
      return "outer frames are left out";
    case unwind::bare_end::unknown_register:
      return "callers unknown: they are found by a register that is not known";
    case unwind::bare_end::no_rules:
      return "callers unknown: there are no rules for unwinding this code";
    case unwind::bare_end::unreadable:
      return "callers unknown: the stack can't be read there";
    case unwind::bare_end::damaged:
      return "callers unknown: what follows is no stack";
  }
  return {};
}

raw_location::raw_location(const void* location) noexcept {
  location_in_memory content{};
  if (!os::read_object(reinterpret_cast<std::uintptr_t>(location), content)) return;
  function = read_text(content.function, function_bytes);
  file = read_text(content.file, file_bytes);
  line = content.line;
}

}  // namespace gmr::views

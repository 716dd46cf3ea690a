#include "analyse/fatal_finding.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "analyse/fatal_text.hpp"
#include "analyse/finding_text.hpp"
#include "os/file_text.hpp"
#include "symbolize/names.hpp"
#include "text/hex.hpp"
#include "text/lines.hpp"
#include "text/masking.hpp"

namespace gmr::analyse {
namespace {

constexpr std::size_t longest_maps = 1 << 20;

bool parse_hex(std::string_view text, std::uintptr_t& number) {
  return std::from_chars(text.data(), text.data() + text.size(), number, 16).ec == std::errc{};
}

// "r--p 00000000 08:01 1234 /usr/lib/libc.so.6" of the line that has the address.
std::string_view find_mapping(std::string_view maps, std::uintptr_t address) {
  while (!maps.empty()) {
    std::string_view line = texts::take_line(maps);
    std::uintptr_t low = 0;
    std::uintptr_t high = 0;
    const std::string_view range = texts::take_until(line, ' ');
    const std::size_t dash = range.find('-');
    if (dash == range.npos || !parse_hex(range.substr(0, dash), low) ||
        !parse_hex(range.substr(dash + 1), high))
      continue;
    if (low <= address && address < high) return line;
  }
  return {};
}

std::string describe_mapping(std::uintptr_t address) {
  const os::file_text maps = os::read_file("/proc/self/maps", longest_maps);
  std::string_view line = find_mapping(maps.content, address);
  if (line.empty()) return {};
  std::string out =
      "; " + texts::hex(address) + " is in a mapping " + std::string{texts::take_until(line, ' ')};
  for (int skipped = 0; skipped < 3; ++skipped)
    static_cast<void>(texts::take_until(line, ' '));
  const std::string_view path = texts::trimmed(line);
  if (!path.empty()) out.append(" of ").append(path);
  return out;
}

// A type as the compiler writes it: "St13runtime_error".
std::string readable_type(std::string_view type) {
  constexpr std::string_view beginning = "typeinfo name for ";
  const std::string name = symbolize::demangle("_ZTS" + std::string{type});
  return name.starts_with(beginning) ? name.substr(beginning.size()) : std::string{type};
}

std::string describe_exception(const os::fatal_error& error) {
  if (error.type().empty()) return {};
  std::string out = "; exception of type " + readable_type(error.type());
  if (!error.text().empty()) out += ": " + texts::mask_urls(error.text());
  return out;
}

}  // namespace

finding describe_fatal_error(const os::fatal_error& error, const report& complete) {
  finding out;
  out.kind = finding_kind::fatal_error;
  out.text = fatal_text::of_error(error).view();
  const auto thread = std::ranges::find(complete.threads, error.thread, &thread_info::id);
  if (thread == complete.threads.end()) {
    out.text += " in thread " + std::to_string(error.thread);
  } else {
    out.text += " in " + name_of(*thread);
    if (thread->runs)
      out.text += ", which runs green thread " + std::to_string(*thread->runs) + ",";
    out.text += place_of(thread->stack);
    out.threads.push_back(error.thread);
    if (thread->runs) out.green_threads.push_back(*thread->runs);
    out.stacks = 1;
  }
  out.text += describe_exception(error);
  if (error.is_fault()) out.text += describe_mapping(error.address);
  return out;
}

}  // namespace gmr::analyse

#include "hook/coroutine/literals.hpp"

#include <cstring>
#include <utility>

#include "os/memory.hpp"

namespace gmr::trace {
namespace {

constexpr std::size_t longest_text = 65536;

std::string read_text(const char* literal) {
  return os::read_string(reinterpret_cast<std::uintptr_t>(literal), longest_text);
}

// Where a policy forbids that memory is copied, what is there is trusted to be there.
bool memory_can_be_copied() noexcept {
  const char probe = 1;
  char copy = 0;
  return os::read_object(reinterpret_cast<std::uintptr_t>(&probe), copy);
}

bool is_same(const location_layout& one, const location_layout& other) noexcept {
  return one.file == other.file && one.function == other.function && one.line == other.line &&
         one.column == other.column;
}

// What another library has put there need not be a location.
bool is_plausible(const location_layout& found) noexcept {
  constexpr std::uint32_t most_lines = 10'000'000;
  return found.line <= most_lines && found.column <= most_lines;
}

std::size_t home_of(const void* location, std::size_t size) noexcept {
  constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
  return (reinterpret_cast<std::uintptr_t>(location) * golden >> 40) % size;
}

}  // namespace

logical_frame literal_reader::frame_at(const void* location) {
  recent& last = recent_[home_of(location, recent_.size())];
  if (last.location == location && last.round == round_) return last.frame;
  known_location& known = locations_[location];
  if (std::exchange(known.round, round_) != round_) look_at(location, known);
  last = {location, round_, known.frame};
  return known.frame;
}

void literal_reader::look_at(const void* location, known_location& known) {
  const auto address = reinterpret_cast<std::uintptr_t>(location);
  location_layout found{};
  if (!os::read_object(address, found)) {
    if (memory_can_be_copied()) {
      known.frame.unloaded = true;
      return;
    }
    std::memcpy(&found, location, sizeof found);
    known.frame = {found.function, found.file, found.line};
    return;
  }
  if (known.frame.function != nullptr && is_same(known.layout, found)) {
    known.frame.unloaded = false;
    return;
  }
  std::string function = is_plausible(found) ? read_text(found.function) : std::string{};
  if (function.empty()) {
    known.frame.unloaded = true;
    return;
  }
  known.layout = found;
  known.frame = {kept(std::move(function)), kept(read_text(found.file)), found.line};
}

std::string_view literal_reader::text_at(const char* literal) {
  known_text& known = literals_[literal];
  if (std::exchange(known.round, round_) == round_) return known.text;
  std::string found = read_text(literal);
  if (!found.empty())
    known.text = kept(std::move(found));
  else if (!memory_can_be_copied())
    known.text = literal;
  return known.text;
}

}  // namespace gmr::trace

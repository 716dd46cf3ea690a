// What the program's string literals and source locations say, read without trusting that the code
// they belong to is still loaded: a coroutine may stay suspended when its plug-in is gone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "gmr/trace/scheduler.hpp"

namespace gmr::trace {

// What both standard libraries have behind the pointer that a std::source_location is.
struct location_layout {
  const char* file;
  const char* function;
  std::uint32_t line;
  std::uint32_t column;
};

// Keeps a copy of everything that it was asked for. Not synchronised.
class literal_reader final {
 public:
  // What was read so far may have been unloaded since: it is looked at again when it is asked for.
  // To be called at the beginning of each report.
  void begin() noexcept { ++round_; }

  // The place that a std::source_location points to. Of code that is not loaded any more: what was
  // known of it. The texts stay valid as long as the reader.
  [[nodiscard]] logical_frame frame_at(const void* location);

  // The text; what it was before, where it can't be read any more; else empty.
  [[nodiscard]] std::string_view text_at(const char* literal);

 private:
  struct known_location {
    location_layout layout{};
    logical_frame frame;
    std::uint64_t round = 0;
  };
  struct known_text {
    std::string_view text;
    std::uint64_t round = 0;
  };
  struct recent {
    const void* location = nullptr;
    std::uint64_t round = 0;
    logical_frame frame;
  };

  void look_at(const void* location, known_location& known);
  const char* kept(std::string text) { return texts_.insert(std::move(text)).first->c_str(); }

  std::uint64_t round_ = 1;
  std::unordered_map<const void*, known_location> locations_;
  std::unordered_map<const char*, known_text> literals_;
  std::unordered_set<std::string> texts_;
  // Many coroutines are suspended at few places.
  std::array<recent, 256> recent_{};
};

}  // namespace gmr::trace

#include "reporter/recent_log.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "text/masking.hpp"

namespace gmr {
namespace {

// A secret, or the name or URL that tells that there is one, must not be cut in two: the line ends
// where a word does.
std::string_view whole_words(std::string_view cut) {
  const std::size_t end = cut.find_last_of(" \t,;\"'");
  return cut.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

}  // namespace

void recent_log::add(std::string_view line, std::chrono::system_clock::time_point when) noexcept {
  while (line.ends_with('\n') || line.ends_with('\r'))
    line.remove_suffix(1);
  const std::uint64_t number = next_.fetch_add(1, std::memory_order_relaxed);
  if (slots_.size() == 0) return;
  slot& to = slots_[number % slots_.size()];
  const std::uint64_t writing = 2 * number + 1;
  std::uint64_t before = to.sequence.load(std::memory_order_relaxed);
  // Somebody else is at it, whom the ring has overtaken, or has overtaken this thread.
  if (before % 2 != 0 || before > writing ||
      !to.sequence.compare_exchange_strong(before, writing, std::memory_order_acq_rel))
    return;
  const std::string_view kept = line.substr(0, longest_line);
  to.when.store(when.time_since_epoch().count(), std::memory_order_release);
  to.size.store(static_cast<std::uint32_t>(kept.size()), std::memory_order_release);
  to.is_cut.store(kept.size() < line.size(), std::memory_order_release);
  for (std::size_t at = 0; at < kept.size(); at += word) {
    std::uint64_t part = 0;
    std::memcpy(&part, kept.data() + at, std::min(word, kept.size() - at));
    to.text[at / word].store(part, std::memory_order_release);
  }
  to.sequence.store(writing + 1, std::memory_order_release);
}

std::vector<log_line> recent_log::read() const {
  struct numbered {
    std::uint64_t sequence;
    log_line line;
  };
  std::vector<numbered> found;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const slot& from = slots_.get()[i];
    const std::uint64_t sequence = from.sequence.load(std::memory_order_acquire);
    if (sequence == 0 || sequence % 2 != 0) continue;
    const std::chrono::system_clock::duration when{from.when.load(std::memory_order_acquire)};
    const std::size_t size =
        std::min<std::size_t>(from.size.load(std::memory_order_acquire), longest_line);
    const bool is_cut = from.is_cut.load(std::memory_order_acquire);
    std::array<char, words * word> text;
    for (std::size_t at = 0; at < size; at += word) {
      const std::uint64_t part = from.text[at / word].load(std::memory_order_acquire);
      std::memcpy(text.data() + at, &part, word);
    }
    if (from.sequence.load(std::memory_order_relaxed) != sequence) continue;  // overwritten
    const std::string_view whole{text.data(), size};
    std::string shown = texts::mask_line(is_cut ? whole_words(whole) : whole);
    if (is_cut) shown += "...";
    found.push_back({sequence, {std::chrono::system_clock::time_point{when}, std::move(shown)}});
  }
  std::ranges::sort(found, {}, &numbered::sequence);
  std::vector<log_line> lines;
  lines.reserve(found.size());
  for (numbered& each : found)
    lines.push_back(std::move(each.line));
  return lines;
}

}  // namespace gmr

#include "reporter/marks.hpp"

#include <algorithm>
#include <utility>

#include "facts/resident_bytes.hpp"
#include "text/quantities.hpp"

namespace gmr {

bool mark::passes(std::uint64_t amount) noexcept {
  if (amount > at_) return !std::exchange(is_passed_, true);
  if (amount < at_ - at_ / 10) is_passed_ = false;
  return false;
}

marks::marks(const settings& set, ask ask_for_report)
    : memory_(set.memory_mark),
      descriptors_(set.descriptors_mark),
      green_threads_(set.green_threads_mark),
      ask_(std::move(ask_for_report)),
      one_(std::make_unique<trace::bare_green_thread>()) {}

std::optional<duty::clock::time_point> marks::attend(clock::time_point now) {
  if (now < next_) return next_;
  next_ = now + std::chrono::seconds{1};  // also where the look fails
  look();
  const clock::time_point end = clock::now();
  next_ = end + std::max<clock::duration>(std::chrono::seconds{1}, 100 * (end - now));
  return next_;
}

// What can't be read now has not fallen below its mark.
void marks::look() {
  if (memory_.is_set())
    if (const std::uint64_t bytes = resident_bytes(); bytes != 0 && memory_.passes(bytes))
      ask_("resident memory " + texts::human_bytes(static_cast<double>(bytes)) +
           ", memory_mark_bytes = " + std::to_string(memory_.at()));
  if (descriptors_.is_set())
    if (const auto count = count_descriptors(); count && descriptors_.passes(*count))
      ask_(std::to_string(*count) +
           " open descriptors, descriptors_mark = " + std::to_string(descriptors_.at()));
  if (green_threads_.is_set())
    if (const std::uint64_t count = count_green_threads(); green_threads_.passes(count))
      ask_(std::to_string(count) +
           " green threads, green_threads_mark = " + std::to_string(green_threads_.at()));
}

std::uint64_t marks::count_green_threads() noexcept {
  std::uint64_t count = 0;
  for (const trace::bare_source* const source : trace::bare_sources()) {
    if (source == nullptr) continue;
    for (trace::bare_place at; source->next(at, *one_);)
      ++count;
  }
  return count;
}

}  // namespace gmr

#include "os/task_stat.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "os/file_text.hpp"

namespace gmr::os {
namespace {

// Takes one field after the other off the text, by the numbers that proc(5) gives them.
class field_reader final {
 public:
  explicit field_reader(std::string_view rest) : rest_(rest) {}

  template <class Number>
  bool take(int field, Number& number) {
    std::int64_t skipped = 0;
    while (next_ < field)
      if (!take_next(skipped)) return false;
    return take_next(number);
  }

 private:
  // The largest are unsigned, and some are below 0.
  template <class Number>
  bool take_next(Number& number) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n"), rest_.size()));
    auto [after, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (error == std::errc::result_out_of_range) error = {};
    if (error != std::errc{}) return false;
    rest_.remove_prefix(static_cast<std::size_t>(after - rest_.data()));
    ++next_;
    return true;
  }

  std::string_view rest_;
  int next_ = 4;
};

}  // namespace

std::optional<task_stat> parse_task_stat(std::string_view content) {
  // The name is in parentheses and may hold some itself: its end is the last one.
  const std::size_t open = content.find('(');
  const std::size_t close = content.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open ||
      content.size() < close + 3)
    return std::nullopt;
  task_stat stat;
  stat.name = content.substr(open + 1, close - open - 1);
  stat.state = content[close + 2];
  field_reader fields{content.substr(close + 3)};
  const bool complete = fields.take(4, stat.parent) && fields.take(14, stat.user_ticks) &&
                        fields.take(15, stat.system_ticks) && fields.take(20, stat.threads) &&
                        fields.take(22, stat.start_ticks);
  if (!complete) return std::nullopt;
  static_cast<void>(fields.take(32, stat.blocked));
  return stat;
}

std::optional<task_stat> read_process_stat(pid_t process) {
  const file_text text = read_file("/proc/" + std::to_string(process) + "/stat");
  return text.ok() ? parse_task_stat(text.content) : std::nullopt;
}

std::optional<task_stat> read_own_stat() {
  const file_text text = read_file("/proc/self/stat");
  return text.ok() ? parse_task_stat(text.content) : std::nullopt;
}

double ticks_a_second() noexcept {
  static const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return ticks;
}

}  // namespace gmr::os

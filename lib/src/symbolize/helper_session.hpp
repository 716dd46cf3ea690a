// A conversation with the helper program that reads debug information.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "os/hidden_process.hpp"
#include "symbolize/wire.hpp"

namespace gmr::symbolize {

// The name that the program shows itself by.
inline constexpr const char* helper_name = "gmr-symbols";

// How a conversation ended, or why there was none.
struct helper_end {
  enum class reason {
    none,
    not_started,
    no_memory,
    file_changed,  // while it was read
    signal,        // `value` is its number
    exited,        // `value` is the status
    out_of_time,
    nonsense,  // what it answered was none
  };
  reason why = reason::none;
  int value = 0;
};

// Not synchronised.
class helper_session final {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  // Starts the program, which may take so much memory of its own and looks for separate debug files
  // in these directories (':' between them).
  [[nodiscard]] os::start_failure start(std::uint64_t most_memory, const std::string& debug_dirs,
                                        time_point deadline);
  [[nodiscard]] bool is_running() const noexcept { return process_.is_running(); }
  void stop() noexcept;

  // False when the program has ended or does not read any more: see end().
  bool say(std::string_view order, time_point deadline);
  // The next answer, valid until the next call; nothing when there is none: see end().
  [[nodiscard]] std::optional<message> listen(time_point deadline);
  // What was answered is not what was asked for.
  void disbelieve() { finish(helper_end::reason::nonsense); }

  // After a failure. The program is gone then.
  [[nodiscard]] helper_end end() const noexcept { return end_; }

 private:
  void finish(helper_end::reason why);
  // False when the deadline has passed.
  bool wait_for(short event, time_point deadline);

  os::hidden_process process_;
  message_splitter answers_;
  helper_end end_;
};

}  // namespace gmr::symbolize

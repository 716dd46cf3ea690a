// Time as the messages of a file have it. It goes on as evenly as the machine runs, so that nobody
// who sets the machine's clock lets messages and claims end, or brings back what has ended.
//
// A file says where that time stands: when the processor was started, which all processes agree on
// until the machine is started again. From then on the machine's clock is believed, less what it
// was set forward or back by while the file was in use, and never before what was known already.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "storage/sqlite/database.hpp"

namespace queue_server::sqlite {

// Times in milliseconds.
struct machine_clocks {
  std::function<std::int64_t()> calendar;  // since 1970; may be set to any time
  std::function<std::int64_t()> running;   // since the machine was started, asleep or not
  std::string start;                       // says which start that was; empty: it is not known
};
[[nodiscard]] machine_clocks this_machine();

// One thread at a time.
class message_clock final {
 public:
  // Read-only, a file that says nothing is taken to begin now. Otherwise it is told; not to be
  // called within a transaction. Throws error.
  message_clock(database& of, open_mode mode, machine_clocks machine);

  [[nodiscard]] std::int64_t now() const { return machine_.running() + offset_; }
  // To be added for the calendar as it is set now.
  [[nodiscard]] std::int64_t to_calendar() const { return machine_.calendar() - now(); }

  // Within a transaction: tells the file what the time is; the second, only where the machine's
  // clock was set since the file was told.
  void keep(database& in);
  void keep_if_set(database& in);

 private:
  // True: the file says what the time is since this start of the machine.
  [[nodiscard]] bool goes_on(database& of);
  void begin(database& of);

  machine_clocks machine_;
  std::int64_t offset_ = 0;
  std::int64_t kept_ = 0;  // to_calendar(), as the file knows it
};

}  // namespace queue_server::sqlite

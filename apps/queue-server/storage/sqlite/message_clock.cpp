#include "storage/sqlite/message_clock.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <fstream>
#include <utility>

namespace queue_server::sqlite {

namespace {

// Clocks that are adjusted step by step differ by less.
constexpr std::int64_t least_step = 1000;

std::int64_t milliseconds_of(clockid_t clock) {
  constexpr std::int64_t nanoseconds = 1'000'000;
  std::timespec time{};
  ::clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * milliseconds_a_second + time.tv_nsec / nanoseconds;
}

}  // namespace

machine_clocks this_machine() {
  machine_clocks clocks{[] { return milliseconds_of(CLOCK_REALTIME); },
                        [] { return milliseconds_of(CLOCK_BOOTTIME); },
                        {}};
  std::ifstream("/proc/sys/kernel/random/boot_id") >> clocks.start;
  return clocks;
}

message_clock::message_clock(database& of, open_mode mode, machine_clocks machine)
    : machine_(std::move(machine)) {
  offset_ = machine_.calendar() - machine_.running();
  if (mode == open_mode::read_only) {
    auto row = of.prepare("SELECT offset FROM clock");
    if (row.step()) offset_ = row.integer(0);
    return;
  }
  if (goes_on(of)) return;
  of.execute("BEGIN IMMEDIATE");
  try {
    begin(of);
    of.execute("COMMIT");
  } catch (const std::exception&) {
    if (of.in_transaction()) of.execute("ROLLBACK");
    throw;
  }
}

bool message_clock::goes_on(database& of) {
  auto row = of.prepare("SELECT start, offset, to_calendar, latest FROM clock");
  if (!row.step()) return false;
  const std::int64_t offset = row.integer(1);
  // In a time namespace of its own the same start may have another beginning.
  if (machine_.start.empty() || row.text(0) != machine_.start ||
      machine_.running() + offset < row.integer(3)) {
    return false;
  }
  offset_ = offset;
  kept_ = row.integer(2);
  return true;
}

// Another process may have been first.
void message_clock::begin(database& of) {
  if (goes_on(of)) return;
  {
    auto row = of.prepare("SELECT to_calendar, latest FROM clock");
    if (row.step()) {
      const std::int64_t by_calendar = machine_.calendar() - row.integer(0);
      offset_ = std::max(by_calendar, row.integer(1)) - machine_.running();
    }
  }
  keep(of);
}

void message_clock::keep(database& in) {
  const std::int64_t to_calendar_now = to_calendar();
  in.run(
      "INSERT OR REPLACE INTO clock (id, start, offset, to_calendar, latest) "
      "VALUES (1, ?1, ?2, ?3, ?4)",
      machine_.start, offset_, to_calendar_now, now());
  kept_ = to_calendar_now;
}

void message_clock::keep_if_set(database& in) {
  if (std::abs(to_calendar() - kept_) >= least_step) keep(in);
}

}  // namespace queue_server::sqlite

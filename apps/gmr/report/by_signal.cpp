#include "report/by_signal.hpp"

#include <chrono>
#include <iostream>

#include "exit_codes.hpp"
#include "os/signals.hpp"
#include "progress.hpp"
#include "report/written_report.hpp"

namespace gmr_command {
namespace {

// The longest that a report may take by default, and as long again.
constexpr std::chrono::seconds longest_wait{30};

}  // namespace

std::string ask_by_signal(const process& asked, const gmr::os::announcement& told) {
  const std::string name = "process " + std::to_string(asked.id());
  if (told.signal <= 0)
    throw failure{exit_unavailable, name + " makes reports, but not when it is sent a signal"};
  written_report written{asked, told};
  // The last thing before the signal: it may have become another program by exec.
  const told_announcement again = announcement_of(asked.id());
  if (!again.content || again.content->signal != told.signal || !asked.catches(told.signal))
    throw failure{exit_unavailable,
                  name + " does not handle " + gmr::os::signal_name(told.signal) + " any more"};
  asked.send(told.signal);
  if (!written.is_readable()) {
    std::cerr << "gmr: asked by " << gmr::os::signal_name(told.signal) << "; the report goes to "
              << written.place() << std::endl;
    return {};
  }
  const progress shown{"waiting for the report in " + written.place()};
  const auto report = written.wait(std::chrono::steady_clock::now() + longest_wait);
  if (report) return *report;
  if (!asked.is_alive()) throw failure{exit_unavailable, name + " has ended meanwhile"};
  throw failure{exit_unavailable, "no report in " + written.place() + " within " +
                                      std::to_string(longest_wait.count()) + " s"};
}

}  // namespace gmr_command

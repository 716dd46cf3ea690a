// Where a finished report goes.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "sink/old_reports.hpp"

namespace gmr::sinks {

// Names a report's file: <service>_gurumeditation_<UTC time>_<pid>_<number>.<extension>
struct file_name {
  std::string service;
  std::chrono::system_clock::time_point time;
  std::uint64_t number = 0;
  std::string extension;
};

struct settings {
  std::filesystem::path log_dir;  // empty: standard error
  std::chrono::milliseconds write_deadline{
      5000};               // for the lock and for a reader that does not read
  kept_reports kept = {};  // in log_dir
};

// Writes the bytes as one piece to standard error, or to a new file of mode 0600 in log_dir and one
// line naming the file to standard error. When the file can't be written, the report goes to
// standard error with the reason above it. Older reports of the service make room for it there.
// Returns why the report is in neither place, or an empty string. Does not throw for I/O errors, is
// never killed by SIGPIPE or SIGXFSZ, and gives up when nothing has been read for `write_deadline`,
// or after six times that in all. Safe to call from any thread.
std::string write(const settings& settings, const file_name& name, std::string_view bytes);

// One line "gmr: MESSAGE DETAIL" to standard error, in one piece with nothing of a report in
// between. Gives up after a second; never throws. Safe to call from any thread.
void say(std::string_view message, std::string_view detail = {}) noexcept;

}  // namespace gmr::sinks

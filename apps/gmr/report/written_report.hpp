// A report that a process writes where it always does, read from there.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>

#include "os/announcement.hpp"
#include "report/process.hpp"

namespace gmr_command {

// To be made before the report is asked for.
class written_report final {
 public:
  written_report(const process& of, const gmr::os::announcement& told);

  // Where it goes, for people: "/var/log/orders.log (standard error of process 7)".
  [[nodiscard]] const std::string& place() const noexcept { return place_; }
  // Whether it can be read there.
  [[nodiscard]] bool is_readable() const noexcept {
    return log_dir_.has_value() || standard_error_.is_open();
  }
  // Waits for it; nothing where it is not complete by then, or the process has ended.
  [[nodiscard]] std::optional<std::string> wait(std::chrono::steady_clock::time_point until);

 private:
  void look_at_directory(const std::string& log_dir);
  void look_at_standard_error();
  [[nodiscard]] std::set<std::string> files() const;
  [[nodiscard]] std::optional<std::string> new_file();
  [[nodiscard]] std::optional<std::string> new_text();

  const process& process_;
  std::string place_;
  std::optional<std::string> log_dir_;  // as this command reaches it
  std::string part_of_name_;            // that the names of its reports have
  std::set<std::string> known_;         // files that were there before
  opened_file standard_error_;
  std::string text_;  // what has been written since, without what is no report of it
  std::chrono::steady_clock::time_point last_text_;
};

}  // namespace gmr_command

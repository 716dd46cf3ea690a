// Another process, and what it says of the reports that it makes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "os/announcement.hpp"

namespace gmr_command {

// A file descriptor of this command's own.
class opened_file final {
 public:
  explicit opened_file(int number = -1) noexcept : number_(number) {}
  ~opened_file();
  opened_file(opened_file&& other) noexcept;
  opened_file& operator=(opened_file&& other) noexcept;

  [[nodiscard]] int number() const noexcept { return number_; }
  [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }

 private:
  int number_;
};

struct told_announcement {
  std::optional<gmr::os::announcement> content;
  int error = 0;  // why it can't be known; an errno
};

// Of any process, by its number.
[[nodiscard]] told_announcement announcement_of(pid_t id);

// Held by a descriptor, so that it stays the same process, whoever gets its number afterwards.
class process final {
 public:
  // Throws `failure` where there is none.
  explicit process(pid_t id);

  [[nodiscard]] pid_t id() const noexcept { return id_; }
  // Its number in its own PID namespace, which may be another.
  [[nodiscard]] pid_t own_id() const;
  [[nodiscard]] bool is_alive() const noexcept;
  // Whether the kernel would call a handler of its for the signal.
  [[nodiscard]] bool catches(int signal) const;
  // A path in /proc/PID.
  [[nodiscard]] std::string in_proc(const std::string& name) const;
  // Throws `failure`.
  void send(int signal) const;

 private:
  [[nodiscard]] std::optional<std::string> status_field(const std::string& name) const;

  pid_t id_;
  opened_file file_;
};

}  // namespace gmr_command

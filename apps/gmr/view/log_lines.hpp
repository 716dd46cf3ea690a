// The lines of a log as the service wrote them, whatever wraps them: journalctl -o json, json-file
// of Docker, the form that Kubernetes keeps.
#pragma once

#include <cstddef>
#include <istream>
#include <optional>
#include <string>

namespace gmr_command {

// A line or a part of one: journald cuts at 48 KiB, Docker and Kubernetes at 16 KiB.
struct log_piece {
  std::string stream;  // of pieces of several streams, those of one belong together
  std::string text;
  bool begins_line = true;
  bool ends_line = true;
  bool is_wrapped = false;  // so that whoever wraps it knows which pieces belong together
  std::size_t line = 0;     // of the file, from 1
};

// Reads a log of any size: a piece at a time is in memory.
class log_lines final {
 public:
  // Of a stream, which outlives it.
  explicit log_lines(std::istream& from) : from_(from) {}

  // The next piece; nothing at the end.
  [[nodiscard]] std::optional<log_piece> next();

 private:
  [[nodiscard]] bool read(std::string& to, std::size_t most);

  std::istream& from_;
  std::size_t line_ = 0;
  bool at_line_start_ = true;
};

}  // namespace gmr_command

// Where the raw report goes: as sink/sink.hpp, without allocating.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "os/files.hpp"
#include "sink/error_output.hpp"
#include "sink/write_lock.hpp"
#include "sink/write_signals.hpp"
#include "text/byte_writer.hpp"

namespace gmr::sinks {

// What has to be known beforehand.
struct bare_settings {
  std::string log_dir;         // empty: standard error
  std::string begin;           // of the file's name, as of all reports
  std::string_view extension;  // a literal
};

// One raw report. Nothing else of this process or its forks is written in between, where they can
// be waited for. Where the file can't be made, it goes to standard error; where it can't be written
// to the end, the rest does. It gives up, and writes nothing any more, where nobody reads for some
// seconds. Large.
class bare_output final : public texts::byte_writer {
 public:
  // `stamp`: as in the names of other reports. `may_use_file`: false where the folder for them does
  // not answer.
  bare_output(const bare_settings& set, std::string_view stamp, bool may_use_file = true) noexcept;
  ~bare_output();  // writes what is left, and where the file is
  bare_output(const bare_output&) = delete;
  bare_output& operator=(const bare_output&) = delete;

  void write(std::string_view bytes) noexcept override;

 private:
  using clock = std::chrono::steady_clock;

  void flush() noexcept;
  void write_all(std::string_view bytes) noexcept;
  [[nodiscard]] bool leave_file(int error) noexcept;
  void say(std::string_view text) noexcept { write_all(text); }
  void open_file(const bare_settings& set, std::string_view stamp) noexcept;

  write_signals guard_;
  write_lock lock_{clock::now() + std::chrono::seconds{1}};
  error_output errors_;
  os::descriptor file_;
  std::array<char, 1024> path_{};  // of the file
  std::size_t path_size_ = 0;
  bool failed_ = false;
  std::array<char, 16384> buffer_;
  std::size_t size_ = 0;
};

}  // namespace gmr::sinks

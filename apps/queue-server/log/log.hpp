// The server's log: what happens to it, and each request, one JSON object a line, to a file or to
// standard output. A thread of its own writes: whoever logs waits neither for a disk nor for
// whoever reads, and where lines come faster than they can be written, the oldest are dropped and
// counted.
//
// Each line is one write at the end of the file, so processes may share it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <string_view>

namespace queue_server {

struct log_options {
  std::string file;  // empty: there is no log; "-": standard output
  bool access = true;
};

// A request and its answer.
struct access_record {
  const char* protocol = "";
  std::string peer;
  std::string project;
  std::string client;
  std::string request;  // the method and the path, or the action; no query
  std::string request_id;
  int status = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::chrono::steady_clock::duration took{0};
};

// The file can't be written.
class log_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class severity { info, warning };

// All members but the constructor and close(): any thread.
class service_log final {
 public:
  using fields = nlohmann::ordered_json;  // an object

  // Opens the file. Throws log_error.
  explicit service_log(const log_options& set);
  ~service_log();
  service_log(const service_log&) = delete;
  service_log& operator=(const service_log&) = delete;

  void event(std::string_view what, const fields& more = fields::object(),
             severity level = severity::info) noexcept;
  [[nodiscard]] bool has_access() const noexcept;
  void access(const access_record& record) noexcept;

  // Each line goes there, too, on the thread that logs it; events also where there is no file.
  // Empty: no more; once this has returned, nobody is in the one before.
  void copy_to(std::function<void(std::string_view)> copy);

  // Opens the file again by its name, before the next line.
  void reopen() noexcept;

  // Lines that were dropped, or could not be written.
  [[nodiscard]] std::uint64_t lost() const noexcept;

  // Writes what is left. False: whoever takes it does not, and must not be waited for.
  [[nodiscard]] bool close(std::chrono::milliseconds limit);

 private:
  class implementation;
  void write(const fields& line, severity level);
  [[nodiscard]] bool is_copied() const;

  std::unique_ptr<implementation> implementation_;
  mutable std::shared_mutex copy_mutex_;
  std::function<void(std::string_view)> copy_;
};

}  // namespace queue_server

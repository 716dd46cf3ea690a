#include "log/line_sink.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace queue_server {

namespace {

int open_log(const std::string& path) noexcept {
  if (path == "-") return ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY,
                S_IRUSR | S_IWUSR | S_IRGRP);
}

bool write_line(int file, std::string_view line) noexcept {
  while (!line.empty()) {
    const ssize_t written = ::write(file, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    line.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

line_sink::line_sink(std::string path) : path_(std::move(path)), file_(open_log(path_)) {
  if (file_ < 0) throw std::system_error(errno, std::generic_category(), "can't log to " + path_);
}

line_sink::~line_sink() {
  ::close(file_);
}

// Where that fails, lines go on to where they went: better there than nowhere.
void line_sink::open_again() noexcept {
  if (path_ == "-") return;
  const int opened = open_log(path_);
  if (opened < 0) return;
  ::close(std::exchange(file_, opened));
}

void line_sink::sink_it_(const spdlog::details::log_msg& message) {
  if (reopen_.exchange(false)) open_again();
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  if (!write_line(file_, {line.data(), line.size()})) ++lost_;
}

}  // namespace queue_server

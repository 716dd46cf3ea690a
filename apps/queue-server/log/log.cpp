#include "log/log.hpp"

#include <pthread.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <unistd.h>

#include <future>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "log/line_sink.hpp"
#include "verbs/time.hpp"

namespace queue_server {

namespace {

constexpr std::size_t most_lines_waiting = 4096;

std::string line_of(const service_log::fields& object) {
  // What a client sent may be among it, and need not be UTF-8. Control characters are escaped.
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

service_log::fields begin_line(std::string_view what) {
  using namespace std::chrono;
  const auto now = duration_cast<milliseconds>(system_clock::now().time_since_epoch());
  return {{"time", precise_rfc3339(now.count())}, {"pid", ::getpid()}, {"event", what}};
}

}  // namespace

class service_log::implementation final {
 public:
  explicit implementation(const log_options& set)
      : sink_(std::make_shared<line_sink>(set.file)),
        thread_(std::make_shared<spdlog::details::thread_pool>(
            most_lines_waiting, 1, [] { pthread_setname_np(pthread_self(), "log"); })),
        lines_(std::make_shared<spdlog::async_logger>(
            "queue-server", sink_, thread_, spdlog::async_overflow_policy::overrun_oldest)),
        access_(set.access) {}

  void write(const std::string& line, severity level) {
    const auto shown = level == severity::warning ? spdlog::level::warn : spdlog::level::info;
    lines_->log(shown, spdlog::string_view_t(line));
  }

  std::shared_ptr<line_sink> sink_;
  std::shared_ptr<spdlog::details::thread_pool> thread_;
  std::shared_ptr<spdlog::async_logger> lines_;
  const bool access_;
};

service_log::service_log(const log_options& set) try {
  if (set.file.empty()) return;
  implementation_ = std::make_unique<implementation>(set);
  implementation_->lines_->set_pattern("%v");
  implementation_->lines_->set_error_handler([](const std::string&) {});
} catch (const std::system_error& problem) {
  throw log_error(problem.what());
}

service_log::~service_log() = default;

void service_log::write(const fields& line, severity level) {
  const std::string text = line_of(line);
  {
    const std::shared_lock held(copy_mutex_);
    if (copy_) copy_(text);
  }
  if (implementation_) implementation_->write(text, level);
}

void service_log::copy_to(std::function<void(std::string_view)> copy) {
  const std::lock_guard held(copy_mutex_);
  copy_.swap(copy);
}

bool service_log::is_copied() const {
  const std::shared_lock held(copy_mutex_);
  return copy_ != nullptr;
}

void service_log::event(std::string_view what, const fields& more, severity level) noexcept try {
  if (!implementation_ && !is_copied()) return;
  fields line = begin_line(what);
  line["level"] = level == severity::warning ? "warning" : "info";
  line.update(more);
  write(line, level);
} catch (const std::exception&) {
  // No memory for it: there are worse troubles.
}

bool service_log::has_access() const noexcept {
  return implementation_ && implementation_->access_;
}

void service_log::access(const access_record& record) noexcept try {
  if (!has_access()) return;
  fields line = begin_line("request");
  const auto add = [&line](const char* name, const std::string& text) {
    if (!text.empty()) line[name] = text;
  };
  line["protocol"] = record.protocol;
  add("peer", record.peer);
  add("project", record.project);
  add("client", record.client);
  add("request", record.request);
  line["status"] = record.status;
  line["bytes_in"] = record.bytes_in;
  line["bytes_out"] = record.bytes_out;
  line["took_us"] = std::chrono::duration_cast<std::chrono::microseconds>(record.took).count();
  add("request_id", record.request_id);
  write(line, severity::info);
} catch (const std::exception&) {
  // As above.
}

void service_log::reopen() noexcept {
  if (!implementation_) return;
  implementation_->sink_->reopen();
  event("log opened");
}

std::uint64_t service_log::lost() const noexcept {
  if (!implementation_) return 0;
  return implementation_->sink_->lost() + implementation_->thread_->overrun_counter();
}

// The thread ends with what owns it, once all lines are written.
bool service_log::close(std::chrono::milliseconds limit) {
  if (!implementation_) return true;
  const auto done = std::make_shared<std::promise<void>>();
  std::future<void> written = done->get_future();
  std::thread([done, owned = std::move(implementation_)]() mutable {
    owned.reset();
    done->set_value();
  }).detach();
  return written.wait_for(limit) == std::future_status::ready;
}

}  // namespace queue_server

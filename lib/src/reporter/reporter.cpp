#include "gmr/reporter.hpp"

#include <unistd.h>

#include <atomic>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>
#include <csignal>
#include <ctime>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "gmr/trace/enroll.hpp"
#include "hook/library_copies.hpp"
#include "hook/loops/event_loops.hpp"
#include "model/words.hpp"
#include "options/masking.hpp"
#include "os/announcement.hpp"
#include "os/fatal_errors.hpp"
#include "os/signals.hpp"
#include "os/thread_sanitizer.hpp"
#include "outline/outline.hpp"
#include "reporter/fatal_watch.hpp"
#include "reporter/marks.hpp"
#include "reporter/own_thread.hpp"
#include "reporter/pipeline.hpp"
#include "reporter/raw_report.hpp"
#include "reporter/recent_log.hpp"
#include "reporter/report_queue.hpp"
#include "reporter/socket_reports.hpp"
#include "reporter/stall_watch.hpp"
#include "reporter/trigger_reader.hpp"
#include "reporter/watchdog.hpp"
#include "sink/sink.hpp"
#include "socket/address.hpp"
#include "text/masking.hpp"
#include "trigger/triggers.hpp"
#include "view/view.hpp"

namespace gmr {
namespace {

// In a process, whatever shared libraries were linked with the library too. A forked child has
// none, whatever it inherited.
class sole_reporter final {
 public:
  sole_reporter() {
    std::atomic<pid_t>& owner = trace::serving_copy().reporting;
    pid_t seen = owner.load();
    const pid_t self = ::getpid();
    if (seen == self || !owner.compare_exchange_strong(seen, self))
      throw std::logic_error{"this process has a gmr::reporter already"};
  }
  ~sole_reporter() { trace::serving_copy().reporting.store(0); }
  sole_reporter(const sole_reporter&) = delete;
  sole_reporter& operator=(const sole_reporter&) = delete;
};

std::string rendered(const report& made, report_format format) {
  return views::render(outlines::arrange(made), format);
}

void write_report(const report& made, const settings& set, report_queue& queue) {
  const std::string bytes = rendered(made, set.format);
  const sinks::file_name name{.service = made.package.name,
                              .time = made.time,
                              .number = made.number,
                              .extension = std::string{extension_of(set.format)}};
  queue.progress().writing(true);
  const std::string error = sinks::write(
      {.log_dir = set.log_dir, .kept = {.count = set.log_keep, .bytes = set.log_keep_bytes}}, name,
      bytes);
  queue.progress().writing(false);
  if (error.empty()) return;
  queue.delivery_failed();
  sinks::say("report " + std::to_string(made.number) + ": " + error);
}

std::string without_secrets(std::string text) {
  if (texts::may_hold_url(text)) text = texts::mask_urls(text);
  return text;
}

std::uint64_t present_time() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

// A loop that is watched until what this returns, and all others that were made for it, are gone.
// It may have ended by then, and another one have its place.
std::shared_ptr<void> watch_loop(trace::event_loop_record& loop, const std::string& name) {
  trace::set_name(loop, name);
  loop.watchers.fetch_add(1);
  return {&loop, [serial = loop.serial.load()](trace::event_loop_record* watched) {
            if (watched->serial.load() != serial) return;
            std::uint32_t count = watched->watchers.load();
            while (count != 0 && !watched->watchers.compare_exchange_weak(count, count - 1)) {
            }
            if (count == 1) trace::set_name(*watched, {});
          }};
}

// For the Configuration section.
struct described_options {
  std::vector<option_entry> shown;
  std::vector<std::string> secrets;
};

}  // namespace

// Members in the order in which they are needed; what the constructor did before it throws is
// undone by their destructors.
class reporter::implementation final {
 public:
  implementation(package software, const settings& set, described_options options,
                 boost::asio::any_io_executor executor)
      : settings_(set), makes_reports_(!executor) {
    configuration_.add(std::move(options.shown), std::move(options.secrets));
    if (settings_.signal == 0) settings_.signal = SIGUSR2;
    auto maker = std::make_unique<pipeline>(software, settings_, configuration_, sections_,
                                            facts::built_program::with_library, &log_);
    const int capture_signal = maker->capture_signal();
    queue_ = std::make_shared<report_queue>(
        thread_, std::move(maker),
        [this](const report& made) { write_report(made, settings_, *queue_); },
        report_queue::settings{.executor = std::move(executor),
                               .automatic_per_minute = settings_.reports_per_minute,
                               .fatal_deadline = settings_.fatal_deadline});
    set_triggers();
    thread_.add(queue_);
    start_watchdog(software, capture_signal);
    // The trigger's signal is open there, too: where all threads of the service block it, or are
    // stopped, it arrives there. Not before it has its handler, as it may be pending already.
    thread_.start({capture_signal, settings_.signal});
    try {
      if (settings_.on_fatal != fatal_reports::off)
        os::catch_fatal_errors(capture_signal, longest_fatal_wait());
      watch_service(capture_signal);
      open_socket(std::move(software), capture_signal);
    } catch (...) {  // the thread runs already, and uses what the destructors would take from it
      end(false);
      throw;
    }
  }

  ~implementation() { end(makes_reports_); }
  implementation(const implementation&) = delete;
  implementation& operator=(const implementation&) = delete;

  [[nodiscard]] bool ours() const noexcept { return ::getpid() == process_; }
  [[nodiscard]] report_queue& queue() noexcept { return *queue_; }
  [[nodiscard]] known_configuration& configuration() noexcept { return configuration_; }
  [[nodiscard]] sections::section_registry& sections() noexcept { return sections_; }
  [[nodiscard]] bool watches_loops() const noexcept { return settings_.stall.count() != 0; }
  [[nodiscard]] recent_log& log() noexcept { return log_; }

 private:
  // Once the queue has stopped nothing new is asked for; the triggers' signal keeps its handler as
  // long as there is a thread that it can reach, and so does the capture signal, which the watchdog
  // sends. On an executor of the service's nobody may be left to make what still waits.
  void end(bool makes_what_waits) noexcept {
    stalls_.reset();
    os::withdraw_announcement();
    socket_.reset();
    os::stop_catching_fatal_errors();
    queue_->stop(makes_what_waits);
    thread_.join();
    triggers_.clear();
    watchdog_.reset();
    queue_->release_maker();
  }

  void set_triggers() {
    const bool by_file = !settings_.file_event_handler.empty();
    if (settings_.signal != no_signal) {
      if (by_file)
        triggers::ignore_signal(settings_.signal);
      else
        add(triggers::watch_signal(thread_.loop(), settings_.signal), report_cause::signal);
    }
    if (by_file)
      add(triggers::watch_file(thread_.loop(), settings_.file_event_handler,
                               settings_.file_event_handler_interval),
          report_cause::touched_file);
  }

  void add(std::shared_ptr<triggers::trigger> trigger, report_cause kind) {
    auto reader = std::make_shared<trigger_reader>(
        std::move(trigger),
        [queue = queue_, kind](const std::string& cause) { queue->request(cause, kind); });
    triggers_.push_back(reader);
    thread_.add(reader);
  }

  // Raw and whole reports keep to their own limits; this is for when they can't.
  [[nodiscard]] std::chrono::milliseconds longest_fatal_wait() const noexcept {
    return std::chrono::seconds{15} + settings_.fatal_deadline;
  }

  // Before the other thread, which it watches; it has its memory before anything can be stuck.
  void start_watchdog(package software, int capture_signal) {
    const std::string service = software.name;
    watchdog_.emplace(std::make_unique<raw_report>(std::move(software), settings_, capture_signal),
                      queue_->progress(), queue_->statistics(), usual_cause(),
                      settings_.deadline + grace);
    if (settings_.on_fatal != fatal_reports::off) watch_fatal_errors(service);
    watchdog_->start(capture_signal);
  }

  // Last of all, as it says that all is there. A service starts although its socket can't be had.
  void open_socket(package software, int capture_signal) {
    const bool by_signal = settings_.file_event_handler.empty() && settings_.signal > 0;
    os::announcement told{.signal = by_signal ? settings_.signal : 0,
                          .service = software.name,
                          .socket = {},
                          .log_dir = settings_.log_dir.string()};
    if (!settings_.socket.empty()) {
      auto [address, problem] = sockets::resolve_address(settings_.socket, software.name);
      if (!problem.empty()) sinks::say("there is no socket to ask on:", problem);
      told.socket = std::move(address);
    }
    if (!told.socket.empty()) {
      socket_.emplace(
          queue_, sockets::server::settings{
                      .address = told.socket,
                      .software = std::move(software),
                      .usual = {.format = settings_.format,
                                .shape = {.list = settings_.list, .order = settings_.order}},
                      .longest = std::chrono::ceil<std::chrono::seconds>(2 * settings_.deadline) +
                                 grace_for_socket});
      socket_->start(capture_signal);
    }
    os::announce(told);
  }

  [[nodiscard]] std::string usual_cause() const {
    if (!settings_.file_event_handler.empty())
      return cause_text(cause_kind::touched_file, settings_.file_event_handler.string());
    if (settings_.signal == no_signal) return "request";
    return cause_text(cause_kind::signal, os::signal_name(settings_.signal));
  }

  // Who makes the reporter gets an alternate stack, which is needed where its own is used up.
  void watch_fatal_errors(const std::string& service) {
    enroll_this_thread();
    whole_fatal_ = std::make_shared<whole_fatal_report>(queue_, service, settings_, makes_reports_);
    thread_.add(whole_fatal_);
    const bool is_whole = settings_.on_fatal == fatal_reports::full;
    watchdog_->watch_fatal_errors(is_whole ? whole_fatal_.get() : nullptr,
                                  settings_.fatal_deadline);
  }

  // What nobody has to ask for.
  void watch_service(int capture_signal) {
    const auto asker = [this](cause_kind cause, report_cause kind) {
      return [queue = queue_, cause, kind](const std::string& what) {
        queue->request_automatic(cause_text(cause, what), kind);
      };
    };
    if (marks::are_set(settings_)) {
      marks_ = std::make_shared<marks>(settings_, asker(cause_kind::mark, report_cause::mark));
      thread_.add(marks_);
    }
    if (!watches_loops()) return;
    stalls_.emplace(settings_.stall, asker(cause_kind::stall, report_cause::stall));
    stalls_->start(capture_signal);
  }

  // What a report may take beyond its deadline.
  static constexpr std::chrono::seconds grace{1};
  // A client of the socket may have to wait for another report before its own.
  static constexpr std::chrono::seconds grace_for_socket{10};

  const pid_t process_ = ::getpid();
  sole_reporter sole_;
  settings settings_;
  known_configuration configuration_;
  sections::section_registry sections_;
  recent_log log_;
  own_thread thread_;
  const bool makes_reports_;  // the thread; otherwise an executor of the service's
  std::shared_ptr<report_queue> queue_;
  std::vector<std::shared_ptr<trigger_reader>> triggers_;
  std::shared_ptr<whole_fatal_report> whole_fatal_;  // null where fatal errors are not reported
  std::optional<watchdog> watchdog_;
  std::shared_ptr<marks> marks_;  // null where there are none
  std::optional<stall_watch> stalls_;
  std::optional<socket_reports> socket_;  // none where there is no address for it
};

reporter::reporter(package software, const loaded_options& loaded,
                   boost::asio::any_io_executor executor)
    : implementation_(std::make_shared<implementation>(
          std::move(software), settings_from(loaded),
          described_options{.shown = loaded.shown, .secrets = loaded.secrets},
          std::move(executor))) {}

reporter::reporter(package software, const boost::program_options::options_description& described,
                   const boost::program_options::variables_map& values,
                   boost::asio::any_io_executor executor)
    : implementation_(std::make_shared<implementation>(
          std::move(software), settings_from(values),
          described_options{.shown = describe_configuration(described, values),
                            .secrets = loading::secret_option_names(described)},
          std::move(executor))) {}

reporter::reporter(package software, const settings& set, boost::asio::any_io_executor executor)
    : implementation_(std::make_shared<implementation>(std::move(software), set,
                                                       described_options{}, std::move(executor))) {}

reporter::~reporter() {
  if (implementation_->ours()) return;
  // In a forked child the threads do not exist that would have to be waited for. It is left alone,
  // but findable.
  // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new): a child without memory may end here
  static auto* const left_alone = new std::vector<std::shared_ptr<implementation>>;
  left_alone->push_back(std::move(implementation_));
}

void reporter::add_configuration(const boost::program_options::options_description& described,
                                 const boost::program_options::variables_map& values) {
  implementation_->configuration().add(describe_configuration(described, values),
                                       loading::secret_option_names(described));
}

void reporter::add_configuration(const boost::program_options::options_description& described,
                                 const loaded_options& loaded) {
  implementation_->configuration().add(describe_configuration(described, loaded),
                                       loading::secret_option_names(described));
}

void reporter::add_section(std::string title, section_generator generator,
                           section_position position) {
  implementation_->sections().keep(without_secrets(std::move(title)), std::move(generator),
                                   std::move(position));
}

section_registration reporter::add_scoped_section(std::string title, section_generator generator,
                                                  section_position position) {
  return section_registration{implementation_->sections().add(
      without_secrets(std::move(title)), std::move(generator), std::move(position))};
}

watch_registration reporter::watch(const boost::asio::any_io_executor& executor, std::string name) {
  if (!executor) throw std::invalid_argument{"gmr::reporter::watch: the executor is empty"};
  trace::event_loop_record* const loop =
      trace::event_loop_of(boost::asio::query(executor, boost::asio::execution::context));
  if (loop == nullptr)
    throw std::invalid_argument{
        "gmr::reporter::watch: there is no event loop that could be watched"};
  auto guard = watch_loop(*loop, without_secrets(std::move(name)));
  // At once: the loop may be at a standstill from its first handler on.
  if (implementation_->ours() && implementation_->watches_loops())
    trace::post_probe(*loop, present_time());
  return watch_registration{std::move(guard)};
}

void reporter::request(std::string cause) {
  if (implementation_->ours()) implementation_->queue().request(without_secrets(std::move(cause)));
}

bool reporter::request_automatic(std::string cause) {
  return implementation_->ours() &&
         implementation_->queue().request_automatic(without_secrets(std::move(cause)));
}

report_counters reporter::counters() const noexcept {
  return implementation_->ours() ? implementation_->queue().statistics().read() : report_counters{};
}

void reporter::log_line(std::string_view text) noexcept {
  if (implementation_->ours()) implementation_->log().add(text);
}

report reporter::make(std::string cause) {
  if (!implementation_->ours())
    throw std::logic_error{"a reporter makes no reports in a forked child"};
  if (implementation_->queue().is_here() || sections::in_generator())
    throw std::logic_error{"a report can't be made while making one"};
  report made = implementation_->queue().make(without_secrets(std::move(cause))).get();
  os::take_over();
  return made;
}

}  // namespace gmr

// The reporter: the one object that gives a service Guru Meditation Reports.
#pragma once

#include "gmr/detail/language.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "gmr/detail/hook/asio_units.hpp"
#include "gmr/model/counters.hpp"
#include "gmr/model/report.hpp"
#include "gmr/options/configuration.hpp"
#include "gmr/options/options.hpp"
#include "gmr/section/section.hpp"
#include "gmr/view/view.hpp"

namespace gmr {

// Keeps an event loop watched for as long as it lives; may outlive the loop, and the reporter.
class watch_registration;

// While it lives, its triggers are set: the signal (SIGUSR2), or the watched file. Reports are made
// one at a time, by default on a thread of the reporter's own ("gmr-reporter"), so that they appear
// although every thread of the service is blocked. Requests that come while a report is being made
// are answered together by one further report. Where one does not come on for a second beyond its
// deadline, another thread ("gmr-watchdog") writes a raw report, which needs no memory.
//
// All members are safe to call from any thread, also while a report is being made; none is
// async-signal-safe. At most one reporter at a time in a process.
class reporter final {
 public:
  // Takes its settings from the section [oslo_reports] of the options, and shows all of them in the
  // Configuration section: those that load_options has read, or those of `described` with `values`.
  //
  // Throws for an option that is not acceptable configuration_error, which names the place, or
  // option_error; std::system_error when a signal is already handled by somebody else,
  // std::logic_error when the process has a reporter. A forked child is not refused one for that
  // of its parent; workers better make theirs after the fork, where the parent has none.
  //
  // With an executor reports are made there: the caller runs it until the reporter is destroyed,
  // and no report but the raw one appears while the threads that run it are blocked.
  reporter(package software, const loaded_options& loaded,
           boost::asio::any_io_executor executor = {});
  reporter(package software, const boost::program_options::options_description& described,
           const boost::program_options::variables_map& values,
           boost::asio::any_io_executor executor = {});
  // Takes the settings as they are, and shows no options until add_configuration is called.
  reporter(package software, const settings& set, boost::asio::any_io_executor executor = {});

  // Finishes a report that is being made, stops the triggers and restores the signal handlers.
  ~reporter();
  reporter(const reporter&) = delete;
  reporter& operator=(const reporter&) = delete;

  // Further options to show in the Configuration section, such as those of a plug-in. One that is
  // there already is replaced.
  void add_configuration(const boost::program_options::options_description& described,
                         const boost::program_options::variables_map& values);
  void add_configuration(const boost::program_options::options_description& described,
                         const loaded_options& loaded);

  // Adds a section, after those that are there if nothing else is said. It stays until the reporter
  // is destroyed, and so must what the generator refers to.
  void add_section(std::string title, section_generator generator, section_position position = {});
  // The same, until the registration is destroyed; waits then for a generator that is running.
  section_registration add_scoped_section(std::string title, section_generator generator,
                                          section_position position = {});

  // Has the event loop that runs what is posted to the executor (an io_context, a thread_pool; of a
  // strand, the one below it) shown by that name in reports and, with stall_seconds, watched, until
  // the registration is destroyed; of several for one loop the last one, and the name is the one
  // that was given last. With gmr::trace loops that run coroutines or fibers are watched
  // without, and have no name then. Throws std::invalid_argument when no such loop is behind the
  // executor, or more than 128 are known, and boost::asio::execution::bad_executor when it is
  // empty.
  watch_registration watch(const boost::asio::any_io_executor& executor, std::string name);

  // Asks for a report on the sink and returns at once. `cause` is shown in it.
  void request(std::string cause = "request");

  // The same for what the service finds wrong by itself, without a person who asks: at most
  // reports_per_minute of these are made. False when it is refused; the next report tells how many
  // were.
  bool request_automatic(std::string cause);

  // Keeps a line of the service's log for the Log section of the next reports: the last 200, of
  // each the first 1,000 bytes, with the secrets in URLs and the values of secret names
  // (NAME=value, "NAME": "value") masked. Copies the text, and never blocks or allocates; a line is
  // lost where 200 others come while it is copied. Does nothing in a forked child.
  void log_line(std::string_view text) noexcept;

  // What has been asked for and made so far, for metrics. Takes no lock and waits for nothing. All
  // 0 in a forked child.
  [[nodiscard]] report_counters counters() const noexcept;

  // Makes a report and returns it; nothing is written to the sink. Blocks until it is done. Throws
  // std::logic_error where that would never be: in a section's generator, on the executor that the
  // reporter runs on, and in a forked child.
  [[nodiscard]] report make(std::string cause = "request");

  [[deprecated("use gmr::to_text")]] [[nodiscard]] static std::string to_text(
      const report& complete);
  [[deprecated("use gmr::to_json")]] [[nodiscard]] static std::string to_json(
      const report& complete);

 private:
  class implementation;
  std::shared_ptr<implementation> implementation_;
};

class [[nodiscard]] watch_registration {
 public:
  watch_registration() = default;
  watch_registration(watch_registration&&) noexcept = default;
  watch_registration& operator=(watch_registration&&) noexcept = default;
  ~watch_registration() = default;

 private:
  friend class reporter;
  explicit watch_registration(std::shared_ptr<void> guard) noexcept : guard_(std::move(guard)) {}
  std::shared_ptr<void> guard_;
};

inline std::string reporter::to_text(const report& complete) {
  return gmr::to_text(complete);
}

inline std::string reporter::to_json(const report& complete) {
  return gmr::to_json(complete);
}

}  // namespace gmr

// The [oslo_reports] options. Numbers are checked while they are parsed, so that the error names
// what is allowed; everything else, and every range, when the settings are made.
#include "gmr/options/options.hpp"

#include <algorithm>
#include <array>
#include <boost/lexical_cast.hpp>
#include <boost/program_options/errors.hpp>
#include <cmath>
#include <csignal>
#include <optional>
#include <string_view>

#include "model/words.hpp"
#include "os/signals.hpp"
#include "os/trigger_handler.hpp"

namespace gmr {
namespace {

namespace po = boost::program_options;
using std::chrono::milliseconds;

constexpr double least_seconds = 0.001;
constexpr double most_seconds = 1'000'000;
constexpr std::size_t least_stack_bytes = 4096;
constexpr std::size_t most_stack_bytes = 8 << 20;
constexpr std::string_view seconds_allowed =
    "a number of seconds from 0.001 to 1000000 is needed, decimals allowed";
constexpr std::string_view long_wait_allowed =
    "0 or a number of seconds from 0.001 to 1000000 is needed, decimals allowed";
constexpr std::size_t most_reports_per_minute = 1000;
constexpr std::string_view reports_per_minute_allowed =
    "a whole number from 0 (no limit) to 1000 is needed";
constexpr std::size_t most_reports_kept = 1'000'000;
constexpr std::string_view log_keep_allowed =
    "a whole number from 0 (no limit) to 1000000 is needed";
constexpr std::size_t most_bytes_kept = std::size_t{1} << 50;
constexpr std::string_view log_keep_bytes_allowed =
    "a whole number of bytes from 0 (no limit) to 1125899906842624 is needed";
constexpr std::string_view fatal_seconds_allowed =
    "a number of seconds from 0.001 to 60 is needed, decimals allowed";
constexpr std::string_view stall_seconds_allowed =
    "0 (none) or a number of seconds from 0.1 to 1000000 is needed, decimals allowed";
constexpr std::size_t most_of_a_mark = std::size_t{1} << 50;
constexpr std::string_view mark_allowed =
    "a whole number from 0 (no mark) to 1125899906842624 is needed";
constexpr std::string_view stack_bytes_allowed =
    "a whole number of bytes from 4096 to 8388608 is needed";

std::string unacceptable(std::string_view shown, std::string_view allowed) {
  return "'" + std::string(shown) + "' is not acceptable: " + std::string(allowed);
}

// A number whose parse error says what is allowed.
template <class Number>
class number_value final : public po::typed_value<Number> {
 public:
  explicit number_value(std::string_view allowed)
      : po::typed_value<Number>(nullptr), allowed_(allowed) {}

  void xparse(boost::any& store, const std::vector<std::string>& tokens) const override {
    Number ignored{};
    if (tokens.size() == 1 && !boost::conversion::try_lexical_convert(tokens.front(), ignored)) {
      po::error_with_option_name error{"%canonical_option%: '%value%' is not acceptable: " +
                                       std::string(allowed_)};
      error.set_substitute("value", tokens.front());
      throw error;
    }
    po::typed_value<Number>::xparse(store, tokens);
  }

 private:
  std::string_view allowed_;
};

template <class Number>
po::typed_value<Number>* number(std::string_view allowed, Number preset, const char* shown) {
  auto* const semantic = new number_value<Number>(allowed);  // owned by the description
  return semantic->default_value(preset, shown);
}

// The option's value, nothing when it is not set.
template <class T>
std::optional<T> find(const po::variables_map& values, const std::string& option) {
  const auto found = values.find(option);
  if (found == values.end() || found->second.empty()) return std::nullopt;
  const T* const content = boost::any_cast<T>(&found->second.value());
  if (content == nullptr) {
    throw option_error(option, "declared with another type than gmr::options() gives it");
  }
  return *content;
}

std::string full_name(const char* name) {
  return "oslo_reports." + std::string(name);
}

std::optional<std::string> text_of(const po::variables_map& values, const char* name) {
  std::optional<std::string> content = find<std::string>(values, full_name(name));
  if (content && content->empty()) content.reset();
  if (content && content->find('\0') != std::string::npos) {
    throw option_error(full_name(name), "contains a NUL byte");
  }
  return content;
}

milliseconds seconds_of(const po::variables_map& values, const char* name, milliseconds preset) {
  const std::optional<double> seconds = find<double>(values, full_name(name));
  if (!seconds) return preset;
  if (!(*seconds >= least_seconds && *seconds <= most_seconds)) {
    throw option_error(full_name(name),
                       unacceptable(boost::lexical_cast<std::string>(*seconds), seconds_allowed));
  }
  return milliseconds{std::llround(*seconds * 1000)};
}

// The first word is the default.
template <class Enumeration, std::size_t Count>
Enumeration choice_of(const po::variables_map& values, const char* name,
                      const std::array<choice_word<Enumeration>, Count>& choices) {
  const std::optional<std::string> given = text_of(values, name);
  if (!given) return choices.front().meaning;
  const auto found = std::ranges::find(choices, *given, &choice_word<Enumeration>::word);
  if (found != choices.end()) return found->meaning;
  throw option_error(full_name(name), unacceptable(*given, choices_text(choices)));
}

report_format format_of(const po::variables_map& values) {
  return choice_of(values, "format", format_words);
}

fatal_reports on_fatal_of(const po::variables_map& values) {
  using choice = choice_word<fatal_reports>;
  return choice_of(values, "on_fatal",
                   std::array{choice{"off", fatal_reports::off}, choice{"raw", fatal_reports::raw},
                              choice{"full", fatal_reports::full}});
}

// A path is absolute: the program may change its directory, and who asks is in another one.
std::string socket_of(const po::variables_map& values) {
  constexpr std::size_t longest = 107;  // of the kernel
  std::string given = text_of(values, "socket").value_or("off");
  if (given == "off") return {};
  const bool is_known = given == "auto" || given.front() == '/' || given.front() == '@';
  if (!is_known || given == "@" || given.ends_with('/'))
    throw option_error(full_name("socket"),
                       unacceptable(given, "an absolute path, @NAME, auto or off is needed"));
  if (given.size() > longest)
    throw option_error(full_name("socket"), unacceptable(given, "at most 107 bytes are possible"));
  return given;
}

milliseconds fatal_deadline_of(const po::variables_map& values, milliseconds preset) {
  constexpr milliseconds longest{60'000};
  const milliseconds given = seconds_of(values, "fatal_seconds", preset);
  if (given <= longest) return given;
  throw option_error(full_name("fatal_seconds"),
                     unacceptable(std::to_string(given.count() / 1000), fatal_seconds_allowed));
}

milliseconds long_wait_of(const po::variables_map& values) {
  const std::optional<double> seconds = find<double>(values, full_name("long_wait_seconds"));
  if (!seconds || *seconds == 0) return milliseconds{0};
  if (!(*seconds >= least_seconds && *seconds <= most_seconds)) {
    throw option_error(full_name("long_wait_seconds"),
                       unacceptable(boost::lexical_cast<std::string>(*seconds), long_wait_allowed));
  }
  return milliseconds{std::llround(*seconds * 1000)};
}

milliseconds stall_of(const po::variables_map& values) {
  constexpr double least = 0.1;
  const double seconds = find<double>(values, full_name("stall_seconds")).value_or(0);
  if (seconds == 0) return milliseconds{0};
  if (seconds >= least && seconds <= most_seconds)
    return milliseconds{std::llround(seconds * 1000)};
  throw option_error(
      full_name("stall_seconds"),
      unacceptable(boost::lexical_cast<std::string>(seconds), stall_seconds_allowed));
}

// Signals that can't be caught, that a fault raises, or that the kernel or a terminal uses to stop
// and continue: a report can't hang on them without changing what the program does.
bool is_reserved(int signal) {
  constexpr std::array reserved{SIGKILL, SIGSTOP, SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGTRAP,
                                SIGABRT, SIGSYS,  SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU, SIGCHLD};
  return std::find(reserved.begin(), reserved.end(), signal) != reserved.end();
}

int signal_of(const char* name, const std::string& given, std::string_view others) {
  const std::optional<int> signal = os::parse_signal(given);
  const std::string also{others};
  if (!signal) {
    throw option_error(full_name(name),
                       unacceptable(given,
                                    "the name of a signal such as USR2 or RTMIN+3, its "
                                    "number" +
                                        also + " is needed"));
  }
  if (is_reserved(*signal)) {
    throw option_error(
        full_name(name),
        unacceptable(given, os::signal_name(*signal) +
                                " has a use of its own; a signal such as USR2 or RTMIN+3" + also +
                                " is needed"));
  }
  return *signal;
}

int capture_signal_of(const po::variables_map& values, const settings& set) {
  const std::optional<std::string> given = text_of(values, "capture_signal");
  if (!given || *given == "auto") return 0;
  if (*given == "none") return no_signal;
  const int signal = signal_of("capture_signal", *given, ", auto or none");
  const int trigger = set.signal == 0 ? SIGUSR2 : set.signal;
  if (signal == trigger && set.file_event_handler.empty()) {
    throw option_error(full_name("capture_signal"),
                       unacceptable(*given,
                                    "it is the signal that asks for a report; another "
                                    "signal or none is needed"));
  }
  return signal;
}

// A whole number from 0, which stands for no limit, to `most`.
std::size_t limit_of(const po::variables_map& values, const char* name, std::size_t preset,
                     std::size_t most, std::string_view allowed) {
  const std::size_t limit = find<std::size_t>(values, full_name(name)).value_or(preset);
  if (limit <= most) return limit;
  const auto as_signed = static_cast<std::ptrdiff_t>(limit);
  throw option_error(full_name(name), unacceptable(std::to_string(as_signed), allowed));
}

std::size_t stack_bytes_of(const po::variables_map& values, std::size_t preset) {
  const std::optional<std::size_t> bytes = find<std::size_t>(values, full_name("stack_bytes"));
  if (!bytes) return preset;
  if (*bytes < least_stack_bytes || *bytes > most_stack_bytes) {
    // A negative number arrives here as a very large one: say what was meant.
    const auto as_signed = static_cast<std::ptrdiff_t>(*bytes);
    throw option_error(full_name("stack_bytes"),
                       unacceptable(std::to_string(as_signed), stack_bytes_allowed));
  }
  return *bytes;
}

}  // namespace

option_error::option_error(std::string option, const std::string& message)
    : std::runtime_error(option + ": " + message), option_(std::move(option)) {}

po::options_description options() {
  po::options_description described{"Guru Meditation Reports"};
  const settings preset;
  described.add_options()("oslo_reports.file_event_handler",
                          po::value<std::string>()->value_name("PATH"),
                          "file to watch: a touch makes a report; setting it disables the signal")(
      "oslo_reports.file_event_handler_interval",
      number<double>(seconds_allowed, 1, "1")->value_name("SECONDS"),
      "seconds between two looks at that file")(
      "oslo_reports.log_dir", po::value<std::string>()->value_name("DIRECTORY"),
      "write each report to a new file there instead of standard error")(
      "oslo_reports.log_keep",
      number<std::size_t>(log_keep_allowed, preset.log_keep, "100")->value_name("COUNT"),
      "most reports of this service there; the oldest go; 0: no limit")(
      "oslo_reports.log_keep_bytes",
      number<std::size_t>(log_keep_bytes_allowed, preset.log_keep_bytes, "1073741824")
          ->value_name("BYTES"),
      "most bytes in all of them; 0: no limit")(
      "oslo_reports.signal", po::value<std::string>()->default_value("USR2")->value_name("SIGNAL"),
      "signal that makes a report; none: no signal does")(
      "oslo_reports.socket", po::value<std::string>()->default_value("off")->value_name("SOCKET"),
      "Unix socket to ask on: a path, @NAME (abstract), auto (a file in the run-time directory) or "
      "off")("oslo_reports.format",
             po::value<std::string>()->default_value("text")->value_name("FORMAT"),
             "text, json, html or oslo (the layout of oslo.reports)")(
      "oslo_reports.list", po::value<std::string>()->default_value("groups")->value_name("LIST"),
      "groups: identical stacks once; each: every green thread by itself; tree: "
      "one call tree")("oslo_reports.order",
                       po::value<std::string>()->default_value("suspicious")->value_name("ORDER"),
                       "of groups: suspicious (few and old first), oldest or largest first")(
      "oslo_reports.long_wait_seconds",
      number<double>(long_wait_allowed, 0, "0")->value_name("SECONDS"),
      "wait of a green thread from which on it is a finding; 0: none is")(
      "oslo_reports.capture_signal",
      po::value<std::string>()->default_value("auto")->value_name("SIGNAL"),
      "signal sent to threads to get their stacks; auto: the first free real-time signal; none: "
      "never signal a thread")(
      "oslo_reports.stack_bytes",
      number<std::size_t>(stack_bytes_allowed, preset.stack_bytes, "65536")->value_name("BYTES"),
      "most stack copied per thread or fiber")(
      "oslo_reports.debug_dirs",
      po::value<std::string>()->default_value(preset.debug_dirs)->value_name("DIRECTORIES"),
      "where separate debug files are, ':' between them")(
      "oslo_reports.deadline_seconds",
      number<double>(seconds_allowed, 10, "10")->value_name("SECONDS"),
      "most time for a whole report")(
      "oslo_reports.section_seconds",
      number<double>(seconds_allowed, 2, "2")->value_name("SECONDS"),
      "most time for one section of the service")(
      "oslo_reports.on_fatal", po::value<std::string>()->default_value("off")->value_name("WHAT"),
      "report on errors that end the process: off, raw (without names) or full")(
      "oslo_reports.fatal_seconds",
      number<double>(fatal_seconds_allowed, 1, "1")->value_name("SECONDS"),
      "most time for the full report on such an error")(
      "oslo_reports.reports_per_minute",
      number<std::size_t>(reports_per_minute_allowed, preset.reports_per_minute, "6")
          ->value_name("COUNT"),
      "most reports without being asked; 0: no limit")(
      "oslo_reports.stall_seconds",
      number<double>(stall_seconds_allowed, 0, "0")->value_name("SECONDS"),
      "an event loop that has run nothing for so long is reported; 0: none is")(
      "oslo_reports.memory_mark_bytes",
      number<std::size_t>(mark_allowed, 0, "0")->value_name("BYTES"),
      "more resident memory than that makes a report; 0: none does")(
      "oslo_reports.descriptors_mark",
      number<std::size_t>(mark_allowed, 0, "0")->value_name("COUNT"),
      "more open descriptors than that make a report; 0: none do")(
      "oslo_reports.green_threads_mark",
      number<std::size_t>(mark_allowed, 0, "0")->value_name("COUNT"),
      "more green threads than that make a report; 0: none do");
  return described;
}

settings settings_from(const po::variables_map& values) {
  settings set;
  set.file_event_handler = text_of(values, "file_event_handler").value_or("");
  set.file_event_handler_interval =
      seconds_of(values, "file_event_handler_interval", set.file_event_handler_interval);
  set.log_dir = text_of(values, "log_dir").value_or("");
  const std::optional<std::string> trigger = text_of(values, "signal");
  if (trigger == "none") {
    set.signal = no_signal;
  } else if (trigger) {
    set.signal = signal_of("signal", *trigger, " or none");
    // From now on, as it may be asked for a report before there is a reporter.
    static_cast<void>(os::catch_signal(set.signal));
  }
  set.format = format_of(values);
  set.socket = socket_of(values);
  set.list = choice_of(values, "list", list_words);
  set.order = choice_of(values, "order", order_words);
  set.long_wait = long_wait_of(values);
  set.capture_signal = capture_signal_of(values, set);
  set.stack_bytes = stack_bytes_of(values, set.stack_bytes);
  set.debug_dirs = text_of(values, "debug_dirs").value_or(set.debug_dirs);
  set.deadline = seconds_of(values, "deadline_seconds", set.deadline);
  set.section_deadline = seconds_of(values, "section_seconds", set.section_deadline);
  set.on_fatal = on_fatal_of(values);
  set.fatal_deadline = fatal_deadline_of(values, set.fatal_deadline);
  set.reports_per_minute = limit_of(values, "reports_per_minute", set.reports_per_minute,
                                    most_reports_per_minute, reports_per_minute_allowed);
  set.log_keep = limit_of(values, "log_keep", set.log_keep, most_reports_kept, log_keep_allowed);
  set.log_keep_bytes = limit_of(values, "log_keep_bytes", set.log_keep_bytes, most_bytes_kept,
                                log_keep_bytes_allowed);
  set.stall = stall_of(values);
  set.memory_mark = limit_of(values, "memory_mark_bytes", 0, most_of_a_mark, mark_allowed);
  set.descriptors_mark = limit_of(values, "descriptors_mark", 0, most_of_a_mark, mark_allowed);
  set.green_threads_mark = limit_of(values, "green_threads_mark", 0, most_of_a_mark, mark_allowed);
  return set;
}

}  // namespace gmr

// The [oslo_reports] options, and options that must never be shown.
#pragma once

#include "gmr/detail/language.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/value_semantic.hpp>
#include <boost/program_options/variables_map.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "gmr/model/report.hpp"

namespace gmr {

class loaded_options;

// Marks an option as secret: reports show *** for its value, wherever it came from.
class secret_option {
 public:
  virtual ~secret_option() = default;
};

template <class T>
class secret_value final : public boost::program_options::typed_value<T>, public secret_option {
 public:
  explicit secret_value(T* store_to = nullptr) : boost::program_options::typed_value<T>(store_to) {}
};

// As boost::program_options::value<T>(), for a password, key or token. Owned by the
// options_description it is given to, as there.
template <class T>
[[nodiscard]] secret_value<T>* secret(T* store_to = nullptr) {
  return new secret_value<T>(store_to);  // NOLINT(cppcoreguidelines-owning-memory)
}

// As a signal: none.
inline constexpr int no_signal = -1;
// What is reported on an error that ends the process: nothing; what can be said without names and
// without memory; that, and then a report like all others.
enum class fatal_reports : std::uint8_t { off, raw, full };

// What the [oslo_reports] section says.
struct settings {
  std::filesystem::path file_event_handler;  // empty: none; set: the signal trigger is off
  std::chrono::milliseconds file_event_handler_interval{1000};
  std::filesystem::path log_dir;  // empty: standard error
  std::size_t log_keep = 100;     // most reports of this service in log_dir; 0: no limit
  std::uint64_t log_keep_bytes = 1ULL << 30;  // most bytes in them; 0: no limit
  int signal = 0;  // 0: SIGUSR2; no_signal: reports come by the API alone, or the touched file
  // A Unix socket that answers who asks for a report: an absolute path, @NAME for an abstract one,
  // or "auto"; empty: none.
  std::string socket = {};
  report_format format = report_format::text;
  report_list list = report_list::groups;
  group_order order = group_order::suspicious;
  std::chrono::milliseconds long_wait{0};  // of a green thread, that is a finding; 0: none is
  int capture_signal = 0;  // 0: the first free real-time signal; no_signal: no thread is sent one
  std::size_t stack_bytes = 65536;
  std::string debug_dirs = "/usr/lib/debug";  // where separate debug files are, ':' between them
  std::chrono::milliseconds deadline{10000};
  std::chrono::milliseconds section_deadline{2000};
  fatal_reports on_fatal = fatal_reports::off;
  std::chrono::milliseconds fatal_deadline{1000};  // for the whole report on a fatal error
  std::size_t reports_per_minute = 6;              // that nobody asked for; 0: no limit
};

// The value of an option is not acceptable. `option` names it: "oslo_reports.format"; what() does
// too, with the value and what is allowed.
class option_error : public std::runtime_error {
 public:
  option_error(std::string option, const std::string& message);
  [[nodiscard]] const std::string& option() const noexcept { return option_; }

 private:
  std::string option_;
};

// What is asked for exists in the contract, but not in this version yet.
class unavailable_option : public option_error {
 public:
  using option_error::option_error;
};

// Descriptions of the [oslo_reports] options, to add to those of the service.
[[nodiscard]] boost::program_options::options_description options();

// Reads and checks them. Options that are not in `values` have their default. Throws option_error.
[[nodiscard]] settings settings_from(const boost::program_options::variables_map& values);
// The same of options that know where they were set: throws configuration_error with that place.
// For an unavailable_option its exit code is 78, wherever that is.
[[nodiscard]] settings settings_from(const loaded_options& loaded);

}  // namespace gmr

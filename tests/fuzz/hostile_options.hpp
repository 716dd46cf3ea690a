// What must hold for any bytes in a configuration file, for the fuzzer and for the unit test that
// repeats its corpus.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <boost/program_options/options_description.hpp>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "gmr/options/configuration.hpp"
#include "gmr/options/options.hpp"
#include "text/masking.hpp"

namespace hostile {

inline void require(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << '\n';
  std::abort();
}

// A file in memory that can be opened by its path.
class memory_file final {
 public:
  explicit memory_file(std::string_view content) : descriptor_(::memfd_create("ini", MFD_CLOEXEC)) {
    require(::write(descriptor_, content.data(), content.size()) ==
                static_cast<ssize_t>(content.size()),
            "write");
    path_ = "/proc/self/fd/" + std::to_string(descriptor_);
  }
  ~memory_file() { ::close(descriptor_); }
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  int descriptor_;
  std::string path_;
};

inline boost::program_options::options_description service_options() {
  namespace po = boost::program_options;
  po::options_description described{"service"};
  described.add_options()("help,h", "")("config-file,c", po::value<std::string>())(
      "verbose", po::bool_switch())("http.port", po::value<unsigned short>()->default_value(80))(
      "http.peers", po::value<std::vector<std::string>>())("http.ratio", po::value<double>())(
      "db.uri", po::value<std::string>())("db.pin", gmr::secret<int>())("labels.*",
                                                                        po::value<std::string>());
  described.add(gmr::options());
  return described;
}

// Loads the bytes as a configuration file: they are accepted, or refused with their place.
inline void load(std::string_view content) {
  static const boost::program_options::options_description described = service_options();
  const memory_file file{content};
  const char* const arguments[] = {"service", "--config-file", file.path().c_str(), nullptr};
  try {
    const gmr::loaded_options loaded = gmr::load_options(3, arguments, described);
    for (const gmr::option_entry& entry : gmr::describe_configuration(described, loaded)) {
      const auto* text = std::get_if<std::string>(&entry.content.get());
      require(entry.name != "pin" || text == nullptr || *text == "***", "a secret is masked");
    }
    static_cast<void>(gmr::settings_from(loaded.values));
  } catch (const gmr::configuration_error& error) {
    const std::string_view message = error.what();
    require(message.starts_with(file.path() + ":"), "an error names the file");
    require(error.exit_code() == 78, "an error is one of the file");
    require(message.find('\n') == std::string_view::npos, "an error is one line");
  } catch (const gmr::option_error& error) {
    require(error.option().starts_with("oslo_reports."), "an error names the option");
  }
}

// Masks the bytes as a text with URLs.
inline void mask(std::string_view text) {
  const std::string once = gmr::texts::mask_urls(text);
  if (text.find("://") == std::string_view::npos && text.find('?') == std::string_view::npos)
    require(once == text, "other text is unchanged");
  // However the bytes end, a URL after a blank is one of its own.
  const std::string url = " pg://user:hunter2@host/";
  const std::string with_url = gmr::texts::mask_urls(std::string(text) + "\n" + url);
  require(with_url.ends_with(" pg://user:***@host/"), "a password after other text is masked");
}

}  // namespace hostile

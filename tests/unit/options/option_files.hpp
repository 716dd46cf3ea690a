// Real files and command lines for tests of options.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "gmr/options/configuration.hpp"
#include "support/scratch_directory.hpp"

namespace option_files {

// A directory that goes when the test ends.
class directory final {
 public:
  [[nodiscard]] const std::filesystem::path& path() const { return scratch_.path(); }

  // The path of a new file with that content.
  [[nodiscard]] std::string file(const std::string& content,
                                 const std::string& name = "service.conf") const {
    std::ofstream{path() / name, std::ios::binary} << content;
    return path() / name;
  }

 private:
  gmr::test::scratch_directory scratch_;
};

// An environment variable that goes when the test ends.
class variable final {
 public:
  variable(std::string name, const std::string& content) : name_(std::move(name)) {
    ::setenv(name_.c_str(), content.c_str(), 1);
  }
  ~variable() { ::unsetenv(name_.c_str()); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

 private:
  std::string name_;
};

inline gmr::loaded_options load(const boost::program_options::options_description& described,
                                std::vector<std::string> arguments,
                                const gmr::load_settings& settings = {}) {
  arguments.insert(arguments.begin(), "service");
  std::vector<const char*> argv;
  for (const std::string& argument : arguments)
    argv.push_back(argument.c_str());
  argv.push_back(nullptr);
  return gmr::load_options(static_cast<int>(arguments.size()), argv.data(), described, settings);
}

// The error that loading gives; nothing when it gives none.
inline std::optional<gmr::configuration_error> load_error(
    const boost::program_options::options_description& described,
    std::vector<std::string> arguments, const gmr::load_settings& settings = {}) {
  try {
    static_cast<void>(load(described, std::move(arguments), settings));
  } catch (const gmr::configuration_error& error) {
    return error;
  }
  return std::nullopt;
}

}  // namespace option_files

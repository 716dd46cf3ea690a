// The Package section.
#include <gnu/libc-version.h>
#include <sys/utsname.h>

#include <array>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/version.hpp>
#include <sstream>

#include "section/file_text.hpp"
#include "section/sections.hpp"

namespace gmr::sections {
namespace {

namespace po = boost::program_options;

// PRETTY_NAME of /etc/os-release, which is an INI file without sections.
std::string distribution() {
  const file_text release = read_file("/etc/os-release");
  std::istringstream lines{release.content};
  po::options_description known;
  known.add_options()("PRETTY_NAME", po::value<std::string>());
  try {
    for (const po::option& option : po::parse_config_file(lines, known, true).options) {
      if (option.string_key != "PRETTY_NAME" || option.value.empty()) continue;
      const std::string& name = option.value.front();
      const bool quoted = name.size() > 1 && name.front() == '"' && name.back() == '"';
      return quoted ? name.substr(1, name.size() - 2) : name;
    }
  } catch (const po::error&) {
    // A file that is not as os-release(5) says: the kernel alone will do.
  }
  return {};
}

std::string operating_system() {
  std::string result = distribution();
  utsname kernel{};
  if (::uname(&kernel) != 0) return result;
  if (!result.empty()) result += ", ";
  return result + kernel.sysname + ' ' + kernel.release + ' ' + kernel.machine;
}

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "g++ " __VERSION__;
#endif
}

std::string boost_version() {
  return std::to_string(BOOST_VERSION / 100000) + '.' + std::to_string(BOOST_VERSION / 100 % 1000) +
         '.' + std::to_string(BOOST_VERSION % 100);
}

value or_null(const std::string& text) {
  return text.empty() ? value{} : value{text};
}

}  // namespace

value package_section(const package& software, const std::string& build_id) {
  key_values entries;
  entries.add("name", software.name)
      .add("version", or_null(software.version))
      .add("vendor", or_null(software.vendor))
      .add("revision", or_null(software.revision))
      .add("build_id", or_null(build_id))
      .add("compiler", compiler())
      .add("boost", boost_version())
      .add("libc", "glibc " + std::string(::gnu_get_libc_version()))
      .add("gmr", GMR_VERSION)
      .add("os", operating_system());
  return entries;
}

std::string host_name() {
  utsname kernel{};
  return ::uname(&kernel) == 0 ? kernel.nodename : "unknown";
}

}  // namespace gmr::sections

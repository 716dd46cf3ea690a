// The Package section.
#include <gnu/libc-version.h>
#include <sys/utsname.h>

#include <boost/version.hpp>
#include <string>
#include <string_view>

#include "facts/facts.hpp"
#include "os/file_text.hpp"
#include "text/lines.hpp"

namespace gmr::facts {
namespace {

// PRETTY_NAME of /etc/os-release. Read line by line: a stream would copy the program's locale,
// under a lock.
std::string distribution() {
  const os::file_text release = os::read_file("/etc/os-release");
  for (std::string_view rest = release.content; !rest.empty();) {
    std::string_view line = texts::trimmed(texts::take_line(rest));
    if (texts::take_until(line, '=') != "PRETTY_NAME") continue;
    const bool quoted = line.size() > 1 && line.front() == line.back() &&
                        (line.front() == '"' || line.front() == '\'');
    return std::string{quoted ? line.substr(1, line.size() - 2) : line};
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

// By the names of its shared libraries: "libboost_context.so.1.81.0".
std::string loaded_boost(const os::module_table& modules) {
  constexpr std::string_view before_version = ".so.";
  for (const auto& each : modules.loaded()) {
    const std::string_view path = each->path;
    const std::string_view name = path.substr(path.rfind('/') + 1);
    const std::size_t end = name.find(before_version);
    if (name.starts_with("libboost_") && end != name.npos)
      return std::string{name.substr(end + before_version.size())};
  }
  return {};
}

std::string build_id_of(const os::module_table& modules) {
  for (const auto& each : modules.loaded())
    if (each->kind == os::module_kind::executable) return each->build_id;
  return {};
}

value or_null(const std::string& text) {
  return text.empty() ? value{} : value{text};
}

}  // namespace

value package_section(const package& software, const os::module_table& modules,
                      built_program program) {
  const bool is_ours = program == built_program::with_library;
  key_values entries;
  entries.add("name", software.name)
      .add("version", or_null(software.version))
      .add("vendor", or_null(software.vendor))
      .add("revision", or_null(software.revision))
      .add("build_id", or_null(build_id_of(modules)))
      .add("compiler", is_ours ? value{compiler()} : value{})
      .add("boost", or_null(is_ours ? boost_version() : loaded_boost(modules)))
      .add("libc", "glibc " + std::string(::gnu_get_libc_version()))
      .add("gmr", GMR_VERSION)
      .add("os", operating_system());
  return entries;
}

std::string host_name() {
  utsname kernel{};
  return ::uname(&kernel) == 0 ? kernel.nodename : "unknown";
}

}  // namespace gmr::facts

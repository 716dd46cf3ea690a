#include "report/services.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "report/by_socket.hpp"
#include "report/process.hpp"
#include "report/reached_socket.hpp"
#include "sink/log_file.hpp"

namespace gmr_command {
namespace {

namespace fs = std::filesystem;

std::optional<pid_t> number_of(std::string_view text) {
  pid_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number <= 0) return std::nullopt;
  return number;
}

// Names in a directory that may not be there.
std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at{directory, error}, end; !error && at != end; at.increment(error))
    names.push_back(at->path().filename().string());
  std::ranges::sort(names);
  return names;
}

// Where `socket = auto` puts it, for this user and for services of systemd.
std::set<std::string> run_time_directories(const std::string& service) {
  std::set<std::string> all{"/run/" + service, "/run/user/" + std::to_string(::geteuid())};
  for (const char* const variable : {"RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"}) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread
    const char* const content = std::getenv(variable);
    if (content != nullptr && *content == '/')
      all.insert(std::string{content}.substr(0, std::string_view{content}.find(':')));
  }
  return all;
}

// SERVICE-PID-START.sock
bool is_socket_of(std::string_view file, const std::string& service) {
  constexpr std::string_view ending = ".sock";
  const std::string beginning = gmr::sinks::safe_name(service) + '-';
  if (!file.starts_with(beginning) || !file.ends_with(ending)) return false;
  file.remove_prefix(beginning.size());
  return number_of(file.substr(0, file.find('-'))).has_value();
}

}  // namespace

std::vector<found_service> find_services(const std::string& name) {
  std::vector<found_service> found;
  std::set<std::pair<dev_t, ino_t>> told;  // sockets of processes that are found
  for (const std::string& each : names_in("/proc")) {
    const std::optional<pid_t> id = number_of(each);
    const auto said = id ? announcement_of(*id).content : std::nullopt;
    if (!said || said->service != name) continue;
    found.push_back({.process = id, .socket = {}});
    if (said->socket.empty()) continue;
    if (const auto file = reached_socket{said->socket, {.process = id, .is_told = true}}.status())
      told.emplace(file->st_dev, file->st_ino);
  }
  for (const std::string& directory : run_time_directories(name)) {
    for (const std::string& file : names_in(directory)) {
      std::string path = directory;
      path.append("/").append(file);
      if (!is_socket_of(file, name)) continue;
      const reached_socket at{path, {}};
      const auto status = at.status();
      // A directory may have two names. What a process left behind that was killed is nobody's.
      if (status && told.emplace(status->st_dev, status->st_ino).second && is_answered(at))
        found.push_back({.process = {}, .socket = path});
    }
  }
  return found;
}

std::string name_of(const found_service& each) {
  return each.process ? std::to_string(*each.process) : "--socket " + each.socket.value_or("");
}

}  // namespace gmr_command

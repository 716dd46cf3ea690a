// Resource limits of this process.
#include <sys/resource.h>

#include <array>
#include <cerrno>
#include <utility>

#include "facts/process_parts.hpp"
#include "os/errors.hpp"

namespace gmr::facts {
namespace {

struct known_limit {
  const char* name;
  decltype(RLIMIT_NOFILE) resource;
};

constexpr std::array shown_limits{
    known_limit{"open files", RLIMIT_NOFILE}, known_limit{"stack bytes", RLIMIT_STACK},
    known_limit{"core bytes", RLIMIT_CORE},   known_limit{"address space bytes", RLIMIT_AS},
    known_limit{"processes", RLIMIT_NPROC},
};

value limit_value(rlim_t limit) {
  return limit == RLIM_INFINITY ? value{"unlimited"} : value{limit};
}

}  // namespace

value limits_table(unavailable_parts& unavailable) {
  table result{{"limit", "soft", "hard"}, {}};
  for (const known_limit& known : shown_limits) {
    rlimit set{};
    if (::getrlimit(known.resource, &set) != 0) {
      unavailable.push_back("limit of " + std::string(known.name) + ": " + os::error_text(errno));
      continue;
    }
    result.rows.push_back({known.name, limit_value(set.rlim_cur), limit_value(set.rlim_max)});
  }
  return result.rows.empty() ? value{} : value{std::move(result)};
}

value descriptor_limit() {
  rlimit set{};
  if (::getrlimit(RLIMIT_NOFILE, &set) != 0 || set.rlim_cur == RLIM_INFINITY) return {};
  return set.rlim_cur;
}

}  // namespace gmr::facts

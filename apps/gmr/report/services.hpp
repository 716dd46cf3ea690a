// Finds the processes of a service.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace gmr_command {

// Where one may be asked. At least one of both is known.
struct found_service {
  std::optional<pid_t> process;       // that says by itself that it is the service
  std::optional<std::string> socket;  // in one of the run-time directories, of an unknown process
};

// All that have that name, of those that may be looked at.
[[nodiscard]] std::vector<found_service> find_services(const std::string& name);

// As people are told of it.
[[nodiscard]] std::string name_of(const found_service& each);

}  // namespace gmr_command

// Points in time as the API writes them.
#pragma once

#include <cstdint>
#include <string>

namespace queue_server {

// "2026-01-31T12:00:00Z" from milliseconds since 1970.
[[nodiscard]] std::string rfc3339(std::int64_t milliseconds);

}  // namespace queue_server

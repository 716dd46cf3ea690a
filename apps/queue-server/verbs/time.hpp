// Points in time as the API writes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace queue_server {

// "2026-01-31T12:00:00Z" from milliseconds since 1970.
[[nodiscard]] std::string rfc3339(std::int64_t milliseconds);

// "2026-01-31T12:00:00.250Z".
[[nodiscard]] std::string precise_rfc3339(std::int64_t milliseconds);

// "Sat, 31 Jan 2026 12:00:00 GMT", of now, as HTTP's header Date has it.
[[nodiscard]] std::string http_date();

// Seconds since 1970 from a time in UTC as above; the Z may be missing, as in Zaqar's own.
[[nodiscard]] std::optional<std::int64_t> seconds_from(const std::string& text);

}  // namespace queue_server

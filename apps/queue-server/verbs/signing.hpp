// Signed URLs: whoever holds one may use some paths of a queue with some methods until it expires.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "verbs/rules.hpp"

namespace queue_server {

// What the headers of a request claim, as they were sent.
struct signed_claim {
  std::string signature;
  std::string expires;  // "2026-01-31T12:00:00"
  std::string methods;  // "GET,POST"
  std::string paths;    // "/v2/queues/orders/messages"
};

// Lower-case hexadecimal HMAC-SHA256.
[[nodiscard]] std::string sign(const rules& allowed, const std::string& project,
                               const signed_claim& what);

// Throws api_error: 400 for what is incomplete, 403 for what is not, or no longer, allowed.
void check_signature(const rules& allowed, const std::string& project, const signed_claim& what,
                     const std::string& method, const std::string& path);

}  // namespace queue_server

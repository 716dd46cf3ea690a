// Zaqar's v2 API over HTTP: from a request to an operation and its answer, without sockets.
#pragma once

#include <optional>
#include <string>

#include "verbs/operation.hpp"
#include "verbs/signing.hpp"

namespace queue_server::http {

struct request {
  std::string method;
  std::string target;  // path and query, as sent
  std::optional<std::string> client_id;
  std::optional<std::string> project_id;
  std::optional<std::string> accept;
  std::optional<std::string> content_type;
  std::optional<signed_claim> signature;
  std::string body;
};

// Never throws for what a client sent: that is an answer too. Any thread. `allowed` must outlive
// the operation.
[[nodiscard]] operation prepare(const request& asked, const rules& allowed);

// An answer in the shape of all errors.
[[nodiscard]] reply error_reply(int status, const std::string& title,
                                const std::string& description);

}  // namespace queue_server::http

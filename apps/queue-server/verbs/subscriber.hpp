// Whom subscriptions may name.
#pragma once

#include <string>

#include "verbs/rules.hpp"

namespace queue_server {

// An http URL whose host is among those that the operator allows; otherwise throws api_error. The
// host is checked again when something is sent, as it may have been allowed once only.
std::string checked_subscriber(const rules& allowed, const std::string& subscriber);

}  // namespace queue_server

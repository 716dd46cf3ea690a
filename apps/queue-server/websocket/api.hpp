// Zaqar's v2 API over WebSocket, from a message to an answer, without sockets.
#pragma once

#include <string>
#include <string_view>

#include "verbs/operation.hpp"

namespace queue_server::websocket {

// As the peer wrote it, so it is answered.
enum class encoding { json, message_pack };

struct prepared {
  operation work;
  const char* action;  // a literal: what is asked for, or that it is not known
  bool subscribes = false;
};

// Never throws for what a client sent: that is an answer too. Any thread. `allowed` must outlive
// the operation. `socket` stands for the client where it subscribes itself.
[[nodiscard]] prepared prepare(std::string_view received, encoding form, const rules& allowed,
                               const std::string& socket = {});

}  // namespace queue_server::websocket

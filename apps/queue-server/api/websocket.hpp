// Zaqar's v2 API over WebSocket, from a message to an answer, without sockets.
#pragma once

#include <string_view>

#include "api/operation.hpp"

namespace queue_server::websocket_api {

// As the peer wrote it, so it is answered.
enum class encoding { json, message_pack };

// Never throws for what a client sent: that is an answer too. Any thread.
[[nodiscard]] operation prepare(std::string_view received, encoding form);

}  // namespace queue_server::websocket_api

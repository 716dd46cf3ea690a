// From the results of the verbs to the bodies of answers over WebSocket.
#pragma once

#include "verbs/results.hpp"

namespace queue_server::websocket {

struct rendered {
  int status = 200;
  json body;
};

// Throws api_error where WebSocket has an error for what is a result to others.
[[nodiscard]] rendered render(const result& done);
[[nodiscard]] rendered render_error(const std::exception& problem);

}  // namespace queue_server::websocket

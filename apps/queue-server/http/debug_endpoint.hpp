// POST /debug/block?seconds=N&how=mutex|sleep|spin
#pragma once

#include <string_view>

#include "http/api.hpp"

namespace queue_server::http {

[[nodiscard]] bool is_debug_target(std::string_view target);

// Blocks the calling io thread as asked, then answers.
[[nodiscard]] reply serve_debug(std::string_view method, std::string_view target);

}  // namespace queue_server::http

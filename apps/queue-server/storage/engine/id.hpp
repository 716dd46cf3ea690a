// Ids that do not repeat and can't be guessed.
#pragma once

#include <string>

namespace queue_server {

// 32 random hexadecimal digits. Any thread.
[[nodiscard]] std::string new_id();

}  // namespace queue_server

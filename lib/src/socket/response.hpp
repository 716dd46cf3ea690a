// Answers as HTTP/1.1 has them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace gmr::sockets {

struct response {
  std::string head;
  std::shared_ptr<const std::string> body;  // what several clients ask for is there once
};

[[nodiscard]] response answer(std::shared_ptr<const std::string> body,
                              std::string_view content_type);

// A status that is no success, with one line of text.
[[nodiscard]] response refuse(unsigned status, std::string_view line);

// Text, and the format of metrics.
inline constexpr std::string_view plain_text = "text/plain; charset=utf-8";
inline constexpr std::string_view metrics_text = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace gmr::sockets

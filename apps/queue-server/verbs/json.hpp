// JSON and MessagePack from clients, with bounds: nesting, integers of 64 bits, UTF-8.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace queue_server {

using json = nlohmann::json;

// Both throw api_error (400) for what is not well-formed, is nested deeper than limits::json_depth,
// has an integer beyond 64 bits or bytes that JSON can't hold.
//
// The body of each message, which is the member "body" of an object in the list "messages", is kept
// as the text that was sent, without its spaces: a raw value. So the order of its members, its
// numbers (1.10, 1e2) and members of the same name come back as they were.
[[nodiscard]] json parse_json(std::string_view text);
[[nodiscard]] json parse_message_pack(std::string_view bytes);

// Trusted text, which this server wrote.
[[nodiscard]] json stored_json(const std::string& text);

// A value that is JSON already and is shown as it is.
[[nodiscard]] json raw_value(std::string_view text);
[[nodiscard]] bool is_raw(const json& value) noexcept;

[[nodiscard]] std::string to_text(const json& document);
[[nodiscard]] std::string to_message_pack(const json& document);

}  // namespace queue_server

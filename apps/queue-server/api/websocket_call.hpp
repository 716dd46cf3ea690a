// What the actions are given and return. Private to api/websocket*.cpp.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/operation.hpp"
#include "api/validation.hpp"

namespace queue_server::websocket_api {

struct call {
  caller who;
  json body;              // an object
  std::int64_t size = 0;  // of the whole message, in bytes

  [[nodiscard]] queue_key queue() const;
  [[nodiscard]] std::string text(const char* name) const;  // required
  [[nodiscard]] std::optional<std::string> optional_text(const char* name) const;
  [[nodiscard]] std::optional<std::int64_t> integer(const char* name) const;
  [[nodiscard]] bool boolean(const char* name) const;  // absent: false
};

struct outcome {
  int status = 200;
  json body;
};

struct action {
  access needs = access::none;
  std::function<outcome(store&)> run;
};

[[nodiscard]] json message_json(const message& shown);
[[nodiscard]] json messages_json(const std::vector<message>& shown);

[[nodiscard]] action queue_list(const call& asked);
[[nodiscard]] action queue_create(const call& asked);
[[nodiscard]] action queue_get(const call& asked);
[[nodiscard]] action queue_delete(const call& asked);
[[nodiscard]] action queue_get_stats(const call& asked);

[[nodiscard]] action message_list(const call& asked);
[[nodiscard]] action message_get(const call& asked);
[[nodiscard]] action message_get_many(const call& asked);
[[nodiscard]] action message_post(const call& asked);
[[nodiscard]] action message_delete(const call& asked);
[[nodiscard]] action message_delete_many(const call& asked);

[[nodiscard]] action claim_create(const call& asked);
[[nodiscard]] action claim_get(const call& asked);
[[nodiscard]] action claim_update(const call& asked);
[[nodiscard]] action claim_delete(const call& asked);

}  // namespace queue_server::websocket_api

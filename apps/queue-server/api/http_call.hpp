// What the handlers of HTTP requests are given and return. Private to api/http*.cpp.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/http.hpp"
#include "api/validation.hpp"

namespace queue_server::http_api {

struct call {
  caller who;
  std::string path;  // decoded, without the query
  queue_key queue;   // when the path names one
  std::string item;  // the message's or claim's id, when the path names one
  std::multimap<std::string, std::string> parameters;
  std::string body;

  [[nodiscard]] std::optional<std::string> parameter(const std::string& name) const;
  [[nodiscard]] std::optional<std::int64_t> integer(const std::string& name) const;
  [[nodiscard]] bool boolean(const std::string& name) const;  // absent: false
  // Of `?ids=a,b` and `?ids=a&ids=b` alike; checked for their number. Absent: none.
  [[nodiscard]] std::optional<std::vector<std::string>> ids() const;
  // Null when there is no body.
  [[nodiscard]] json document() const;
};

[[nodiscard]] reply json_reply(int status, const json& body);
[[nodiscard]] reply no_content();
[[nodiscard]] operation answer(reply ready);
template <class Work>
[[nodiscard]] operation reading(Work work) {
  return {access::read, {}, std::move(work), {}};
}
template <class Work>
[[nodiscard]] operation writing(Work work) {
  return {access::write, {}, std::move(work), {}};
}

// The path and query of a following page.
[[nodiscard]] json next_link(const call& asked, const std::string& marker, std::int64_t limit);

[[nodiscard]] json message_json(const message& shown, const std::string& queue_path);
[[nodiscard]] std::string queue_path(const std::string& name);

[[nodiscard]] operation list_queues(const call& asked);
[[nodiscard]] operation create_queue(const call& asked);
[[nodiscard]] operation get_queue(const call& asked);
[[nodiscard]] operation delete_queue(const call& asked);
[[nodiscard]] operation queue_statistics(const call& asked);

[[nodiscard]] operation post_messages(const call& asked);
[[nodiscard]] operation list_messages(const call& asked);
[[nodiscard]] operation delete_messages(const call& asked);
[[nodiscard]] operation get_message(const call& asked);
[[nodiscard]] operation delete_message(const call& asked);

[[nodiscard]] operation create_claim(const call& asked);
[[nodiscard]] operation get_claim(const call& asked);
[[nodiscard]] operation update_claim(const call& asked);
[[nodiscard]] operation delete_claim(const call& asked);

}  // namespace queue_server::http_api

// The verbs of the API, once for all protocols: parse (the protocol) -> command -> result -> render
// (the protocol).
//
// A protocol reads a request into `arguments`, whose names are those of Zaqar's WebSocket API, and
// looks up the verb. The verb checks the arguments and makes a command; the command runs on the
// storage engine and gives a result; the protocol renders that.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/engine/engine.hpp"
#include "verbs/results.hpp"
#include "verbs/validation.hpp"

namespace queue_server {

// What a request says. All members that read a field throw api_error when it is not of the kind
// that is asked for.
struct arguments {
  explicit arguments(const rules& set) : allowed(set) {}

  const rules& allowed;  // outlives every command
  caller who;
  json fields = json::object();
  // Of a WebSocket client: what stands for it where it subscribes and names nobody.
  std::string socket;
  // Of a list of queues: what their metadata must say.
  std::vector<std::pair<std::string, std::string>> filters;
  // Of the request's body, where that is what Zaqar limits; otherwise the messages are measured.
  std::optional<std::int64_t> body_bytes;

  [[nodiscard]] queue_key queue() const;
  [[nodiscard]] const json* field(const char* name) const;  // null: absent, or JSON's null
  [[nodiscard]] std::string text(const char* name) const;   // required
  [[nodiscard]] std::optional<std::string> optional_text(const char* name) const;
  [[nodiscard]] std::optional<std::int64_t> integer(const char* name) const;
  [[nodiscard]] bool boolean(const char* name) const;  // absent: false
  // The field "limit".
  [[nodiscard]] std::int64_t page(std::int64_t most) const;
  // Absent: none. Checked for their number.
  [[nodiscard]] std::optional<std::vector<std::string>> ids() const;
};

enum class access {
  none,
  health,  // whether the storage works, which is known without asking it
  read,
  write,
};

// `run` is called on a storage thread, inside a transaction when it writes, and may throw: what it
// changed is then undone. Nothing returned: there is more to do, and it is called again after
// others had their turn, in another transaction. With access::none and access::health, `ready` is
// the result, in the latter case unless the storage has a fault.
struct command {
  access needs = access::none;
  std::string project;  // whose turn it is, among the projects
  std::function<std::optional<result>(engine&)> run;
  std::optional<result> ready;
  bool grows = false;  // it adds to the data: refused while the disk is full
};

namespace verbs {

[[nodiscard]] command queue_list(const arguments& asked);
[[nodiscard]] command queue_create(const arguments& asked);
[[nodiscard]] command queue_get(const arguments& asked);
[[nodiscard]] command queue_update(const arguments& asked);
[[nodiscard]] command queue_delete(const arguments& asked);
[[nodiscard]] command queue_get_stats(const arguments& asked);
[[nodiscard]] command queue_purge(const arguments& asked);
[[nodiscard]] command queue_share(const arguments& asked);

[[nodiscard]] command message_post(const arguments& asked);
[[nodiscard]] command message_list(const arguments& asked);
[[nodiscard]] command message_get(const arguments& asked);
[[nodiscard]] command message_get_many(const arguments& asked);
[[nodiscard]] command message_delete(const arguments& asked);
[[nodiscard]] command message_delete_many(const arguments& asked);

[[nodiscard]] command claim_create(const arguments& asked);
[[nodiscard]] command claim_get(const arguments& asked);
[[nodiscard]] command claim_update(const arguments& asked);
[[nodiscard]] command claim_delete(const arguments& asked);

[[nodiscard]] command subscription_create(const arguments& asked);
[[nodiscard]] command subscription_list(const arguments& asked);
[[nodiscard]] command subscription_get(const arguments& asked);
[[nodiscard]] command subscription_update(const arguments& asked);
[[nodiscard]] command subscription_delete(const arguments& asked);
[[nodiscard]] command subscription_confirm(const arguments& asked);

[[nodiscard]] command ping_node(const arguments& asked);
[[nodiscard]] command check_node_health(const arguments& asked);
[[nodiscard]] command get_home_doc(const arguments& asked);
[[nodiscard]] command authenticate(const arguments& asked);

// For the makers of commands.
template <class Work>
[[nodiscard]] command reading(const arguments& asked, Work work) {
  return {access::read, asked.who.project, std::move(work), {}, false};
}
template <class Work>
[[nodiscard]] command writing(const arguments& asked, Work work) {
  return {access::write, asked.who.project, std::move(work), {}, false};
}
template <class Work>
[[nodiscard]] command adding(const arguments& asked, Work work) {
  return {access::write, asked.who.project, std::move(work), {}, true};
}
[[nodiscard]] inline command at_once(result ready) {
  return {access::none, {}, {}, std::move(ready), false};
}

}  // namespace verbs

}  // namespace queue_server

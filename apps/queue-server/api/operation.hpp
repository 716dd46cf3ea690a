// What a request turns into: an answer at once, or work for the storage.
#pragma once

#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace queue_server {

class store;

// An answer, ready to send. For WebSocket `body` is the frame and the rest is not used.
struct reply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
};

enum class access { none, read, write };

// `run` is called once on a storage thread, inside a transaction when it writes, and may throw: the
// transaction is then undone and `refuse` makes the answer. With access::none, `ready` is the
// answer.
struct operation {
  access needs = access::none;
  reply ready;
  std::function<reply(store&)> run;
  std::function<reply(const std::exception&)> refuse;
};

}  // namespace queue_server

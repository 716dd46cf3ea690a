// Serves whatever the fuzzer thinks of, over HTTP and WebSocket, from a store in memory: every
// request has an answer, and what a store refuses is an answer too.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <http/api.hpp>
#include <optional>
#include <string>
#include <websocket/api.hpp>

#include "../unit/queue-server/served.hpp"

namespace {

using queue_server::reply;
using queue_server::served;

constexpr std::size_t most_of_a_field = 200;
constexpr std::size_t most_of_a_body = 4000;
constexpr int most_requests = 8;

std::optional<std::string> field(FuzzedDataProvider& bytes) {
  if (bytes.ConsumeBool()) return std::nullopt;
  return bytes.ConsumeRandomLengthString(most_of_a_field);
}

std::string header_or(FuzzedDataProvider& bytes, const char* usual) {
  return bytes.ConsumeIntegralInRange(0, 7) == 0 ? field(bytes).value_or("") : usual;
}

// The path is free, but mostly begins as one that leads somewhere.
std::string target(FuzzedDataProvider& bytes) {
  static const char* const beginnings[] = {
      "",
      "/v2/queues",
      "/v2/queues/q",
      "/v2/queues/q/messages",
      "/v2/queues/q/messages?",
      "/v2/queues/q/claims",
      "/v2/queues/q/claims/",
      "/v2/queues/q/stats",
      "/v2/queues/q/share",
      "/v2/queues/q/purge",
      "/v2/queues/q/subscriptions",
  };
  return bytes.PickValueInArray(beginnings) + bytes.ConsumeRandomLengthString(most_of_a_field);
}

void check(const reply& answer) {
  if (answer.status < 200 || answer.status > 599) std::abort();
}

void serve_http(FuzzedDataProvider& bytes, served& server) {
  static const char* const methods[] = {"GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "?"};
  queue_server::http::request asked;
  asked.method = bytes.PickValueInArray(methods);
  asked.target = target(bytes);
  asked.client_id = header_or(bytes, "3381af92-2b9e-11e3-b191-71861300734c");
  asked.project_id = header_or(bytes, "project");
  asked.accept = field(bytes);
  asked.content_type = header_or(bytes, "application/json");
  asked.body = bytes.ConsumeRandomLengthString(most_of_a_body);
  check(server.run(queue_server::http::prepare(std::move(asked), server.allowed())));
}

void serve_websocket(FuzzedDataProvider& bytes, served& server) {
  using queue_server::websocket::encoding;
  const encoding form = bytes.ConsumeBool() ? encoding::json : encoding::message_pack;
  const std::string message = bytes.ConsumeRandomLengthString(most_of_a_body);
  check(server.run(queue_server::websocket::prepare(message, form, server.allowed()).work));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider bytes(data, size);
  served server;
  for (int i = 0; i < most_requests && bytes.remaining_bytes() != 0; ++i)
    bytes.ConsumeBool() ? serve_http(bytes, server) : serve_websocket(bytes, server);
  return 0;
}

// What every session may use. Lives longer than all of them.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "budget.hpp"
#include "connections.hpp"
#include "verbs/rules.hpp"

namespace queue_server {

class notifier;
class service_log;
class storage;

struct services {
  storage& data;
  connections& clients;
  const rules& allowed;
  notifier& told;     // of what is posted
  budget& receiving;  // memory for what has come in part
  service_log& log;
  bool debug_endpoints = false;
  std::chrono::seconds idle_limit{0};  // between two requests; 0: as long as the client likes
  std::chrono::seconds websocket_ping{
      0};                            // a peer that is silent for twice as long is gone; 0: never
  std::vector<std::string> origins;  // of web pages that may use WebSocket; "*": all
  std::chrono::seconds transfer_limit{30};  // for a request to come in, or an answer to go out
};

}  // namespace queue_server

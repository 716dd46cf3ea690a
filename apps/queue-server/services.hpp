// What every session may use. Lives longer than all of them.
#pragma once

#include <chrono>

#include "connections.hpp"

namespace queue_server {

class storage;

struct services {
  storage& data;
  connections& clients;
  bool debug_endpoints = false;
  std::chrono::seconds idle_limit{0};       // between two requests; 0: as long as the client likes
  std::chrono::seconds transfer_limit{30};  // for a request to come in, or an answer to go out
};

}  // namespace queue_server

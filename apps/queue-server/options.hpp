// The options of queue-server and what they mean.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/program_options/options_description.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <gmr/options/configuration.hpp>
#include <string>
#include <vector>

#include "connections.hpp"
#include "log/log.hpp"
#include "verbs/rules.hpp"

namespace queue_server {

class mailboxes;
class turnstile;

struct options {
  boost::asio::ip::tcp::endpoint http;
  boost::asio::ip::tcp::endpoint websocket;
  int threads = 0;
  int workers = 1;
  // Sockets that listen already, which workers inherit; -1: the server opens its own.
  int http_socket = -1;
  int websocket_socket = -1;
  int storage_readers = 0;
  connections::limits most_connections;
  std::chrono::seconds idle_limit{0};
  std::chrono::seconds websocket_ping{0};
  std::chrono::seconds transfer_limit{0};
  std::vector<std::string> origins;
  std::chrono::seconds shutdown_limit{0};
  std::string storage_path;
  bool check_storage = true;
  // Of a worker: its number, and what it shares with the others. Null: there are none.
  int worker = 0;
  turnstile* turns = nullptr;
  mailboxes* mail = nullptr;
  bool sweeps = true;  // removes what has expired: one of the workers does
  bool debug_endpoints = false;
  rules allowed;
  log_options log;
  // Says a line to the operator; any thread.
  std::function<void(const std::string&)> tell;
};

// Every option, those of the reports included.
[[nodiscard]] boost::program_options::options_description describe_options();

// Checks the values that were loaded. Throws gmr::configuration_error.
[[nodiscard]] options options_from(const gmr::loaded_options& loaded);

}  // namespace queue_server

// The options of queue-server and what they mean.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/program_options/options_description.hpp>
#include <chrono>
#include <cstddef>
#include <gmr/section/configuration.hpp>
#include <string>

namespace queue_server {

struct options {
  boost::asio::ip::tcp::endpoint http;
  boost::asio::ip::tcp::endpoint websocket;
  int threads = 0;
  int storage_readers = 0;
  std::size_t most_connections = 0;
  std::chrono::seconds idle_limit{0};
  std::chrono::seconds shutdown_limit{0};
  std::string storage_path;
  bool debug_endpoints = false;
};

// Every option, those of the reports included.
[[nodiscard]] boost::program_options::options_description describe_options();

// Checks the values that were loaded. Throws gmr::configuration_error.
[[nodiscard]] options options_from(const gmr::loaded_options& loaded);

}  // namespace queue_server

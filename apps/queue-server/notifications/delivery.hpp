// One notification on its way to one webhook.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "verbs/metadata.hpp"

namespace queue_server {

// What it and whoever stops it share; touched on its strand only.
struct delivery {
  delivery(boost::asio::io_context& io, std::string url, std::string text)
      : strand(boost::asio::make_strand(io)),
        stream(strand),
        resolver(strand),
        subscriber(std::move(url)),
        body(std::move(text)) {}

  boost::asio::strand<boost::asio::io_context::executor_type> strand;
  boost::beast::tcp_stream stream;
  boost::asio::ip::tcp::resolver resolver;
  const std::string subscriber;  // a URL that was checked
  const std::string body;
  bool stopping = false;

  void stop();
};

struct delivery_end {
  bool taken = false;
  // Not taken: before it should be tried again. Nothing: that was the last time.
  std::optional<std::chrono::seconds> pause;
};

// Tries until it is taken, or there should be a pause. `retries` is how often it was tried again so
// far, and is counted up.
[[nodiscard]] boost::asio::awaitable<delivery_end> deliver(std::shared_ptr<delivery> one,
                                                           std::shared_ptr<std::int64_t> retries,
                                                           retry_policy policy);

// As it may be shown: a query may hold a secret.
[[nodiscard]] std::string shown_subscriber(const std::string& subscriber);

}  // namespace queue_server

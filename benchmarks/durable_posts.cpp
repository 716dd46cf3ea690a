// Posts one message after the other on many connections at once, and says how long each took:
//   durable_posts http|beanstalkd|redis PORT CONNECTIONS SECONDS
// The answer that a connection waits for says that the message is on the disk. One line of JSON.
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using clock_type = std::chrono::steady_clock;

constexpr auto as_result = asio::as_tuple(asio::deferred);
const std::string body(100, 'x');

// True: the message was taken.
using exchange = std::function<asio::awaitable<bool>(tcp::socket&)>;

asio::awaitable<bool> post_over_http(tcp::socket& socket) {
  http::request<http::string_body> asked{http::verb::post, "/v2/queues/load/messages", 11};
  asked.set(http::field::host, "localhost");
  asked.set(http::field::content_type, "application/json");
  asked.set("Client-ID", "3381af92-2b9e-11e3-b191-71861300734c");
  asked.set("X-Project-Id", "load");
  asked.body() = R"({"messages": [{"ttl": 3600, "body": ")" + body + R"("}]})";
  asked.prepare_payload();
  const auto [cut, sent] = co_await http::async_write(socket, asked, as_result);
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> answer;
  const auto [broken, received] = co_await http::async_read(socket, buffer, answer, as_result);
  co_return !cut && !broken && answer.result() == http::status::created;
}

// Sends `asked`; the answer is a line that should begin with `good`.
asio::awaitable<bool> ask_for_line(tcp::socket& socket, const std::string& asked,
                                   std::string_view good) {
  const auto [cut, sent] = co_await asio::async_write(socket, asio::buffer(asked), as_result);
  std::string answer;
  const auto [broken, received] =
      co_await asio::async_read_until(socket, asio::dynamic_buffer(answer), '\n', as_result);
  co_return !cut && !broken && answer.starts_with(good);
}

asio::awaitable<bool> post_to_beanstalkd(tcp::socket& socket) {
  static const std::string asked =
      "put 0 0 60 " + std::to_string(body.size()) + "\r\n" + body + "\r\n";
  return ask_for_line(socket, asked, "INSERTED");
}

asio::awaitable<bool> post_to_redis(tcp::socket& socket) {
  static const std::string asked =
      "*3\r\n$5\r\nRPUSH\r\n$4\r\nload\r\n$" + std::to_string(body.size()) + "\r\n" + body + "\r\n";
  return ask_for_line(socket, asked, ":");
}

struct tally {
  std::vector<std::uint32_t> microseconds;
  std::uint64_t failed = 0;
};

asio::awaitable<void> post_on(tcp::endpoint where, exchange post, clock_type::time_point end,
                              tally& counted) {
  tcp::socket socket(co_await asio::this_coro::executor);
  const auto [refused] = co_await socket.async_connect(where, as_result);
  if (refused) {
    ++counted.failed;
    co_return;
  }
  socket.set_option(tcp::no_delay(true));
  while (clock_type::now() < end) {
    const auto began = clock_type::now();
    if (!co_await post(socket)) {
      ++counted.failed;
      co_return;
    }
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(clock_type::now() - began);
    counted.microseconds.push_back(static_cast<std::uint32_t>(took.count()));
  }
}

std::uint32_t quantile(const std::vector<std::uint32_t>& sorted, std::size_t thousandths) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, sorted.size() * thousandths / 1000)];
}

int run(const exchange& post, unsigned short port, int connections, std::chrono::seconds time) {
  asio::io_context io(1);
  tally counted;
  const tcp::endpoint where(asio::ip::address_v4::loopback(), port);
  const auto end = clock_type::now() + time;
  for (int number = 0; number < connections; ++number)
    asio::co_spawn(io, post_on(where, post, end, counted), asio::detached);
  io.run();
  std::sort(counted.microseconds.begin(), counted.microseconds.end());
  const auto shown = [&counted](std::size_t at) { return quantile(counted.microseconds, at); };
  std::cout << "{\"posts\": " << counted.microseconds.size() << ", \"seconds\": " << time.count()
            << ", \"failed\": " << counted.failed << ", \"p50_us\": " << shown(500)
            << ", \"p99_us\": " << shown(990) << ", \"p999_us\": " << shown(999) << "}\n";
  return counted.failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> given(argv + 1, argv + argc);
  if (given.size() != 4) {
    std::cerr << "usage: durable_posts http|beanstalkd|redis PORT CONNECTIONS SECONDS\n";
    return 64;
  }
  exchange post = post_over_http;
  if (given[0] == "beanstalkd") post = post_to_beanstalkd;
  if (given[0] == "redis") post = post_to_redis;
  return run(post, static_cast<unsigned short>(std::stoi(given[1])), std::stoi(given[2]),
             std::chrono::seconds(std::stoi(given[3])));
}

#include <boost/asio.hpp>
#include <gmr/gmr.hpp>
#include <iostream>

namespace asio = boost::asio;
using asio::detached, asio::ip::tcp, asio::use_awaitable, boost::program_options::value;

std::atomic<int> orders = 0;

asio::awaitable<void> answer(tcp::socket from) {
  for (std::string text;; ++orders)
    text.erase(0, co_await async_read_until(from, asio::dynamic_buffer(text), '\n', use_awaitable));
}
asio::awaitable<void> listen(tcp::acceptor acceptor) {
  for (auto executor = acceptor.get_executor();;)
    co_spawn(executor, answer(co_await acceptor.async_accept(use_awaitable)), detached);
}

int main(int argc, char** argv) try {
  boost::program_options::options_description all{"orders"};
  all.add_options()("config-file", value<std::string>(), "an INI file");
  all.add_options()("port", value<unsigned short>()->default_value(7000));
  all.add_options()("db.password", gmr::secret<std::string>(), "never shown");
  all.add(gmr::options());  // the [oslo_reports] section
  const gmr::loaded_options options = gmr::load_options(argc, argv, all);

  gmr::reporter reporter{{.name = "orders", .version = "1.4.2"}, options};  // live from here
  reporter.add_section("Orders", [] { return gmr::key_values{}.add("received", orders.load()); });

  asio::io_context io;
  co_spawn(io, listen({io, {tcp::v4(), options.values["port"].as<unsigned short>()}}), detached);
  io.run();  // nothing changes here
} catch (const std::exception& error) {
  std::cerr << "orders: " << error.what() << '\n';
  return 1;
}

#include <boost/asio.hpp>
#include <gmr/gmr.hpp>
#include <iostream>

namespace asio = boost::asio;
using asio::ip::tcp, asio::use_awaitable, boost::program_options::value;

asio::awaitable<void> answer(tcp::socket from, std::atomic<int>& orders) {
  for (std::string text;; ++orders)
    text.erase(0, co_await async_read_until(from, asio::dynamic_buffer(text), '\n', use_awaitable));
}
asio::awaitable<void> listen(tcp::acceptor acceptor, std::atomic<int>& orders) {
  for (;;)
    co_spawn(acceptor.get_executor(), answer(co_await acceptor.async_accept(use_awaitable), orders),
             asio::detached);
}

int main(int argc, char** argv) try {
  boost::program_options::options_description all{"orders"};
  all.add_options()("config-file", value<std::string>(), "an INI file");
  all.add_options()("orders.port", value<unsigned short>()->default_value(7000));
  all.add_options()("db.password", gmr::secret<std::string>(), "never shown");
  all.add(gmr::options());  // the [oslo_reports] section
  const gmr::loaded_options options = gmr::load_options(argc, argv, all);

  std::atomic<int> orders = 0;
  gmr::reporter reporter{{.name = "orders", .version = "1.4.2"}, options};  // live from here
  reporter.add_section("Orders", [&] { return gmr::key_values{}.add("received", orders.load()); });

  asio::io_context io;
  tcp::acceptor acceptor{io, {tcp::v4(), options.values["orders.port"].as<unsigned short>()}};
  co_spawn(io, listen(std::move(acceptor), orders), asio::detached);  // nothing changes here
  io.run();
} catch (const std::exception& error) {
  std::cerr << "orders: " << error.what() << '\n';
  return 1;
}

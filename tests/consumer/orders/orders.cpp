#include <boost/asio.hpp>
#include <gmr/gmr.hpp>
#include <iostream>

namespace asio = boost::asio;
namespace po = boost::program_options;
using asio::ip::tcp;

asio::awaitable<void> answer(tcp::socket socket, std::atomic<int>& orders) {
  std::string text;
  for (;; ++orders)
    text.erase(0, co_await asio::async_read_until(socket, asio::dynamic_buffer(text), '\n',
                                                  asio::use_awaitable));
}

asio::awaitable<void> listen(tcp::acceptor acceptor, std::atomic<int>& orders) {
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
    asio::co_spawn(acceptor.get_executor(), answer(std::move(socket), orders), asio::detached);
  }
}

int main(int argc, char** argv) try {
  po::options_description all{"orders"};
  all.add_options()("config-file", po::value<std::string>())             // an INI file
      ("orders.port", po::value<unsigned short>()->default_value(7000))  //
      ("db.password", gmr::secret<std::string>(), "never shown");
  all.add(gmr::options());  // the [oslo_reports] section
  const gmr::loaded_options options = gmr::load_options(argc, argv, all);

  gmr::reporter reporter{{.name = "orders", .version = "1.4.2"}, options.values};  // live from here
  reporter.add_configuration(all, options);
  std::atomic<int> orders = 0;
  reporter.add_section("Orders", [&] { return gmr::key_values{}.add("received", orders.load()); });

  asio::io_context io;
  tcp::acceptor acceptor{io, {tcp::v4(), options.values["orders.port"].as<unsigned short>()}};
  std::cout << "listening on " << acceptor.local_endpoint() << std::endl;
  asio::co_spawn(io, listen(std::move(acceptor), orders), asio::detached);  // nothing changes here
  io.run();
} catch (const std::exception& error) {
  std::cerr << "orders: " << error.what() << '\n';
  return 1;
}

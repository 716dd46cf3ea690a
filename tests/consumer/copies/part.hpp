#pragma once
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

extern "C" {
[[gnu::visibility("default")]] void part_start(boost::asio::io_context& io, int coroutines,
                                               int fibers);
[[gnu::visibility("default")]] void part_stop(
    boost::asio::io_context& io);  // ends all that was started
}
// Waits for ever.
[[gnu::visibility("default")]] boost::asio::awaitable<void> part_nested();
// As JSON, by the copy of the library that the part has.
[[gnu::visibility("default")]] std::string part_report();

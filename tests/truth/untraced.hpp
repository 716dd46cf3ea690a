// Coroutines of a unit that is compiled without gmr::trace: no part of the truth.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>

namespace truth {

boost::asio::awaitable<void> await_untraced(std::function<boost::asio::awaitable<void>()> child);
boost::asio::awaitable<void> wait_untraced();

}  // namespace truth

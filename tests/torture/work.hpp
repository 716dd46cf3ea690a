// What the threads of the torture do, a little at a time and all at once. Every function may be
// called on many threads.
#pragma once

#include <boost/asio/io_context.hpp>
#include <random>

namespace torture {

// Boost.Context: makes, resumes, destroys one fiber of those that all threads share.
void churn_fibers(std::minstd_rand& random);
// Ends all that are left.
void end_fibers();

// Coroutines that go on until `stop_travelling`, each on a strand.
void spawn_coroutines(boost::asio::io_context& io, int count);
// The same as fibers.
void spawn_fibers(boost::asio::io_context& io, int count);
void stop_travelling();

}  // namespace torture

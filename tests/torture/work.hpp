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
// The same with Boost.Coroutine2.
void churn_coroutines(std::minstd_rand& random);
void end_coroutines();
// Boost.Fiber: makes one, lets all of the calling thread have a turn. `running`: how many it has.
void churn_scheduled(std::minstd_rand& random, int& running);
// Goes on until they have ended. By each thread that made some.
void end_scheduled(int& running);

// Coroutines that go on until `stop_travelling`, each on a strand.
void spawn_coroutines(boost::asio::io_context& io, int count);
// The same as fibers.
void spawn_fibers(boost::asio::io_context& io, int count);
void stop_travelling();

}  // namespace torture

// Names for the threads of a pool, which a report shows.
#pragma once

#include <pthread.h>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <latch>
#include <memory>
#include <string>

namespace queue_server {

// "storage-N" from `first_number` on. Each thread runs exactly one of the tasks, as all wait for
// all.
inline void name_threads(boost::asio::thread_pool& threads, int count, int first_number) {
  // Shared, as a thread may still be inside it when the others have gone on.
  const auto named = std::make_shared<std::latch>(count + 1);
  for (int number = first_number; number < first_number + count; ++number) {
    boost::asio::post(threads, [named, number] {
      pthread_setname_np(pthread_self(), ("storage-" + std::to_string(number)).c_str());
      named->arrive_and_wait();
    });
  }
  named->arrive_and_wait();
}

}  // namespace queue_server

// Boost.Fiber: what its fibers can wait for, on this thread.
#include <boost/fiber/all.hpp>
#include <chrono>
#include <gmr/trace/label.hpp>
#include <mutex>

#include "programs.hpp"
#include "walk.hpp"

namespace truth {
namespace {

namespace fibers = boost::fibers;
using namespace std::chrono_literals;

// Nobody gives what is waited for; made when first needed, and never destroyed.
template <class Object>
Object& never() {
  static auto* const made = new Object;
  return *made;
}

void wait_for_condition(green_thread& me) {
  const frame here{me, "truth::wait_for_condition"};
  static fibers::mutex mutex;
  std::unique_lock lock{mutex};
  never<fibers::condition_variable>().wait(here.at(lock));
}

void wait_for_future(green_thread& me) {
  const frame here{me, "truth::wait_for_future"};
  static fibers::shared_future<int> future = never<fibers::promise<int>>().get_future().share();
  here.at(future).wait();
}

void receive(green_thread& me) {
  const frame here{me, "truth::receive"};
  static fibers::unbuffered_channel<int> channel;
  int value = 0;
  channel.pop(here.at(value));
}

void sleep(green_thread& me) {
  const frame here{me, "truth::sleep"};
  boost::this_fiber::sleep_for(here.at(24h));
}

void wait_for_ever(green_thread& me) {
  const frame here{me, "truth::wait_for_ever"};
  switch (me.any(4)) {
    case 0:
      return wait_for_condition(here.at(me));
    case 1:
      return wait_for_future(here.at(me));
    case 2:
      return receive(here.at(me));
    default:
      return sleep(here.at(me));
  }
}

void suspend(green_thread& me) {
  const frame here{me, "truth::suspend"};
  if (!me.parks()) {
    boost::this_fiber::yield();
    perhaps_give_up(me);
    return;
  }
  count_parked();
  wait_for_ever(here.at(me));
}

}  // namespace

void start_boost_fibers(int count) {
  new_green_thread("fiber", unnamed);  // looks for others to run
  for (int i = 0; i < count; ++i) {
    green_thread& me = new_green_thread("fiber", "boost fiber");
    me.suspend = suspend;
    const auto body = [&me] {
      const frame here{me, "truth::start_boost_fibers::{lambda}"};
      gmr::set_name(me.name);
      walk_on(here.at(me));
    };
    fibers::fiber{std::allocator_arg, fibers::fixedsize_stack{256 * 1024}, body}.detach();
  }
  while (!all_have_parked())
    boost::this_fiber::yield();
  boost::this_fiber::yield();  // the last one counts before it waits
}

}  // namespace truth

// Fibers of Boost.Coroutine2: generators, consumers, and one within the other.
#include <boost/coroutine2/coroutine.hpp>
#include <boost/coroutine2/fixedsize_stack.hpp>
#include <boost/coroutine2/protected_fixedsize_stack.hpp>
#include <gmr/trace/label.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "programs.hpp"
#include "walk.hpp"

namespace truth {
namespace {

namespace coroutines = boost::coroutines2;
using coroutine = coroutines::coroutine<int>;

constexpr std::size_t stack_size = 256 * 1024;

// Parks when told to; in vain otherwise.
template <class Wait>
void suspend_by(green_thread& me, Wait wait) {
  const frame here{me, "truth::suspend_by"};
  const bool parks = me.parks();
  if (parks) count_parked();
  wait(here.at(me));
  perhaps_give_up(me);
}

void yield_value(green_thread& me, coroutine::push_type& sink) {
  const frame here{me, "truth::yield_value"};
  sink(here.at(1));
}

void take_value(green_thread& me, coroutine::pull_type& source) {
  const frame here{me, "truth::take_value"};
  here.at(source)();
}

coroutine::pull_type* make_generator(green_thread& me) {
  return new coroutine::pull_type{
      coroutines::fixedsize_stack{stack_size}, [&me](coroutine::push_type& sink) {
        const frame here{me, "truth::make_generator::{lambda}"};
        gmr::set_name(me.name);
        me.suspend = [&sink](green_thread& self) {
          const frame outer{self, "truth::make_generator::{lambda}::{lambda}"};
          suspend_by(outer.at(self), [&sink](green_thread& own) {
            const frame inner{own, "truth::make_generator::{lambda}::{lambda}::{lambda}"};
            yield_value(inner.at(own), sink);
          });
        };
        walk_on(here.at(me));
      }};
}

coroutine::push_type* make_consumer(green_thread& me) {
  return new coroutine::push_type{
      coroutines::protected_fixedsize_stack{stack_size}, [&me](coroutine::pull_type& source) {
        const frame here{me, "truth::make_consumer::{lambda}"};
        gmr::set_name(me.name);
        me.suspend = [&source](green_thread& self) {
          const frame outer{self, "truth::make_consumer::{lambda}::{lambda}"};
          suspend_by(outer.at(self), [&source](green_thread& own) {
            const frame inner{own, "truth::make_consumer::{lambda}::{lambda}::{lambda}"};
            take_value(inner.at(own), source);
          });
        };
        walk_on(here.at(me));
      }};
}

// A generator that draws from another one, which has yielded when this one does.
void start_pair() {
  green_thread& outer = new_green_thread("fiber", "drawing generator");
  green_thread& inner = new_green_thread("fiber", "drawn generator");
  inner.visits = 0;
  static_cast<void>(new coroutine::pull_type{
      coroutines::fixedsize_stack{stack_size}, [&](coroutine::push_type& sink) {
        const frame here{outer, "truth::start_pair::{lambda}"};
        gmr::set_name(outer.name);
        static_cast<void>(make_generator(inner));
        count_parked();
        yield_value(here.at(outer), sink);
      }});
}

}  // namespace

void start_coroutines2(int count) {
  for (int i = 0; i < count; ++i) {
    green_thread& generated = new_green_thread("fiber", "generator");
    coroutine::pull_type& generator = *make_generator(generated);
    while (!generated.has_parked())
      generator();
    green_thread& consumed = new_green_thread("fiber", "consumer");
    coroutine::push_type& consumer = *make_consumer(consumed);
    while (!consumed.has_parked())
      consumer(i);
  }
  for (int i = 0; i < count / 10; ++i)
    start_pair();
}

}  // namespace truth

// Coroutines of Boost.Coroutine2, which any thread resumes, and fibers of Boost.Fiber, which stay
// on theirs.
#include <boost/context/fixedsize_stack.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <boost/coroutine2/coroutine.hpp>
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/operations.hpp>
#include <memory>
#include <utility>

#include "descend.hpp"
#include "exchange.hpp"
#include "work.hpp"

namespace torture {
namespace {

namespace context = boost::context;
using coroutine = boost::coroutines2::coroutine<void>;

constexpr std::size_t stack_size = 256 * 1024;

class sink_wait final : public waiting {
 public:
  explicit sink_wait(coroutine::push_type& sink) : sink_(sink) {}
  void wait(traveller& me) override {
    const step here{me, "torture::sink_wait::wait"};
    here.tell('O', __LINE__ + 1);
    sink_();
  }

 private:
  coroutine::push_type& sink_;
};

void pulled(coroutine::push_type& sink) {
  traveller me;
  const step here{me, "torture::pulled"};
  sink_wait how{sink};
  const int turns = me.any(5);
  for (int turn = 0; turn < turns; ++turn)
    travel(here.at('P', me), how);
}

using owned_coroutine = std::unique_ptr<coroutine::pull_type>;
exchange<owned_coroutine> coroutines;

class turn_wait final : public waiting {
 public:
  void wait(traveller& me) override {
    const step here{me, "torture::turn_wait::wait"};
    here.tell('Q', __LINE__ + 1);
    boost::this_fiber::yield();
  }
};

void scheduled(int& running) {
  traveller me;
  const step here{me, "torture::scheduled"};
  const silence at_end;  // an ended fiber is there until its scheduler takes it away
  turn_wait how;
  const int turns = me.any(5);
  for (int turn = 0; turn < turns; ++turn)
    travel(here.at('R', me), how);
  --running;
}

template <class Allocator>
void schedule(Allocator allocator, int& running) {
  ++running;
  boost::fibers::fiber{std::allocator_arg, allocator, scheduled, std::ref(running)}.detach();
}

}  // namespace

void churn_coroutines(std::minstd_rand& random) {
  owned_coroutine each = random() % 4 == 0
                             ? std::make_unique<coroutine::pull_type>(
                                   context::protected_fixedsize_stack{stack_size}, pulled)
                             : coroutines.take(static_cast<unsigned>(random()));
  if (!each || random() % 16 == 0) return;  // destroyed where it is: unwound
  if (*each) (*each)();
  if (*each) coroutines.put(each);
}

void end_coroutines() {
  while (coroutines.take(0)) {
  }
}

void churn_scheduled(std::minstd_rand& random, int& running) {
  constexpr int most = 20;
  if (running < most && random() % 2 == 0) {
    if (random() % 2 == 0)
      schedule(context::fixedsize_stack{stack_size}, running);
    else
      schedule(context::protected_fixedsize_stack{stack_size}, running);
  }
  boost::this_fiber::yield();
}

void end_scheduled(int& running) {
  while (running > 0)
    boost::this_fiber::yield();
}

}  // namespace torture

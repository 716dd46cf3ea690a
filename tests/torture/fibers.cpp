// Fibers that any thread resumes, throws into and destroys.
#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <utility>

#include "descend.hpp"
#include "exchange.hpp"
#include "work.hpp"

namespace torture {
namespace {

namespace context = boost::context;

constexpr std::size_t stack_size = 256 * 1024;

exchange<context::fiber> fibers;

// Goes back to whoever resumed the fiber.
class context_wait final : public waiting {
 public:
  explicit context_wait(context::fiber&& caller) : caller_(std::move(caller)) {}
  void wait(traveller& me) override {
    const step here{me, "torture::context_wait::wait"};
    here.tell('A', __LINE__ + 1);
    caller_ = std::move(caller_).resume();
  }
  context::fiber caller_;
};

context::fiber body(context::fiber&& caller) {
  traveller me;
  const step here{me, "torture::body"};
  context_wait wait{std::move(caller)};
  const int turns = me.any(5);
  for (int turn = 0; turn < turns; ++turn)
    travel(here.at('L', me), wait);
  return std::move(wait.caller_);
}

// Resumes another one in between.
context::fiber nested_body(context::fiber&& caller) {
  traveller me;
  const step here{me, "torture::nested_body"};
  context_wait wait{std::move(caller)};
  context::fiber inner{body};
  const silence at_end;  // when a fiber is unwound it resumes those it owns, to unwind them
  while (inner) {
    here.tell('M', __LINE__ + 1);
    inner = std::move(inner).resume();
    travel(here.at('N', me), wait);
  }
  return std::move(wait.caller_);
}

context::fiber make_fiber(std::minstd_rand& random) {
  const auto function = random() % 5 == 0 ? nested_body : body;
  if (random() % 2 == 0)
    return {std::allocator_arg, context::fixedsize_stack{stack_size}, function};
  return {std::allocator_arg, context::protected_fixedsize_stack{stack_size}, function};
}

}  // namespace

void churn_fibers(std::minstd_rand& random) {
  context::fiber fiber =
      random() % 4 == 0 ? make_fiber(random) : fibers.take(static_cast<unsigned>(random()));
  if (!fiber || random() % 16 == 0) return;  // destroyed where it is: unwound
  fiber = random() % 8 == 0
              ? std::move(fiber).resume_with([](context::fiber&& from) { return std::move(from); })
              : std::move(fiber).resume();
  if (fiber) fibers.put(fiber);
}

void end_fibers() {
  while (fibers.take(0)) {
  }
}

}  // namespace torture

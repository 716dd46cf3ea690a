// Fibers of Boost.Context itself.
#include <sys/mman.h>
#include <unistd.h>

#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <cstdlib>
#include <gmr/trace/label.hpp>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "programs.hpp"
#include "walk.hpp"

namespace truth {
namespace {

namespace context = boost::context;

constexpr std::size_t stack_size = 256 * 1024;

// An allocator as a program may have its own: with a header of its own above the stack.
struct own_stack {
  context::stack_context allocate() {
    void* const memory = ::mmap(nullptr, stack_size, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc{};
    context::stack_context made;
    made.size = stack_size - header;
    made.sp = static_cast<char*>(memory) + made.size;
    return made;
  }
  void deallocate(context::stack_context& given) noexcept {
    ::munmap(static_cast<char*>(given.sp) - given.size, stack_size);
  }
  static constexpr std::size_t header = 128;
};

// They live until the process ends.
std::vector<context::fiber>& kept() {
  static auto* const fibers = new std::vector<context::fiber>;
  return *fibers;
}

// The innermost function waits by going back to whoever resumed the fiber.
void go_back(green_thread& me, context::fiber& caller) {
  const frame here{me, "truth::go_back"};
  if (me.parks()) {
    here.goes_on_at(__LINE__ + 2);
    count_parked();
    caller = std::move(caller).resume();
  } else {
    caller = std::move(here.at(caller)).resume();
    perhaps_give_up(me);
  }
}

template <class Allocator>
context::fiber make_fiber(Allocator&& allocator, green_thread& me) {
  return {std::allocator_arg, std::forward<Allocator>(allocator), [&me](context::fiber&& caller) {
            const frame here{me, "truth::make_fiber::{lambda}"};
            gmr::set_name(me.name);
            context::fiber back = std::move(caller);
            me.suspend = [&back](green_thread& self) {
              const frame inner{self, "truth::make_fiber::{lambda}::{lambda}"};
              go_back(inner.at(self), back);
            };
            walk_on(here.at(me));
            return back;
          }};
}

context::fiber make_any_fiber(green_thread& me) {
  static context::pooled_fixedsize_stack pool{stack_size};
  switch (me.any(4)) {
    case 0:
      return make_fiber(context::fixedsize_stack{stack_size}, me);
    case 1:
      return make_fiber(context::protected_fixedsize_stack{stack_size}, me);
    case 2:
      return make_fiber(pool, me);
    default:
      return make_fiber(own_stack{}, me);
  }
}

// Three in a row: each resumes the next, the last one goes back to where the first was resumed.
struct nested {
  green_thread* fibers[3];
  context::fiber back;
};

void resume_next(nested& row, int index);

void descend(nested& row, int index, int depth) {
  green_thread& me = *row.fibers[index];
  const frame here{me, "truth::descend"};
  if (depth > 0)
    descend(here.at(row), index, depth - 1);
  else
    resume_next(here.at(row), index);
}

void resume_next(nested& row, int index) {
  green_thread& me = *row.fibers[index];
  const frame here{me, "truth::resume_next"};
  count_parked();
  if (index == 2) {
    row.back = std::move(here.at(row).back).resume();
    return;
  }
  context::fiber next{[&row, index](context::fiber&& caller) {
    green_thread& its = *row.fibers[index + 1];
    const frame inner{its, "truth::resume_next::{lambda}"};
    gmr::set_name(its.name);
    descend(inner.at(row), index + 1, its.any(6));
    return std::move(caller);
  }};
  next = std::move(here.at(next)).resume();
}

void start_nested() {
  auto& row = *new nested;  // as long as the fibers
  for (int i = 0; i < 3; ++i)
    row.fibers[i] = &new_green_thread("fiber", "nested");
  row.fibers[1]->parent = row.fibers[0]->name;
  row.fibers[2]->parent = row.fibers[1]->name;
  context::fiber first{[&row](context::fiber&& caller) {
    green_thread& me = *row.fibers[0];
    const frame here{me, "truth::start_nested::{lambda}"};
    gmr::set_name(me.name);
    row.back = std::move(caller);
    descend(here.at(row), 0, me.any(6));
    return std::move(row.back);
  }};
  kept().push_back(std::move(first).resume());
}

struct unparked {
  green_thread* me = nullptr;
  context::fiber fiber;
};

// Fibers that any of several threads resumes, until they park.
class exchange final {
 public:
  void put(unparked&& given) {
    const std::lock_guard lock{mutex_};
    if (given.me->has_parked())
      kept().push_back(std::move(given.fiber));
    else
      waiting_.push_back(std::move(given));
  }
  unparked take() {
    const std::lock_guard lock{mutex_};
    if (waiting_.empty()) return {};
    std::swap(waiting_[random_() % waiting_.size()], waiting_.back());
    unparked taken = std::move(waiting_.back());
    waiting_.pop_back();
    return taken;
  }

 private:
  std::mutex mutex_;
  std::minstd_rand random_;
  std::vector<unparked> waiting_;
};

// What a thread does that runs fibers for ever.
void block(green_thread& me) {
  const frame here{me, "truth::block"};
  char byte = 0;
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  here.goes_on_at(__LINE__ + 2);
  count_parked();
  if (::read(ends[0], &byte, 1) == 1) std::abort();
}

void run_blocked(green_thread& own) {
  own.thread = ::gettid();
  own.name = "own stack of thread " + std::to_string(own.thread);
  const frame here{own, "truth::run_blocked"};
  green_thread& outer = new_green_thread("fiber", "outer");
  green_thread& inner = new_green_thread("fiber", "inner");
  outer.parent = own.name;
  inner.parent = outer.name;
  inner.state = "running";
  inner.thread = own.thread;
  inner.visits = 0;
  inner.suspend = block;
  context::fiber fiber{[&](context::fiber&& caller) {
    const frame within{outer, "truth::run_blocked::{lambda}"};
    gmr::set_name(outer.name);
    context::fiber next{[&](context::fiber&& middle) {
      const frame innermost{inner, "truth::run_blocked::{lambda}::{lambda}"};
      gmr::set_name(inner.name);
      walk_on(innermost.at(inner));
      return std::move(middle);
    }};
    count_parked();
    next = std::move(within.at(next)).resume();
    return std::move(caller);
  }};
  count_parked();
  fiber = std::move(here.at(fiber)).resume();
}

}  // namespace

void start_contexts(int count) {
  for (int i = 0; i < count; ++i) {
    green_thread& me = new_green_thread("fiber", "context");
    context::fiber fiber = make_any_fiber(me);
    while (!me.has_parked())
      fiber = std::move(fiber).resume();
    kept().push_back(std::move(fiber));
  }
  for (int i = 0; i < count / 10; ++i)
    start_nested();
}

void start_moving_contexts(int count) {
  exchange fibers;
  for (int i = 0; i < count; ++i) {
    green_thread& me = new_green_thread("fiber", "moving");
    fibers.put({&me, make_any_fiber(me)});
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      while (!all_have_parked()) {
        unparked taken = fibers.take();
        if (taken.me == nullptr) continue;
        taken.fiber = std::move(taken.fiber).resume();
        fibers.put(std::move(taken));
      }
    });
  for (std::thread& thread : threads)
    thread.join();
}

void start_blocked_contexts() {
  for (int i = 0; i < 3; ++i)
    std::thread{run_blocked, std::ref(new_green_thread("fiber", "own stack"))}.detach();
  while (!all_have_parked())
    std::this_thread::yield();
}

}  // namespace truth

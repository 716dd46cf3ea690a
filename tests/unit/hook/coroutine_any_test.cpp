// Coroutines of other types than Asio's, by gmr::traced_promise.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <coroutine>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "any_task.hpp"
#include "coroutine_listing.hpp"
#include "coroutine_run.hpp"
#include "gmr/trace/label.hpp"
#include "gmr/trace/traced_promise.hpp"

namespace gmr::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// Not inlined below: of a coroutine whose frame clang has placed in its caller's nothing is seen.
int inner_line = 0, outer_line = 0;

[[gnu::noinline]] task inner(event& until) {
  inner_line = __LINE__ + 1;
  co_await until;
  co_return 42;
}

[[gnu::noinline]] task outer(event& until) {
  outer_line = __LINE__ + 1;
  const int value = co_await inner(until);
  outer_line = __LINE__ + 1;
  co_await until;
  co_return value;
}

TEST(AnyCoroutine, IsListedWithThoseThatItAwaits) {
  event first;
  task all = outer(first);
  EXPECT_TRUE(list_coroutines().empty());  // it has not begun
  all.start();
  const auto seen = the_only_coroutine();
  EXPECT_EQ(chain(seen), at("inner", inner_line) + ' ' + at("outer", outer_line));
  EXPECT_EQ(seen.state, green_thread_state::suspended);
  EXPECT_TRUE(seen.waits_for.ends_with("event")) << seen.waits_for;
  EXPECT_STREQ(seen.frames.at(0).file, __FILE__);
  EXPECT_NE(seen.id, 0U);
  EXPECT_NE(seen.suspended_at, 0U);
  first.set();
  EXPECT_EQ(all.result(), 42);
  EXPECT_TRUE(list_coroutines().empty());  // it is at its end, though it is kept
}

[[gnu::noinline]] task twice(event& first, event& second) {
  co_await inner(first);
  outer_line = __LINE__ + 1;
  co_await second;
  co_return 1;
}

TEST(AnyCoroutine, IsOnlyItselfAgainOnceThoseHaveEnded) {
  event first;
  event second;
  task both = twice(first, second);
  both.start();
  const auto before = the_only_coroutine();
  first.set();
  const auto after = the_only_coroutine();
  EXPECT_EQ(after.id, before.id);
  EXPECT_EQ(chain(after), at("twice", outer_line));
}

TEST(AnyCoroutine, IsGoneWhenItIsDestroyedWhileItWaits) {
  event never;
  {
    task first = outer(never);
    task second = outer(never);
    first.start();
    second.start();
    EXPECT_EQ(list_coroutines().size(), 2U);
  }
  EXPECT_TRUE(list_coroutines().empty());
}

[[gnu::noinline]] task waits_for(task in) {
  co_return co_await std::move(in);
}

// Parameters of a coroutine are destroyed after its promise.
TEST(AnyCoroutine, IsGoneWhenWhatItWaitsForIsDestroyedAfterIt) {
  event never;
  for (int round = 0; round < 3; ++round) {
    {
      task all = waits_for(inner(never));
      all.start();
      EXPECT_EQ(list_coroutines().size(), 1U);
    }
    EXPECT_TRUE(list_coroutines().empty());
    EXPECT_FALSE(set_name("nobody"));
  }
}

TEST(AnyCoroutine, RunsWhereItIsSeenToRun) {
  std::optional<listed_coroutine> seen;
  const auto looks = [&]() -> task {
    const bool named = set_name("looks");
    seen = the_only_coroutine();
    co_return named ? 1 : 0;
  };
  task all = looks();
  all.start();
  EXPECT_EQ(all.result(), 1);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->state, green_thread_state::running);
  EXPECT_EQ(seen->thread, ::gettid());
}

[[gnu::noinline]] task fails(event& until) {
  co_await until;
  throw std::runtime_error{"failed"};
}

[[gnu::noinline]] task catches(event& first, event& second) {
  try {
    co_await fails(first);
  } catch (const std::runtime_error&) {
    outer_line = 0;
  }
  outer_line = __LINE__ + 1;
  co_await second;
  co_return 0;
}

TEST(AnyCoroutine, GoesOnAfterAnException) {
  event first;
  event second;
  task all = catches(first, second);
  all.start();
  first.set();
  EXPECT_EQ(chain(the_only_coroutine()), at("catches", outer_line));
}

struct unfit {
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<>) { throw std::runtime_error{"can't wait"}; }
  void await_resume() {}
};

[[gnu::noinline]] task cannot_wait(event& until) {
  try {
    co_await unfit{};
  } catch (const std::runtime_error&) {
    outer_line = __LINE__ + 2;
  }
  co_await until;
  co_return 0;
}

TEST(AnyCoroutine, GoesOnWhenAWaitDoesNotBegin) {
  event until;
  task all = cannot_wait(until);
  all.start();
  EXPECT_EQ(chain(the_only_coroutine()), at("cannot_wait", outer_line));
}

// A generator: pulled by whoever wants the next value.
struct generator {
  struct plain_promise {
    int value = 0;
    generator get_return_object() { return generator{handle::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(int next) {
      value = next;
      return {};
    }
    void await_transform() = delete;
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  using promise_type = traced_promise<plain_promise>;
  using handle = std::coroutine_handle<plain_promise>;

  explicit generator(handle of) : coroutine(of) {}
  generator(generator&&) = delete;
  generator& operator=(generator&&) = delete;
  ~generator() { coroutine.destroy(); }
  std::optional<int> next() {
    coroutine.resume();
    if (coroutine.done()) return std::nullopt;
    return coroutine.promise().value;
  }

  handle coroutine;
};

[[gnu::noinline]] generator numbers(int count) {
  for (int i = 0; i < count; ++i) {
    inner_line = __LINE__ + 1;
    co_yield i;
  }
}

TEST(AnyCoroutine, MayBeAGenerator) {
  generator two = numbers(2);
  EXPECT_TRUE(list_coroutines().empty());
  EXPECT_EQ(two.next(), 0);
  const auto seen = the_only_coroutine();
  EXPECT_EQ(chain(seen), at("numbers", inner_line));
  EXPECT_EQ(seen.waits_for, "yield");
  EXPECT_EQ(two.next(), 1);
  EXPECT_EQ(the_only_coroutine().id, seen.id);
  EXPECT_EQ(two.next(), std::nullopt);
  EXPECT_TRUE(list_coroutines().empty());
}

// Begins at once and ends by itself; what it awaits goes through its promise.
struct detached {
  struct plain_promise {
    detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    template <typename Awaited>
    Awaited&& await_transform(Awaited&& awaited) {
      return std::forward<Awaited>(awaited);
    }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  using promise_type = traced_promise<plain_promise>;
};

[[gnu::noinline]] detached in_the_background(event& until) {
  outer_line = __LINE__ + 1;
  co_await inner(until);
}

TEST(AnyCoroutine, MayBeginAtOnceAndEndByItself) {
  event until;
  in_the_background(until);
  EXPECT_EQ(chain(the_only_coroutine()),
            at("inner", inner_line) + ' ' + at("in_the_background", outer_line));
  until.set();
  EXPECT_TRUE(list_coroutines().empty());
}

// From one of Asio's to a task and back: an operation that a task carries out.
template <typename Handler>
detached carry_out(Handler handler, event& until) {
  co_await until;
  std::move(handler)();
}

asio::awaitable<void> asios(event& until) {
  auto operation = asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [&until](auto handler) { carry_out(std::move(handler), until); }, asio::use_awaitable);
  outer_line = __LINE__ + 1;
  co_await std::move(operation);
}

TEST(AnyCoroutine, IsAwaitedByTheOneOfAsiosThatStartedIt) {
  asio::io_context io;
  event until;
  asio::co_spawn(io, asios(until), asio::detached);
  settle(io);
  const auto all = list_coroutines();
  ASSERT_EQ(all.size(), 2U);
  const auto is_asios = [](const auto& each) { return chain(each) == at("asios", outer_line); };
  const auto one = std::ranges::find_if(all, is_asios);
  const auto other = std::ranges::find_if_not(all, is_asios);
  ASSERT_NE(one, all.end());
  ASSERT_NE(other, all.end());
  EXPECT_EQ(other->parent, one->id);
  until.set();
  settle(io);
  EXPECT_TRUE(list_coroutines().empty());
}

// The other way round: it awaits one of Asio's.
struct spawned {
  asio::io_context& io;
  event& until;
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> self) {
    asio::co_spawn(io, asios(until), [self](const std::exception_ptr&) { self.resume(); });
  }
  void await_resume() {}
};

TEST(AnyCoroutine, AwaitsOneOfAsios) {
  asio::io_context io;
  event until;
  const auto waits = [&]() -> task {
    co_await spawned{io, until};
    co_return 0;
  };
  task all = waits();
  all.start();
  settle(io);
  const auto listed = list_coroutines();
  ASSERT_EQ(listed.size(), 3U);
  const auto asios_one = std::ranges::find_if(
      listed, [](const auto& each) { return chain(each) == at("asios", outer_line); });
  ASSERT_NE(asios_one, listed.end());
  const auto parent = std::ranges::find(listed, asios_one->parent, &listed_coroutine::id);
  ASSERT_NE(parent, listed.end());
  EXPECT_TRUE(parent->waits_for.ends_with("spawned")) << parent->waits_for;
  until.set();
  settle(io);
  EXPECT_TRUE(list_coroutines().empty());
}

// A type that is not ours to change.
struct theirs {
  struct promise_type {
    theirs get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  std::coroutine_handle<> coroutine;
};

}  // namespace
}  // namespace gmr::test

template <typename... Args>
struct std::coroutine_traits<gmr::test::theirs, Args...> {
  using promise_type = gmr::traced_promise<gmr::test::theirs::promise_type>;
};

namespace gmr::test {
namespace {

[[gnu::noinline]] theirs of_theirs(event& until) {
  outer_line = __LINE__ + 1;
  co_await until;
}

TEST(AnyCoroutine, MayBeOfATypeThatIsNotOursToChange) {
  event until;
  const theirs one = of_theirs(until);
  one.coroutine.resume();
  EXPECT_EQ(chain(the_only_coroutine()), at("of_theirs", outer_line));
  one.coroutine.destroy();
  EXPECT_TRUE(list_coroutines().empty());
}

}  // namespace
}  // namespace gmr::test

// Names and labels of the green threads that set them.
#include "gmr/trace/label.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/context/fiber.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "coroutine_run.hpp"
#include "hook/notes/green_thread_notes.hpp"
#include "hook/schedulers.hpp"

namespace gmr::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using texts = std::vector<std::pair<std::string, std::string>>;

struct seen_green_thread {
  green_thread_kind kind{};
  std::string name;
  texts labels;
  bool long_running = false;
};

// All but the threads' own stacks.
std::vector<seen_green_thread> list_named() {
  struct collector final : green_thread_visitor {
    void visit(const green_thread_view& view) override {
      if (view.name.starts_with("own stack")) return;
      found.push_back({view.kind, std::string{view.name},
                       texts(view.labels.begin(), view.labels.end()), view.long_running});
    }
    std::vector<seen_green_thread> found;
  } collector;
  trace::for_each_scheduler([&](scheduler& source) { source.list(collector); });
  return collector.found;
}

class Labels : public testing::Test {
 protected:
  template <typename Body>
  void spawn(Body body) {
    asio::co_spawn(io_, std::move(body), asio::detached);
  }
  asio::awaitable<void> wait() { co_await timer_.async_wait(asio::as_tuple(asio::deferred)); }
  void TearDown() override {
    timer_.cancel();
    settle(io_);
    EXPECT_THAT(list_named(), IsEmpty());
  }
  asio::io_context io_;
  asio::steady_timer timer_{io_, 1h};
};

TEST_F(Labels, OfACoroutineAreSetBetweenItsAwaits) {
  spawn([this]() -> asio::awaitable<void> {
    EXPECT_TRUE(set_name("first"));
    co_await asio::post(asio::use_awaitable);
    EXPECT_TRUE(set_name("session"));
    EXPECT_TRUE(set_label("request", 4711));
    EXPECT_TRUE(set_label("user", "ann"));
    EXPECT_TRUE(set_label("user", "bob"));
    EXPECT_TRUE(long_running());
    co_await wait();
  });
  settle(io_);
  const auto seen = list_named();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].name, "session");
  EXPECT_THAT(seen[0].labels, ElementsAre(Pair("request", "4711"), Pair("user", "bob")));
  EXPECT_TRUE(seen[0].long_running);
}

TEST_F(Labels, BelongToTheGreenThreadWhoeverInItSetsThem) {
  const auto callee = [this]() -> asio::awaitable<void> {
    EXPECT_TRUE(set_label("depth", 2));
    co_await wait();
  };
  spawn([&callee]() -> asio::awaitable<void> { co_await callee(); });
  settle(io_);
  ASSERT_EQ(list_named().size(), 1U);
  EXPECT_THAT(list_named()[0].labels, ElementsAre(Pair("depth", "2")));
}

TEST_F(Labels, OfAFiber) {
  asio::spawn(
      io_,
      [this](const asio::yield_context& yield) {
        EXPECT_TRUE(set_name("fiber session"));
        EXPECT_TRUE(set_label("request", "x-1"));
        boost::system::error_code ignored;
        timer_.async_wait(yield[ignored]);
      },
      asio::detached);
  settle(io_);
  const auto seen = list_named();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].name, "fiber session");
  EXPECT_THAT(seen[0].labels, ElementsAre(Pair("request", "x-1")));
  EXPECT_FALSE(seen[0].long_running);
}

TEST_F(Labels, AFiberInsideACoroutineAndTheReverseAreToldApart) {
  boost::context::fiber inner{[](boost::context::fiber&& caller) {
    EXPECT_TRUE(set_name("inner fiber"));
    return std::move(caller).resume();
  }};
  spawn([&]() -> asio::awaitable<void> {
    inner = std::move(inner).resume();
    EXPECT_TRUE(set_name("outer coroutine"));
    co_await wait();
  });
  boost::context::fiber loop{[this](boost::context::fiber&& caller) {
    settle(io_);
    EXPECT_TRUE(set_name("outer fiber"));
    return std::move(caller).resume();
  }};
  loop = std::move(loop).resume();
  std::vector<std::string> names;
  for (const auto& each : list_named())
    names.push_back(each.name);
  EXPECT_THAT(names,
              testing::UnorderedElementsAre("inner fiber", "outer coroutine", "outer fiber"));
}

TEST_F(Labels, NobodyElseHasAny) {
  EXPECT_FALSE(set_name("a thread"));
  EXPECT_FALSE(set_label("key", "text"));
  EXPECT_FALSE(long_running());
  std::thread{[] { EXPECT_FALSE(set_name("another")); }}.join();
}

TEST_F(Labels, GoWithTheirGreenThread) {
  for (int round = 0; round < 3; ++round) {
    spawn([this, round]() -> asio::awaitable<void> {
      if (round != 1) set_name("round");
      co_await wait();
    });
    settle(io_);
    ASSERT_EQ(list_named().size(), 1U);
    EXPECT_EQ(list_named()[0].name, round != 1 ? "round" : "");
    timer_.cancel();
    settle(io_);
  }
}

TEST_F(Labels, AreBoundedAndCutBetweenCharacters) {
  spawn([this]() -> asio::awaitable<void> {
    std::string name(longest_name - 1, 'n');
    EXPECT_TRUE(set_name(name + "\u00e9"));  // two bytes, of which one would fit
    for (std::size_t i = 0; i < most_labels; ++i)
      EXPECT_TRUE(set_label(std::to_string(i), i));
    EXPECT_FALSE(set_label("one more", 1));
    EXPECT_TRUE(set_label("1", ""));  // taken away
    EXPECT_TRUE(set_label("one more", std::string(100, 'x')));
    EXPECT_TRUE(set_label("one more", std::string(99, 'x')));  // as it is, once cut
    EXPECT_TRUE(set_label("missing", ""));
    co_await wait();
  });
  settle(io_);
  const auto seen = list_named();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].name, std::string(longest_name - 1, 'n'));
  EXPECT_THAT(seen[0].labels,
              ElementsAre(Pair("0", "0"), Pair("2", "2"), Pair("3", "3"), Pair("4", "4"),
                          Pair("one more", std::string(longest_label_text, 'x'))));
}

// The text of a label is always one that was set: the same character all over.
TEST_F(Labels, AreReadWhileTheyChange) {
  std::atomic<bool> stop{false};
  spawn([&]() -> asio::awaitable<void> {
    for (char c = 'a'; !stop; c = c == 'z' ? 'a' : static_cast<char>(c + 1)) {
      set_name(std::string(longest_name, c));
      set_label("key", std::string(longest_label_text, c));
      co_await asio::post(asio::use_awaitable);
    }
  });
  std::thread service{[this] { io_.run(); }};
  const auto is_whole = [](const std::string& text) {
    return text.find_first_not_of(text.front()) == text.npos;
  };
  int named = 0;
  while (named < 2000) {
    for (const auto& each : list_named()) {
      if (each.name.empty()) continue;
      ++named;
      ASSERT_TRUE(is_whole(each.name)) << each.name;
      for (const auto& [key, text] : each.labels)
        ASSERT_TRUE(is_whole(text)) << text;
    }
  }
  stop = true;
  service.join();
}

// In a process that gets no more memory.
void take_all_notes() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_AS, &none);
  constexpr int more_than_a_chunk = 1000;
  std::uint64_t refused = 0;
  for (int i = 0; i < more_than_a_chunk; ++i)
    refused += trace::allocate_notes(1, 0) == nullptr ? 1 : 0;
  ::_exit(refused > 0 && trace::refused_notes() == refused ? 0 : 1);
}

TEST(Notes, AreCountedWhereThereIsNoRoomForThem) {
  EXPECT_EXIT(take_all_notes(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace gmr::test

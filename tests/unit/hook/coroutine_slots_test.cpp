// Memory of coroutine frames, and the names of what they wait for.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "hook/coroutine/coroutine_arena.hpp"
#include "hook/coroutine/coroutine_operation.hpp"

namespace gmr::trace {
namespace {

TEST(CoroutineSlots, ClassesHoldTheirSizes) {
  std::size_t last = 0;
  for (std::size_t c = 1; c < slot_classes; ++c) {
    const std::size_t bytes = slot_bytes(c);
    ASSERT_GT(bytes, last);
    EXPECT_EQ(slot_class_of(bytes), c);
    EXPECT_EQ(slot_class_of(last + 1), c);
    EXPECT_EQ(bytes % 32, 0U);
    last = bytes;
  }
}

TEST(CoroutineSlots, FramesOfAllSizesAreApartAndAligned) {
  std::vector<std::pair<void*, std::size_t>> frames;
  std::set<void*> distinct;
  for (std::size_t size = 1; size < (std::size_t{1} << 22); size += size / 3 + 1) {
    void* const frame = allocate_coroutine_frame(size);
    EXPECT_TRUE(coroutine_slots.contains(frame));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(frame) % 16, 0U);
    EXPECT_TRUE(distinct.insert(frame).second);
    std::memset(frame, static_cast<int>(size & 0xff), size);
    frames.emplace_back(frame, size);
  }
  for (const auto& [frame, size] : frames) {
    const auto* bytes = static_cast<const unsigned char*>(frame);
    EXPECT_EQ(bytes[0], size & 0xff);
    EXPECT_EQ(bytes[size - 1], size & 0xff);
    free_coroutine_frame(frame, size);
  }
}

TEST(CoroutineSlots, FreedSlotsAreUsedAgain) {
  std::set<void*> seen;
  for (int i = 0; i < 10000; ++i) {
    void* const frame = allocate_coroutine_frame(200);
    seen.insert(frame);
    free_coroutine_frame(frame, 200);
  }
  EXPECT_LE(seen.size(), 64U);
}

TEST(CoroutineSlots, FramesMayBeFreedByOtherThreads) {
  std::set<void*> all;
  for (int round = 0; round < 20; ++round) {
    std::vector<void*> frames;
    std::thread{[&] {
      for (int i = 0; i < 1000; ++i)
        frames.push_back(allocate_coroutine_entry(100));
    }}.join();
    std::thread{[&] {
      for (void* frame : frames)
        free_coroutine_entry(frame, 100);
    }}.join();
    all.insert(frames.begin(), frames.end());
  }
  EXPECT_LE(all.size(), 2000U) << "what threads kept is given back when they end";
}

TEST(CoroutineSlots, EntriesHaveIdsOfTheirOwn) {
  std::set<std::uint64_t> ids;
  std::vector<void*> frames;
  for (int i = 0; i < 1000; ++i) {
    frames.push_back(allocate_coroutine_entry(0));
    ids.insert(coroutine_entry_of(coroutine_node_of(frames.back())).id);
  }
  EXPECT_EQ(ids.size(), frames.size());
  EXPECT_FALSE(ids.contains(0));
  for (void* frame : frames)
    free_coroutine_entry(frame, 0);
}

TEST(CoroutineSlots, BeyondTheLargestSizeAFrameStillWorks) {
  void* const frame = allocate_coroutine_frame(largest_slot + 1);
  EXPECT_FALSE(coroutine_slots.contains(frame));
  free_coroutine_frame(frame, largest_slot + 1);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they need addresses, too
// Runs in a new process: the range is reserved once, at the first frame.
void limit_addresses(std::size_t bytes) {
  const rlimit most{bytes, RLIM_INFINITY};
  if (::setrlimit(RLIMIT_AS, &most) != 0) std::_Exit(2);
}

TEST(CoroutineSlotsUnderALimit, MostOfTheAddressSpaceIsLeftToTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto run = [] {
    constexpr std::size_t all = std::size_t{2} << 30;
    limit_addresses(all);
    if (!coroutine_slots.contains(allocate_coroutine_frame(100))) std::_Exit(3);
    void* const own = ::mmap(nullptr, all / 2, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::_Exit(own == MAP_FAILED ? 4 : 0);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), "");
}

TEST(CoroutineSlotsUnderALimit, FramesBeyondTheRangeWorkAndAreKnownToBeMissing) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto run = [] {
    limit_addresses(std::size_t{1} << 29);  // the least range is an eighth of it
    constexpr std::size_t size = std::size_t{1} << 21;
    int outside = 0;
    for (int i = 0; i < 60; ++i) {
      void* const frame = allocate_coroutine_frame(size);
      std::memset(frame, 1, size);
      outside += coroutine_slots.contains(frame) ? 0 : 1;
    }
    std::_Exit(outside > 0 && outside < 60 && all_coroutines.exhausted() ? 0 : 3);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), "");
}
#endif

TEST(CoroutineSlots, ChangesAreCountedRoundTheClock) {
  EXPECT_EQ(coroutine_state::next(~std::uint32_t{0}, coroutine_state::running, 7),
            std::uint64_t{7} << 32 | coroutine_state::running)
      << "the counter wraps within its bits";
}

TEST(CoroutineOperation, KnownOnesHaveShortNames) {
  EXPECT_EQ(operation_kind("const char* f() [with T = initiated<boost::asio::basic_waitable_timer<"
                           "std::chrono::_V2::steady_clock>::initiate_async_wait>]"),
            "timer");
  EXPECT_EQ(operation_kind("const char *f() [T = gmr::trace::initiated<boost::beast::http::detail::"
                           "run_read_msg_op, boost::asio::initiate_async_write>]"),
            "http read");
  EXPECT_TRUE(is_turn(operation_kind("[with T = boost::asio::detail::initiate_post]")));
}

TEST(CoroutineOperation, OthersAreNamedByTheirType) {
  EXPECT_EQ(
      operation_kind("[with T = initiated<boost::asio::detail::initiate_composed_op<void(int, "
                     "char), void(x)>, shop::pay<shop::card> >; std::string = x]"),
      "shop::pay");
  EXPECT_EQ(operation_kind("[with T = initiated<shop::accept_orders, int>]"), "shop::accept_orders")
      << "rules are for the operations of Boost";
  EXPECT_EQ(operation_kind("[T = shop::ticket<int, (char)40>::taken]"), "shop::ticket::taken");
}

// As g++ 14 and Boost 1.88 and 1.92 have them.
TEST(CoroutineOperation, WhatStandsAroundOneDoesNotNameIt) {
  const std::string wait = "boost::asio::basic_waitable_timer<steady_clock>::initiate_async_wait";
  const auto kind = [](const std::string& type) {
    return operation_kind("[with T = " + type + "]");
  };
  const std::string redirected =
      "boost::asio::async_result<boost::asio::redirect_error_t<boost::asio::use_awaitable_t<> >, "
      "void(boost::system::error_code)>::init_wrapper<";
  EXPECT_EQ(kind("initiated<" + redirected + wait + ">, boost::system::error_code*>"), "timer");
  // Boost 1.83's is no template.
  const std::string wrapper = redirected.substr(0, redirected.size() - 1);
  EXPECT_EQ(kind("initiated<" + wrapper + ", " + wait + ">"), "timer");
  EXPECT_EQ(kind("initiated<" + redirected + wrapper + ">, std::tuple<int>, " + wait + ">"),
            "timer");
  EXPECT_EQ(kind("initiated<" + wrapper + ">"), "boost::asio::async_result::init_wrapper");
  EXPECT_EQ(kind("initiated<" + redirected +
                 "boost::asio::detail::initiate_composed_op<void(int), "
                 "void()> >, boost::system::error_code*, shop::pay<shop::card> >"),
            "shop::pay");
  EXPECT_EQ(kind("boost::asio::deferred_async_operation<void(int), "
                 "boost::asio::detail::initiate_cancel_after<" +
                 wait +
                 ", clock, traits, void(int)>, "
                 "std::chrono::duration<long int>, boost::asio::cancellation_type>"),
            "timer");
  EXPECT_EQ(kind("initiated<boost::asio::detail::initiate_composed<shop::pay<shop::card>, "
                 "void(boost::asio::any_io_executor), void(int)> >"),
            "shop::pay");
  EXPECT_EQ(kind("boost::asio::deferred_async_operation<void(int), "
                 "boost::asio::detail::initiate_composed<boost::beast::http::detail::read_op<"
                 "stream, true>, void(), void(int)> >"),
            "http read");
  EXPECT_EQ(
      kind("boost::asio::experimental::detail::initiate_co_composed<shop::f(int)::<lambda(int)>, "
           "void(), void(int)>"),
      "shop::f");
  EXPECT_TRUE(is_turn(kind("boost::asio::detail::co_spawn_dispatch")));
  EXPECT_TRUE(is_turn(kind("boost::asio::detail::co_spawn_post")));
}

TEST(CoroutineOperation, AsiosVersionIsLeftOut) {
  EXPECT_EQ(operation_kind("[with T = initiated<boost::asio::v103802_kmn::detail::initiate_post>]"),
            "post");
  EXPECT_EQ(operation_kind("[with T = boost::asio::v103802::detail::something_new<int>]"),
            "boost::asio::detail::something_new");
}

TEST(CoroutineOperation, NonsenseIsKeptShort) {
  for (const std::string text :
       {"", "]", "T = ", "[T = ]", "T = <", "T = initiated<", ">>>", "T = >]"})
    EXPECT_LE(operation_kind(text).size(), 80U);
  EXPECT_LE(operation_kind("[T = " + std::string(5000, 'x') + "]").size(), 80U);
}

}  // namespace
}  // namespace gmr::trace

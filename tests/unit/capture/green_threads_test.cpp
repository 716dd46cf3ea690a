// Green threads from any scheduler: copies are consistent or the thread is said to be running.
#include "capture/green_threads.hpp"

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <stdexcept>
#include <vector>

namespace gmr::capture {
namespace {

struct taken {
  green_thread_state state{};
  std::string name;
  std::map<std::string, std::string> labels;
  std::vector<int> descriptors;
  std::vector<logical_frame> frames;
  bool copied = false;
  bool truncated = false;
  std::uintptr_t rbp = 0;
  std::vector<std::byte> first;
  std::vector<std::byte> second;
};

// What was captured, copied.
class recorder final {
 public:
  void take(const captured_green_thread& captured) {
    taken& each = note(captured.view);
    if (captured.copy == nullptr) return;
    const stack_snapshot& copy = *captured.copy;
    each.copied = true;
    each.truncated = copy.truncated;
    each.rbp = copy.registers.values[frame_register];
    EXPECT_FALSE(copy.full_registers);
    each.first.assign(copy.parts[0].bytes.begin(), copy.parts[0].bytes.end());
    each.second.assign(copy.parts[1].bytes.begin(), copy.parts[1].bytes.end());
  }
  std::map<std::uint64_t, taken> all;

 private:
  taken& note(const green_thread_view& view) {
    EXPECT_FALSE(all.contains(view.id)) << "handed on twice";
    taken& each = all[view.id];
    each.state = view.state;
    each.name = view.name;
    for (const auto& [key, text] : view.labels)
      each.labels.emplace(key, text);
    for (const waiting_operation& operation : view.operations)
      each.descriptors.push_back(operation.descriptor);
    each.frames.assign(view.frames.begin(), view.frames.end());
    return each;
  }
};

// Fibers whose stacks are blocks of memory filled with a byte each.
class fake_scheduler final : public scheduler {
 public:
  struct fiber {
    std::uint64_t id = next_green_thread_id();
    std::vector<std::byte> stack;
    std::uintptr_t low = 0;
    std::uintptr_t high = 0;
    std::atomic<std::uint32_t> sequence = 0;
    bool moves_once = false;
    bool moves_always = false;
  };

  fiber& add(std::size_t bytes, std::byte content) {
    fiber& added = *fibers.emplace_back(std::make_unique<fiber>());
    added.stack.assign(bytes, content);
    added.low = reinterpret_cast<std::uintptr_t>(added.stack.data());
    added.high = added.low + bytes;
    return added;
  }

  [[nodiscard]] std::string_view name() const noexcept override { return "fakes"; }
  [[nodiscard]] std::string_view problem() const noexcept override { return trouble; }

  void list(green_thread_visitor& visitor) override {
    ++listings;
    for (const auto& each : fibers) {
      std::string name = "fiber " + std::to_string(each->id);
      std::pair<std::string_view, std::string_view> label{"key", "text"};
      waiting_operation operation{.kind = "read", .descriptor = 7};
      machine_stack machine;
      machine.registers.sp = each->low;
#if defined(__x86_64__)
      machine.registers.rbp = 42;
#endif
      machine.low = each->low;
      machine.high = each->high;
      green_thread_view view;
      view.id = each->id;
      view.name = name;
      view.labels = {&label, 1};
      view.operations = {&operation, 1};
      view.machine = &machine;
      view.sequence = &each->sequence;
      view.sequence_seen = each->sequence;
      visitor.visit(view);
      name.assign(name.size(), '!');  // what it pointed to is gone after the call
      operation.descriptor = -2;
      if (each->moves_always || std::exchange(each->moves_once, false)) ++each->sequence;
    }
    if (fails) throw std::runtime_error{"no more"};
  }

  std::vector<std::unique_ptr<fiber>> fibers;
  std::string trouble;
  bool fails = false;
  int listings = 0;
};

class GreenThreads : public ::testing::Test {
 protected:
  green_thread_capture_result capture(std::size_t stack_bytes = 65536) {
    green_thread_capture_settings settings;
    settings.stack_bytes = stack_bytes;
    settings.deadline = deadline;
    green_thread_capture listing{settings};
    for (auto batch = listing.next(); !batch.empty(); batch = listing.next()) {
      largest_batch = std::max(largest_batch, batch.size());
      for (const captured_green_thread& each : batch)
        captured.take(each);
    }
    return listing.finish();
  }
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  fake_scheduler source;
  scheduler_registration registration = register_scheduler(source);
  recorder captured;
  std::size_t largest_batch = 0;
};

TEST_F(GreenThreads, EachFiberComesOnceWithItsStack) {
  for (std::size_t i = 0; i < 1000; ++i)
    source.add(100 + i * 16, std::byte(i % 256));
  EXPECT_TRUE(capture().notes.empty());
  ASSERT_EQ(captured.all.size(), 1000U);
  for (const auto& fiber : source.fibers) {
    const taken& each = captured.all.at(fiber->id);
    EXPECT_EQ(each.first, fiber->stack);
    EXPECT_EQ(each.name, "fiber " + std::to_string(fiber->id));
    EXPECT_EQ(each.labels.at("key"), "text");
    EXPECT_EQ(each.descriptors, std::vector<int>{7});
#if defined(__x86_64__)
    EXPECT_EQ(each.rbp, 42U);
#endif
  }
  EXPECT_EQ(source.listings, 1);
  EXPECT_LE(largest_batch, 256U);  // so memory does not grow with their number
}

TEST_F(GreenThreads, OneThatMovesIsTriedAgain) {
  source.add(64, std::byte{1});
  auto& restless = source.add(64, std::byte{2});
  restless.moves_once = true;
  capture();
  ASSERT_EQ(captured.all.size(), 2U);
  EXPECT_TRUE(captured.all.at(restless.id).copied);
  EXPECT_EQ(captured.all.at(restless.id).state, green_thread_state::suspended);
}

TEST_F(GreenThreads, OneThatKeepsMovingIsRunning) {
  source.add(64, std::byte{1});
  auto& restless = source.add(64, std::byte{2});
  restless.moves_always = true;
  capture();
  ASSERT_EQ(captured.all.size(), 2U);
  EXPECT_FALSE(captured.all.at(restless.id).copied);
  EXPECT_EQ(captured.all.at(restless.id).state, green_thread_state::running);
}

TEST_F(GreenThreads, AStackThatIsGoneHarmsNoOther) {
  const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const hole = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(hole, MAP_FAILED);
  for (int i = 0; i < 10; ++i) {
    source.add(64, std::byte(i));
    auto& gone = source.add(64, std::byte{0});
    gone.low = reinterpret_cast<std::uintptr_t>(hole);
    gone.high = gone.low + 64;
  }
  auto& odd = source.add(64, std::byte{0});
  odd.high = odd.low;  // sp is outside
  capture();
  ASSERT_EQ(captured.all.size(), 21U);
  std::size_t copied = 0;
  for (const auto& fiber : source.fibers) {
    const taken& each = captured.all.at(fiber->id);
    if (!each.copied) continue;
    ++copied;
    EXPECT_EQ(each.first, fiber->stack);
  }
  EXPECT_EQ(copied, 10U);
  munmap(hole, size);
}

TEST_F(GreenThreads, ADeepStackKeepsBothEnds) {
  auto& deep = source.add(100'000, std::byte{7});
  deep.stack.front() = std::byte{1};
  deep.stack.back() = std::byte{9};
  capture(8192);
  const taken& each = captured.all.at(deep.id);
  EXPECT_TRUE(each.truncated);
  EXPECT_EQ(each.first.size() + each.second.size(), 8192U);
  EXPECT_EQ(each.first.front(), std::byte{1});
  EXPECT_EQ(each.second.back(), std::byte{9});
}

TEST_F(GreenThreads, WhatASchedulerThrowsIsANote) {
  source.add(64, std::byte{1});
  source.fails = true;
  const auto result = capture();
  EXPECT_EQ(captured.all.size(), 1U);
  EXPECT_THAT(result.notes, ::testing::ElementsAre("fakes: no more"));
}

TEST_F(GreenThreads, AProblemOfASchedulerIsAFinding) {
  source.trouble = "the hook is not linked";
  const auto result = capture();
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings[0].kind, finding_kind::tracing_inactive);
  EXPECT_EQ(result.findings[0].text, "fakes: the hook is not linked");
}

TEST_F(GreenThreads, WhatTheDeadlineCutsOffIsCounted) {
  for (int i = 0; i < 10; ++i)
    source.add(64, std::byte{1});
  deadline = std::chrono::steady_clock::now();
  const auto result = capture();
  EXPECT_EQ(captured.all.size(), 0U);
  EXPECT_THAT(result.notes, ::testing::ElementsAre("fakes: out of time: 10 left out"));
}

}  // namespace
}  // namespace gmr::capture

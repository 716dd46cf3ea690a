// The tables for debuggers, read as a debugger does: by offsets alone, from memory that holds
// still.
#include "hook/debugger_tables.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/context/fiber.hpp>
#include <chrono>
#include <cstring>

#include "coroutine_listing.hpp"
#include "coroutine_run.hpp"
#include "fiber_listing.hpp"

namespace gmr::test {
namespace {

namespace asio = boost::asio;
namespace context = boost::context;
using namespace std::chrono_literals;

template <class T = std::uint64_t>
T read(const void* base, std::uint64_t offset = 0) {
  T value;
  std::memcpy(&value, static_cast<const std::byte*>(base) + offset, sizeof value);
  return value;
}

const std::byte* pointer(const void* base, std::uint64_t offset = 0) {
  return read<const std::byte*>(base, offset);
}

const std::byte* find_record(std::uint64_t id) {
  const trace::fiber_debug_table& t = gmr_debug_fibers;
  for (std::uint32_t i = 0; i < read<std::uint32_t>(t.record_count); ++i) {
    const std::byte* const record = pointer(t.chunks, i / t.records_a_chunk * sizeof(void*)) +
                                    i % t.records_a_chunk * t.record_bytes;
    const auto state = read<std::uint32_t>(record, t.record_state);
    if ((state == t.suspendable || state == t.ending) && read(record, t.record_id) == id)
      return record;
  }
  return nullptr;
}

TEST(DebuggerTables, ShowAFiberAsItsSourceDoes) {
  context::fiber fiber{[](context::fiber&& caller) {
    caller = std::move(caller).resume();
    return std::move(caller);
  }};
  fiber = std::move(fiber).resume();
  const listing seen = list_fibers();
  ASSERT_EQ(seen.fibers.size(), 1U);
  const listed_fiber& shown = seen.fibers.front();

  const trace::fiber_debug_table& t = gmr_debug_fibers;
  EXPECT_EQ(t.version, trace::debug_table_version);
  EXPECT_EQ(t.bytes, sizeof t);
  const std::byte* const record = find_record(shown.id);
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(read<std::uint32_t>(record, t.record_sequence), shown.sequence_seen);
  EXPECT_EQ(read(record, t.record_low), shown.stack.low);
  EXPECT_EQ(read(record, t.record_high), shown.stack.high);
  EXPECT_EQ(read(record, t.record_registers), shown.stack.registers.pc);
  EXPECT_EQ(read(record, t.record_registers + 8), shown.stack.registers.sp);
  const std::byte* const slot = pointer(record, t.record_runner);
  EXPECT_EQ(read<pid_t>(slot, t.slot_tid), gettid());
  EXPECT_EQ(static_cast<std::size_t>(slot - static_cast<const std::byte*>(t.slots)) % t.slot_bytes,
            0U);
  EXPECT_NE(read(slot + t.slot_own, t.record_id), 0U);

  fiber = std::move(fiber).resume();
  EXPECT_EQ(find_record(shown.id), nullptr);
}

const std::byte* find_entry(std::uint64_t id) {
  const trace::coroutine_debug_table& t = gmr_debug_coroutines;
  for (std::uint32_t i = 0; i < read<std::uint32_t>(t.span_count); ++i) {
    const std::byte* const span = pointer(t.spans) + i * t.span_bytes;
    for (std::uint32_t slot = 0; slot < read<std::uint32_t>(span, t.span_used); ++slot) {
      const std::byte* const entry =
          pointer(span, t.span_first) + slot * read(span, t.span_slot_bytes);
      const std::uint64_t state = read(entry, t.entry_node + t.node_word) & t.state_mask;
      if (state != t.state_dead && read(entry, t.entry_id) == id) return entry;
    }
  }
  return nullptr;
}

// "function:line ...", as the helper chain() gives it.
std::string read_chain(const std::byte* entry) {
  const trace::coroutine_debug_table& t = gmr_debug_coroutines;
  std::string text;
  const std::byte* node = pointer(entry, t.entry_top);
  for (; node != entry + t.entry_node; node = pointer(node, t.node_caller)) {
    if ((read(node, t.node_word) & t.internal) != 0) continue;
    const std::byte* const where = pointer(node, t.node_location);
    if (!text.empty()) text += ' ';
    text += function_in(read<const char*>(where, t.location_function)) + ':' +
            std::to_string(read<std::uint32_t>(where, t.location_line));
    EXPECT_STREQ(read<const char*>(where, t.location_file), __FILE__);
  }
  return text;
}

asio::awaitable<void> waits_for_timer(asio::steady_timer& timer) {
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> calls_waiter(asio::steady_timer& timer) {
  co_await waits_for_timer(timer);
}

TEST(DebuggerTables, ShowACoroutineAsItsSourceDoes) {
  asio::io_context io;
  asio::steady_timer timer{io, 1h};
  asio::co_spawn(io, calls_waiter(timer), asio::detached);
  settle(io);
  const auto seen = the_only_coroutine();

  const trace::coroutine_debug_table& t = gmr_debug_coroutines;
  EXPECT_EQ(t.version, trace::debug_table_version);
  EXPECT_EQ(t.bytes, sizeof t);
  const std::byte* const entry = find_entry(seen.id);
  ASSERT_NE(entry, nullptr);
  EXPECT_LT(entry - pointer(t.range_begin), static_cast<std::ptrdiff_t>(read(t.range_size)));
  EXPECT_EQ(read(entry, t.entry_since), seen.suspended_at);
  EXPECT_NE(std::strstr(read<const char*>(entry, t.entry_operation), "timer"), nullptr);
  EXPECT_EQ(read(entry, t.entry_node + t.node_word) & t.state_mask, t.state_suspended);
  EXPECT_EQ(read_chain(entry), chain(seen));

  timer.cancel();
  settle(io);
  EXPECT_EQ(find_entry(seen.id), nullptr);
}

}  // namespace
}  // namespace gmr::test

#include "operation_listing.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace gmr::test {
namespace {

void add(std::vector<listed_wait>& found, const capture::captured_green_thread& captured) {
  const green_thread_view& view = captured.view;
  if (view.state == green_thread_state::running) return;
  if (captured.copy != nullptr && view.name.starts_with("own stack of thread")) return;
  found.push_back({view.id,
                   view.kind,
                   view.state,
                   std::string{view.name},
                   std::string{view.waits_for},
                   {view.operations.begin(), view.operations.end()}});
}

// Puts those that wait into `found`.
capture::green_thread_capture_result list_all(std::vector<listed_wait>& found) {
  capture::green_thread_capture listing{{}};
  for (auto batch = listing.next(); !batch.empty(); batch = listing.next())
    for (const capture::captured_green_thread& each : batch)
      add(found, each);
  return listing.finish();
}

}  // namespace

std::vector<listed_wait> list_waits() {
  std::vector<listed_wait> found;
  const auto result = list_all(found);
  EXPECT_TRUE(result.notes.empty()) << result.notes.front();
  return found;
}

listed_wait the_only_wait() {
  const auto all = list_waits();
  EXPECT_EQ(all.size(), 1U);
  return all.size() == 1 ? all.front() : listed_wait{};
}

std::vector<trace::unowned_operation> unowned_operations() {
  std::vector<listed_wait> ignored;
  return list_all(ignored).operations;
}

std::optional<trace::context_load> load_of(const void* context) {
  std::vector<listed_wait> ignored;
  const auto result = list_all(ignored);
  const auto found = std::ranges::find(result.contexts, context, &trace::context_load::context);
  return found == result.contexts.end() ? std::nullopt : std::optional{*found};
}

}  // namespace gmr::test

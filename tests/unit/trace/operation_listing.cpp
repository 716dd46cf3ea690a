#include "operation_listing.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace gmr::test {
namespace {

struct collector final : capture::green_thread_consumer {
  void take(const green_thread_view& view) override {
    if (view.state == green_thread_state::running) return;
    found.push_back({view.id,
                     view.kind,
                     view.state,
                     std::string{view.name},
                     std::string{view.waits_for},
                     {view.operations.begin(), view.operations.end()}});
  }
  void take(const green_thread_view& view, const capture::stack_snapshot&) override {
    if (!view.name.starts_with("own stack of thread")) take(view);
  }
  std::vector<listed_wait> found;
};

}  // namespace

std::vector<listed_wait> list_waits() {
  collector all;
  const auto result = capture::capture_green_threads({}, all);
  EXPECT_TRUE(result.notes.empty()) << result.notes.front();
  return all.found;
}

listed_wait the_only_wait() {
  const auto all = list_waits();
  EXPECT_EQ(all.size(), 1U);
  return all.size() == 1 ? all.front() : listed_wait{};
}

std::optional<trace::context_load> load_of(const void* context) {
  collector ignored;
  const auto result = capture::capture_green_threads({}, ignored);
  const auto found = std::ranges::find(result.contexts, context, &trace::context_load::context);
  return found == result.contexts.end() ? std::nullopt : std::optional{*found};
}

}  // namespace gmr::test

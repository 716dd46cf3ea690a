// Green threads as values: whatever their views point to is kept with them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmr/trace/scheduler.hpp"

namespace gmr::trace {

// Keeps its memory when it is emptied. Not synchronised.
class green_thread_list final : public green_thread_visitor {
 public:
  // Adds a copy.
  void visit(const green_thread_view& view) override;
  void clear() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return views_.size(); }
  // Valid until something is added, or all is emptied.
  [[nodiscard]] std::span<const green_thread_view> views();

 private:
  void add_contents(const green_thread_view& view);

  std::vector<green_thread_view> views_;
  // What they point to, one after the other.
  std::string texts_;
  std::vector<std::pair<std::string_view, std::string_view>> labels_;
  std::vector<logical_frame> frames_;
  std::vector<machine_stack> machines_;
  std::vector<waiting_operation> operations_;
};

}  // namespace gmr::trace

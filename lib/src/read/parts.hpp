// The parts of a report in JSON, each made what the model has for it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmr/model/report.hpp"
#include "read/json_access.hpp"
#include "symbolize/frame_store.hpp"

namespace gmr::reading {

// Equal frames become one, as in a service: what groups stacks compares pointers.
class stack_reader final {
 public:
  [[nodiscard]] std::vector<const frame*> frames(std::span<const json> items);
  [[nodiscard]] stack read(std::span<const json> items, std::string note);
  // Keeps the frames.
  [[nodiscard]] std::shared_ptr<const void> keep() const { return frames_; }

 private:
  [[nodiscard]] const frame* one(const json& item);

  std::shared_ptr<symbolize::frame_store> frames_ = std::make_shared<symbolize::frame_store>();
};

[[nodiscard]] value value_of(const json& content, int depth = 0);
[[nodiscard]] std::optional<wait_info> wait_at(const json& object);
[[nodiscard]] std::optional<socket_queues> queues_at(const json& object);

// `groups` are the ids of threads that JSON says have one stack.
[[nodiscard]] std::vector<thread_info> threads_of(const json& whole, stack_reader& stacks);
[[nodiscard]] green_threads_info green_threads_of(const json& content, stack_reader& stacks);
[[nodiscard]] std::vector<operation_group> operations_of(const json& whole);

}  // namespace gmr::reading

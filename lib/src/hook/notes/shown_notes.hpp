// A green thread's notes as its scheduler shows them.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "gmr/trace/scheduler.hpp"
#include "hook/notes/green_thread_notes.hpp"

namespace gmr::trace {

// Reused from one green thread to the next; what a view is given lives until then.
class shown_notes final {
 public:
  void show(const green_thread_notes* notes, green_thread_view& view) {
    if (notes == nullptr || !notes->read(view.id, texts_)) return;
    if (texts_.name_size != 0) view.name = texts_.name_text();
    view.long_running = texts_.long_running != 0;
    for (std::size_t i = 0; i < texts_.label_count; ++i)
      labels_[i] = {texts_.labels[i].key_text(), texts_.labels[i].said()};
    view.labels = {labels_.data(), texts_.label_count};
  }

 private:
  green_thread_texts texts_{};
  std::array<std::pair<std::string_view, std::string_view>, most_labels> labels_;
};

}  // namespace gmr::trace

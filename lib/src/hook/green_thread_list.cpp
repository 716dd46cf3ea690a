#include "hook/green_thread_list.hpp"

namespace gmr::trace {
namespace {

// The next part of what was added one after the other.
template <class Element>
std::span<const Element> take(std::span<const Element>& rest, std::size_t count) noexcept {
  const auto taken = rest.first(count);
  rest = rest.subspan(count);
  return taken;
}

std::string_view take(std::string_view& rest, std::size_t size) noexcept {
  const std::string_view taken = rest.substr(0, size);
  rest.remove_prefix(size);
  return taken;
}

}  // namespace

void green_thread_list::visit(const green_thread_view& view) {
  const std::size_t texts = texts_.size();
  const std::size_t labels = labels_.size();
  const std::size_t frames = frames_.size();
  const std::size_t machines = machines_.size();
  const std::size_t operations = operations_.size();
  try {
    add_contents(view);
    views_.push_back(view);
  } catch (...) {  // without memory: nothing may be left of one that is not there
    texts_.resize(texts);
    labels_.resize(labels);
    frames_.resize(frames);
    machines_.resize(machines);
    operations_.resize(operations);
    throw;
  }
}

void green_thread_list::add_contents(const green_thread_view& view) {
  texts_ += view.name;
  texts_ += view.waits_for;
  for (const auto& [key, text] : view.labels) {
    texts_ += key;
    texts_ += text;
  }
  labels_.insert(labels_.end(), view.labels.begin(), view.labels.end());
  frames_.insert(frames_.end(), view.frames.begin(), view.frames.end());
  if (view.machine != nullptr) machines_.push_back(*view.machine);
  operations_.insert(operations_.end(), view.operations.begin(), view.operations.end());
}

void green_thread_list::clear() noexcept {
  views_.clear();
  texts_.clear();
  labels_.clear();
  frames_.clear();
  machines_.clear();
  operations_.clear();
}

std::span<const green_thread_view> green_thread_list::views() {
  std::string_view texts = texts_;
  std::span<const logical_frame> frames{frames_};
  std::span<const waiting_operation> operations{operations_};
  std::span labels{labels_};
  const machine_stack* machine = machines_.data();
  for (green_thread_view& view : views_) {
    view.name = take(texts, view.name.size());
    view.waits_for = take(texts, view.waits_for.size());
    const auto own_labels = labels.first(view.labels.size());
    labels = labels.subspan(own_labels.size());
    for (auto& [key, text] : own_labels) {
      key = take(texts, key.size());
      text = take(texts, text.size());
    }
    view.labels = own_labels;
    view.frames = take(frames, view.frames.size());
    if (view.machine != nullptr) view.machine = machine++;
    view.operations = take(operations, view.operations.size());
  }
  return views_;
}

}  // namespace gmr::trace

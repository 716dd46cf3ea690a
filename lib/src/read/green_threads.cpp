// Green threads, event loops and operations.
#include "read/parts.hpp"

namespace gmr::reading {
namespace {

green_thread_kind kind_at(const json& object) {
  return text_at(object, "kind") == "fiber" ? green_thread_kind::fiber
                                            : green_thread_kind::coroutine;
}

green_thread_state state_at(const json& object) {
  const std::string word = text_at(object, "state");
  if (word == "running") return green_thread_state::running;
  return word == "ready" ? green_thread_state::ready : green_thread_state::suspended;
}

std::vector<operation_info> waits_of(const json& object) {
  std::vector<operation_info> out;
  for (const json& each : items_at(object, "operations"))
    out.push_back({.green_thread = number_at<std::uint64_t>(each, "green_thread").value_or(0),
                   .kind = text_at(each, "kind"),
                   .ready = flag_at(each, "ready"),
                   .fd = number_at<int>(each, "fd"),
                   .peer = text_at(each, "peer"),
                   .seconds = seconds_at(each, "seconds"),
                   .queues = queues_at(each)});
  return out;
}

event_loop_info event_loop_of(const json& item) {
  return {.address = address_at(item, "address").value_or(0),
          .queued = number_at<std::uint64_t>(item, "queued").value_or(0),
          .pending = number_at<std::uint64_t>(item, "pending").value_or(0),
          .oldest_seconds = seconds_at(item, "oldest_seconds"),
          .threads = numbers_at<pid_t>(item, "threads")};
}

// Each different stack once.
class stack_list final {
 public:
  stack_list(std::vector<stack>& to, stack_reader& reader) : to_(to), reader_(reader) {}

  std::uint32_t add(const json& group) {
    std::vector<std::string> notes = texts_at(group, "notes");
    stack read = reader_.read(items_at(group, "frames"),
                              notes.empty() ? std::string{} : std::move(notes.front()));
    const auto [at, is_new] =
        known_.try_emplace({read.frames, read.truncated ? "..." : read.note}, to_.size());
    if (is_new) to_.push_back(std::move(read));
    return static_cast<std::uint32_t>(at->second);
  }

 private:
  std::vector<stack>& to_;
  stack_reader& reader_;
  std::map<std::pair<std::vector<const frame*>, std::string>, std::size_t> known_;
};

green_thread_group group_of(const json& item, stack_list& stacks) {
  green_thread_group out;
  out.count = number_at<std::uint64_t>(item, "count").value_or(0);
  out.kind = kind_at(item);
  out.state = state_at(item);
  out.stack = stacks.add(item);
  out.ids = numbers_at<std::uint64_t>(item, "ids");
  out.names = texts_at(item, "names");
  if (const json* const labels = member(item, "labels")) {
    if (!labels->IsObject()) refuse("labels", "an object");
    for (const auto& label : labels->GetObject())
      out.labels[text_of(label.name, "labels")] = texts_of(label.value, "labels");
  }
  out.parents = numbers_at<std::uint64_t>(item, "parents");
  for (const json& each : items_at(item, "parent_of"))
    out.parent_of.push_back({number_at<std::uint64_t>(each, "id").value_or(0),
                             number_at<std::uint64_t>(each, "parent").value_or(0)});
  out.with_parent = out.parent_of.size();  // of those beyond it is not known
  out.threads = numbers_at<pid_t>(item, "threads");
  out.long_running = flag_at(item, "long_running");
  out.spawned = texts_at(item, "spawned");
  out.stack_bytes = number_at<std::uint64_t>(item, "stack_bytes");
  out.high_water_bytes = number_at<std::uint64_t>(item, "high_water_bytes");
  out.oldest_seconds = seconds_at(item, "oldest_seconds");
  out.newest_seconds = seconds_at(item, "newest_seconds");
  out.waits_for = wait_at(item);
  out.operations = waits_of(item);
  return out;
}

std::optional<stack_extent> extent_at(const json& object) {
  const json* const content = member(object, "memory");
  if (content == nullptr) return std::nullopt;
  return stack_extent{.low = address_at(*content, "low").value_or(0),
                      .high = address_at(*content, "high").value_or(0),
                      .high_water_bytes = number_at<std::uint64_t>(*content, "high_water_bytes")};
}

green_thread_info listed_of(const json& item) {
  green_thread_info out;
  out.id = number_at<std::uint64_t>(item, "id").value_or(0);
  out.kind = kind_at(item);
  out.state = state_at(item);
  out.seconds = seconds_at(item, "seconds");
  out.stack = number_at<std::uint32_t>(item, "stack").value_or(0);
  out.name = text_at(item, "name");
  if (const json* const labels = member(item, "labels")) {
    if (!labels->IsObject()) refuse("labels", "an object");
    for (const auto& label : labels->GetObject())
      out.labels.emplace_back(text_of(label.name, "labels"), text_of(label.value, "labels"));
  }
  out.waits_for = wait_at(item);
  out.operations = waits_of(item);
  out.thread = number_at<pid_t>(item, "thread").value_or(0);
  out.parent = number_at<std::uint64_t>(item, "parent").value_or(0);
  out.long_running = flag_at(item, "long_running");
  out.spawned = text_at(item, "spawned");
  out.extent = extent_at(item);
  return out;
}

void read_listed(green_threads_info& out, const json& content, stack_reader& stacks) {
  const std::span<const json> notes = items_at(content, "stack_notes");
  for (const json& each : items_at(content, "stacks")) {
    if (!each.IsArray()) refuse("stacks", "an array");
    const std::size_t at = out.stacks.size();
    out.stacks.push_back(
        stacks.read({each.Begin(), each.Size()}, at < notes.size() && notes[at].IsString()
                                                     ? text_of(notes[at], "stack_notes")
                                                     : std::string{}));
  }
  for (const json& each : items_at(content, "listed"))
    out.listed.push_back(listed_of(each));
}

operation_group operations_in(const json& item) {
  operation_group out;
  out.count = number_at<std::uint64_t>(item, "count").value_or(0);
  out.kind = text_at(item, "kind");
  out.ready = flag_at(item, "ready");
  out.event_loop = address_at(item, "event_loop").value_or(0);
  out.threads = numbers_at<pid_t>(item, "threads");
  out.oldest_seconds = seconds_at(item, "oldest_seconds");
  out.newest_seconds = seconds_at(item, "newest_seconds");
  for (const json& each : items_at(item, "operations"))
    out.operations.push_back({.fd = number_at<int>(each, "fd"),
                              .peer = text_at(each, "peer"),
                              .since_seconds = seconds_at(each, "since_seconds"),
                              .expiry_seconds = seconds_at(each, "expiry_seconds"),
                              .queues = queues_at(each)});
  return out;
}

}  // namespace

green_threads_info green_threads_of(const json& content, stack_reader& stacks) {
  green_threads_info out;
  out.count = number_at<std::uint64_t>(content, "count").value_or(0);
  out.notes = texts_at(content, "notes");
  for (const json& each : items_at(content, "event_loops"))
    out.event_loops.push_back(event_loop_of(each));
  stack_list list{out.stacks, stacks};
  for (const json& each : items_at(content, "groups"))
    out.groups.push_back(group_of(each, list));
  read_listed(out, content, stacks);
  return out;
}

std::vector<operation_group> operations_of(const json& whole) {
  std::vector<operation_group> out;
  for (const json& each : items_at(whole, "operations"))
    out.push_back(operations_in(each));
  return out;
}

}  // namespace gmr::reading

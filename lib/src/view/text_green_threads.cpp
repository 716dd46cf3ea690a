// The Green Threads section as text.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "view/human.hpp"
#include "view/printable.hpp"
#include "view/text_threads.hpp"

namespace gmr::views {
namespace {

constexpr std::size_t most_ids = 10;

const stack& stack_at(const green_threads_info& all, std::uint32_t index) {
  static const stack none;
  return index < all.stacks.size() ? all.stacks[index] : none;
}

template <typename Id>
std::vector<std::string> to_texts(const std::vector<Id>& ids) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < std::min(ids.size(), most_ids); ++at)
    texts.push_back(std::to_string(ids[at]));
  return texts;
}

std::string ages(const green_thread_group& group) {
  if (!group.oldest_seconds) return {};
  const std::string oldest = human_duration(*group.oldest_seconds);
  if (!group.newest_seconds) return "for " + oldest;
  const std::string newest = human_duration(*group.newest_seconds);
  return oldest == newest ? "for " + oldest : "for " + newest + " to " + oldest;
}

std::vector<std::string> printable_all(const std::vector<std::string>& texts) {
  std::vector<std::string> shown;
  shown.reserve(texts.size());
  for (const std::string& text : texts)
    shown.push_back(printable(text));
  return shown;
}

void show_on_one_line(page& out, const std::string& what, const std::vector<std::string>& texts) {
  constexpr std::size_t room_for_more = std::string_view{" and 1000 more"}.size();
  const std::size_t used = std::min(page::width, columns(what) + room_for_more);
  out.line(0, what + join_fitting(printable_all(texts), page::width - used, texts.size()));
}

// Who they are, apart from their ids.
void show_details(page& out, const green_thread_group& group) {
  if (!group.names.empty()) show_on_one_line(out, "named ", group.names);
  for (const auto& [key, texts] : group.labels)
    show_on_one_line(out, "labelled " + printable(key) + " = ", texts);
  if (!group.parents.empty())
    out.line(0, (group.kind == green_thread_kind::fiber ? "resumed by " : "awaited by ") +
                    join_some(to_texts(group.parents), most_ids, group.parents.size()));
  if (!group.spawned.empty()) show_on_one_line(out, "spawned in ", group.spawned);
  if (!group.stack_bytes) return;
  std::string memory = "stack of " + human_bytes(static_cast<double>(*group.stack_bytes));
  if (group.high_water_bytes)
    memory += ", at most " + human_bytes(static_cast<double>(*group.high_water_bytes)) + " used";
  out.line(0, memory);
}

// "read on descriptor 12 (tcp 127.0.0.1:80 - 127.0.0.1:5112)"
std::string operation_text(const operation_info& operation) {
  std::string out = printable(operation.kind);
  if (operation.fd) out += " on descriptor " + std::to_string(*operation.fd);
  if (!operation.peer.empty()) out += " (" + printable(operation.peer) + ")";
  if (operation.seconds) out += remaining_text(*operation.seconds);
  if (operation.ready) out += ", ready";
  return out;
}

// One line each; the title has what a single green thread waits for.
void show_operations(page& out, const green_thread_group& group) {
  if (group.count == 1 && group.operations.size() == 1) return;
  constexpr std::size_t most_operations = 10;
  std::size_t shown = 0;
  std::uint64_t seen = 0;
  for (const operation_info& each : group.operations) {
    if (shown == most_operations) break;
    if (shown == 0 || group.operations[shown - 1].green_thread != each.green_thread) ++seen;
    ++shown;
    out.line(2, std::to_string(each.green_thread) + ": " + operation_text(each));
  }
  if (shown != 0 && seen < group.count)
    out.line(2, "and those of " + counted(group.count - seen, "more green thread"));
}

void show_event_loop(page& out, const event_loop_info& loop) {
  std::string text = "Event loop " + hex(loop.address) + ": ";
  text += loop.queued == 0 ? "no handler queued" : counted(loop.queued, "handler") + " queued";
  if (loop.oldest_seconds) text += ", the first for " + human_duration(*loop.oldest_seconds);
  text += "; " + counted(loop.pending, "operation") + " pending";
  if (!loop.threads.empty())
    text += "; run by " + std::string{loop.threads.size() == 1 ? "thread " : "threads "} +
            join_some(to_texts(loop.threads), most_ids, loop.threads.size());
  out.line(0, text);
}

void show_group(page& out, const green_thread_group& group, const green_threads_info& all,
                const path_shortener& paths) {
  out.block(group_title(group));
  out.line(0, (group.count == 1 ? "id " : "ids ") +
                  join_some(to_texts(group.ids), most_ids, group.count));
  show_details(out, group);
  show_operations(out, group);
  const stack& frames = stack_at(all, group.stack);
  if (group.state == green_thread_state::running && frames.frames.empty()) {
    out.line(2, group.threads.empty()
                    ? "(its stack is that of the thread that runs it, see Threads)"
                    : "(its stack is that of thread " +
                          join_some(to_texts(group.threads), most_ids, group.threads.size()) +
                          ", see Threads)");
  } else {
    show_stack(out, 2, frames, paths);
  }
}

// "stack 0x7f10-0x7f20, 12 KiB of 64 KiB used"
std::string extent_text(const stack_extent& extent) {
  std::string out = "stack " + hex(extent.low) + "-" + hex(extent.high);
  const std::string size = human_bytes(static_cast<double>(extent.high - extent.low));
  if (!extent.high_water_bytes) return out + " of " + size;
  return out + ", " + human_bytes(static_cast<double>(*extent.high_water_bytes)) + " of " + size +
         " used";
}

std::string one_line(const green_thread_info& each) {
  std::string out = std::to_string(each.id) + " ";
  if (!each.name.empty()) out += printable(each.name) + " ";
  out.append(to_string(each.kind)).append(" ").append(to_string(each.state));
  if (each.seconds) out += " for " + human_duration(*each.seconds);
  if (each.waits_for) out += ", waiting for " + wait_text(*each.waits_for);
  for (std::size_t i = 1; i < each.operations.size(); ++i)
    out += ", " + operation_text(each.operations[i]);
  if (each.thread != 0) out += ", on thread " + std::to_string(each.thread);
  if (each.parent != 0)
    out += (each.kind == green_thread_kind::fiber ? ", resumed by " : ", awaited by ") +
           std::to_string(each.parent);
  if (each.long_running) out += ", expected to wait long";
  if (!each.spawned.empty()) out += ", spawned in " + printable(each.spawned);
  if (each.extent) out += ", " + extent_text(*each.extent);
  for (const auto& [key, content] : each.labels)
    out += ", " + printable(key) + "=" + printable(content);
  return out;
}

// Every green thread by itself, below those with the same stack, so that no stack comes twice.
void show_each(page& out, const green_threads_info& all, const path_shortener& paths) {
  std::vector<const green_thread_info*> by_stack;
  by_stack.reserve(all.listed.size());
  for (const green_thread_info& each : all.listed)
    by_stack.push_back(&each);
  const auto same = [](const green_thread_info* a, const green_thread_info* b) {
    return a->stack == b->stack;
  };
  std::stable_sort(by_stack.begin(), by_stack.end(),
                   [](const auto* a, const auto* b) { return a->stack < b->stack; });
  for (auto from = by_stack.begin(); from != by_stack.end();) {
    const auto to =
        std::find_if(from, by_stack.end(), [&](const auto* each) { return !same(*from, each); });
    out.block("Stack " + std::to_string((*from)->stack) + ": " +
              counted(static_cast<std::uint64_t>(to - from), "green thread"));
    for (auto at = from; at != to; ++at)
      out.line(0, one_line(**at));
    show_stack(out, 2, stack_at(all, (*from)->stack), paths);
    from = to;
  }
}

}  // namespace

std::string group_title(const green_thread_group& group) {
  std::string out = counted(group.count, to_string(group.kind));
  out.append(" ").append(to_string(group.state));
  if (const std::string since = ages(group); !since.empty()) out += " " + since;
  if (group.waits_for) out += ", waiting for " + wait_text(*group.waits_for);
  if (group.long_running) out += ", expected to wait long";
  return out;
}

void show_green_threads(page& out, const green_threads_info& all, report_list list,
                        const path_shortener& paths) {
  std::string summary = counted(all.count, "green thread");
  if (all.count != 0) summary += ", " + counted(all.stacks.size(), "different stack");
  out.line(0, summary);
  for (const event_loop_info& loop : all.event_loops)
    show_event_loop(out, loop);
  for (const std::string& note : all.notes)
    out.line(0, "note: " + printable(note));
  if (list == report_list::each) return show_each(out, all, paths);
  if (list == report_list::tree) return show_green_tree(out, all, paths);
  for (const green_thread_group& group : all.groups)
    show_group(out, group, all, paths);
}

}  // namespace gmr::views

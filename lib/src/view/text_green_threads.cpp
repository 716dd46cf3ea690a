// The Green Threads section as text.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "text/hex.hpp"
#include "text/printable.hpp"
#include "text/quantities.hpp"
#include "view/text_threads.hpp"

namespace gmr::views {
namespace {

constexpr std::size_t most_ids = 10;

template <typename Id>
std::vector<std::string> to_texts(const std::vector<Id>& ids) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < std::min(ids.size(), most_ids); ++at)
    texts.push_back(std::to_string(ids[at]));
  return texts;
}

std::vector<std::string> printable_all(const std::vector<std::string>& texts) {
  std::vector<std::string> shown;
  shown.reserve(texts.size());
  for (const std::string& text : texts)
    shown.push_back(texts::printable(text));
  return shown;
}

void show_on_one_line(page& out, const std::string& what, const std::vector<std::string>& texts) {
  constexpr std::size_t room_for_more = std::string_view{" and 1000 more"}.size();
  const std::size_t used = std::min(page::width, texts::columns(what) + room_for_more);
  out.line(0, what + join_fitting(printable_all(texts), page::width - used, texts.size()));
}

// Who they are, apart from their ids.
void show_details(page& out, const outlines::green_group_outline& shown) {
  const green_thread_group& group = *shown.source;
  if (!group.names.empty()) show_on_one_line(out, "named ", group.names);
  for (const auto& [key, texts] : group.labels)
    show_on_one_line(out, "labelled " + texts::printable(key) + " = ", texts);
  if (shown.parents != outlines::parent_form::none) out.line(0, parents_text(group, shown.parents));
  if (!group.spawned.empty()) show_on_one_line(out, "spawned in ", group.spawned);
  if (group.stack_bytes) out.line(0, memory_text(group));
}

// One line each; the title has what a single green thread waits for.
void show_waits(page& out, const green_thread_group& group) {
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

void show_group(page& out, const outlines::green_group_outline& shown,
                const path_shortener& paths) {
  const green_thread_group& group = *shown.source;
  out.block(group_title(group));
  out.line(0, (group.count == 1 ? "id " : "ids ") +
                  join_some(to_texts(group.ids), most_ids, group.count));
  show_details(out, shown);
  show_waits(out, group);
  if (!shown.runs_on_thread) return show_stack(out, 2, shown.stack, paths);
  out.line(2, group.threads.empty()
                  ? "(its stack is that of the thread that runs it, see Threads)"
                  : "(its stack is that of thread " +
                        join_some(to_texts(group.threads), most_ids, group.threads.size()) +
                        ", see Threads)");
}

// "stack 0x7f10-0x7f20, 12 KiB of 64 KiB used"
std::string extent_text(const stack_extent& extent) {
  std::string out = "stack " + texts::hex(extent.low) + "-" + texts::hex(extent.high);
  const std::string size = texts::human_bytes(static_cast<double>(extent.high - extent.low));
  if (!extent.high_water_bytes) return out + " of " + size;
  return out + ", " + texts::human_bytes(static_cast<double>(*extent.high_water_bytes)) + " of " +
         size + " used";
}

void show_listed(page& out, const outlines::listed_stack& shown, const path_shortener& paths) {
  out.block("Stack " + std::to_string(shown.number) + ": " +
            counted(shown.green_threads.size(), "green thread"));
  for (const green_thread_info* each : shown.green_threads)
    out.line(0, green_thread_text(*each));
  show_stack(out, 2, shown.stack, paths);
}

}  // namespace

std::string parents_text(const green_thread_group& group, outlines::parent_form form) {
  const std::string how = group.kind == green_thread_kind::fiber ? "resumed by " : "awaited by ";
  if (form == outlines::parent_form::same) return how + std::to_string(group.parents.front());
  std::vector<std::string> each;
  each.reserve(group.parent_of.size());
  for (const green_thread_parent& of : group.parent_of)
    each.push_back(std::to_string(of.id) + " " + how + std::to_string(of.parent));
  return join_some(each, most_ids, group.with_parent);
}

std::string memory_text(const green_thread_group& group) {
  if (!group.stack_bytes) return {};
  std::string out = "stack of " + texts::human_bytes(static_cast<double>(*group.stack_bytes));
  if (group.high_water_bytes)
    out +=
        ", at most " + texts::human_bytes(static_cast<double>(*group.high_water_bytes)) + " used";
  return out;
}

std::string operation_text(const operation_info& operation) {
  std::string out = texts::printable(operation.kind);
  if (operation.fd) out += " on descriptor " + std::to_string(*operation.fd);
  if (!operation.peer.empty()) out += " (" + texts::printable(operation.peer) + ")";
  out += queues_text(operation.queues);
  if (operation.seconds) out += remaining_text(*operation.seconds);
  if (operation.ready) out += ", ready";
  return out;
}

std::string event_loop_text(const event_loop_info& loop) {
  std::string text = "Event loop " + texts::hex(loop.address) + ": ";
  text += loop.queued == 0 ? "no handler queued" : counted(loop.queued, "handler") + " queued";
  if (loop.oldest_seconds) text += ", the first for " + texts::human_duration(*loop.oldest_seconds);
  text += "; " + counted(loop.pending, "operation") + " pending";
  if (!loop.threads.empty())
    text += "; run by " + std::string{loop.threads.size() == 1 ? "thread " : "threads "} +
            join_some(to_texts(loop.threads), most_ids, loop.threads.size());
  return text;
}

std::string green_thread_text(const green_thread_info& each) {
  std::string out = std::to_string(each.id) + " ";
  if (!each.name.empty()) out += texts::printable(each.name) + " ";
  out.append(to_string(each.kind)).append(" ").append(to_string(each.state));
  if (each.seconds) out += " for " + texts::human_duration(*each.seconds);
  if (each.waits_for) out += ", waiting for " + wait_text(*each.waits_for);
  for (std::size_t i = 1; i < each.operations.size(); ++i)
    out += ", " + operation_text(each.operations[i]);
  if (each.thread != 0) out += ", on thread " + std::to_string(each.thread);
  if (each.parent != 0)
    out += (each.kind == green_thread_kind::fiber ? ", resumed by " : ", awaited by ") +
           std::to_string(each.parent);
  if (each.long_running) out += ", expected to wait long";
  if (!each.spawned.empty()) out += ", spawned in " + texts::printable(each.spawned);
  if (each.extent) out += ", " + extent_text(*each.extent);
  for (const auto& [key, content] : each.labels)
    out += ", " + texts::printable(key) + "=" + texts::printable(content);
  return out;
}

std::string group_title(const green_thread_group& group) {
  std::string out = counted(group.count, to_string(group.kind));
  out.append(" ").append(to_string(group.state));
  if (const std::string since = ages_text(group.oldest_seconds, group.newest_seconds);
      !since.empty())
    out += " " + since;
  if (group.waits_for) out += ", waiting for " + wait_text(*group.waits_for);
  if (group.long_running) out += ", expected to wait long";
  return out;
}

void show_green_threads(page& out, const outlines::outline& shown, const path_shortener& paths) {
  const green_threads_info& all = shown.source->green_threads;
  std::string summary = counted(all.count, "green thread");
  if (all.count != 0) summary += ", " + counted(all.stacks.size(), "different stack");
  out.line(0, summary);
  for (const event_loop_info& loop : all.event_loops)
    out.line(0, event_loop_text(loop));
  for (const std::string& note : all.notes)
    out.line(0, "note: " + texts::printable(note));
  if (shown.source->list == report_list::tree)
    return show_green_tree(out, shown.green_threads.tree, paths);
  for (const outlines::listed_stack& each : shown.green_threads.listed)
    show_listed(out, each, paths);
  for (const outlines::green_group_outline& group : shown.green_threads.groups)
    show_group(out, group, paths);
}

}  // namespace gmr::views

#include "view/json_green_threads.hpp"

#include "view/json_stack.hpp"

namespace gmr::views {
namespace {

// As an array of one note or none.
void write_note(json_output& out, const outlines::stack_outline& shown) {
  out.begin_array();
  if (!shown.note.empty()) out.text(shown.note);
  out.end_array();
}

template <typename Id>
void write_ids(json_output& out, const std::vector<Id>& ids) {
  out.begin_array();
  for (const Id id : ids)
    out.number(id);
  out.end_array();
}

void write(json_output& out, const std::vector<operation_info>& operations) {
  out.begin_array();
  for (const operation_info& each : operations) {
    out.begin_object();
    out.key("green_thread");
    out.number(each.green_thread);
    out.key("kind");
    out.text(each.kind);
    out.key("ready");
    out.boolean(each.ready);
    out.key("fd");
    out.number_or_null(each.fd);
    out.key("peer");
    out.text_or_null(each.peer);
    out.key("seconds");
    out.seconds_or_null(each.seconds);
    out.key("queues");
    write_queues(out, each.queues);
    out.end_object();
  }
  out.end_array();
}

void write(json_output& out, const std::vector<event_loop_info>& loops) {
  out.begin_array();
  for (const event_loop_info& each : loops) {
    out.begin_object();
    out.key("address");
    out.address(each.address);
    out.key("queued");
    out.number(each.queued);
    out.key("oldest_seconds");
    out.seconds_or_null(each.oldest_seconds);
    out.key("pending");
    out.number(each.pending);
    out.key("threads");
    write_ids(out, each.threads);
    out.end_object();
  }
  out.end_array();
}

void write(json_output& out, const std::vector<green_thread_parent>& parents) {
  out.begin_array();
  for (const green_thread_parent& each : parents) {
    out.begin_object();
    out.key("id");
    out.number(each.id);
    out.key("parent");
    out.number(each.parent);
    out.end_object();
  }
  out.end_array();
}

void write_group(json_output& out, const outlines::green_group_outline& shown) {
  const green_thread_group& group = *shown.source;
  out.begin_object();
  out.key("count");
  out.number(group.count);
  out.key("kind");
  out.text(to_string(group.kind));
  out.key("state");
  out.text(to_string(group.state));
  out.key("frames");
  write_frames(out, *shown.stack.source);
  out.key("notes");
  write_note(out, shown.stack);
  out.key("ids");
  write_ids(out, group.ids);
  out.key("names");
  out.begin_array();
  for (const std::string& name : group.names)
    out.text(name);
  out.end_array();
  out.key("labels");
  out.begin_object();
  for (const auto& [key, texts] : group.labels) {
    out.free_key(key);
    out.begin_array();
    for (const std::string& text : texts)
      out.text(text);
    out.end_array();
  }
  out.end_object();
  out.key("parents");
  write_ids(out, group.parents);
  out.key("parent_of");
  write(out, group.parent_of);
  out.key("threads");
  write_ids(out, group.threads);
  out.key("long_running");
  out.boolean(group.long_running);
  out.key("spawned");
  out.begin_array();
  for (const std::string& place : group.spawned)
    out.text(place);
  out.end_array();
  out.key("stack_bytes");
  out.number_or_null(group.stack_bytes);
  out.key("high_water_bytes");
  out.number_or_null(group.high_water_bytes);
  out.key("oldest_seconds");
  out.seconds_or_null(group.oldest_seconds);
  out.key("newest_seconds");
  out.seconds_or_null(group.newest_seconds);
  out.key("waits_for");
  write_wait(out, group.waits_for);
  out.key("operations");
  write(out, group.operations);
  out.end_object();
}

void write(json_output& out, const std::optional<stack_extent>& extent) {
  if (!extent) return out.null();
  out.begin_object();
  out.key("low");
  out.address(extent->low);
  out.key("high");
  out.address(extent->high);
  out.key("high_water_bytes");
  out.number_or_null(extent->high_water_bytes);
  out.end_object();
}

void write_listed(json_output& out, const green_thread_info& each) {
  out.begin_object();
  out.key("id");
  out.number(each.id);
  out.key("kind");
  out.text(to_string(each.kind));
  out.key("state");
  out.text(to_string(each.state));
  out.key("name");
  out.text_or_null(each.name);
  out.key("seconds");
  out.seconds_or_null(each.seconds);
  out.key("waits_for");
  write_wait(out, each.waits_for);
  out.key("operations");
  write(out, each.operations);
  out.key("labels");
  out.begin_object();
  for (const auto& [key, text] : each.labels) {
    out.free_key(key);
    out.text(text);
  }
  out.end_object();
  out.key("parent");
  each.parent == 0 ? out.null() : out.number(each.parent);
  out.key("thread");
  each.thread == 0 ? out.null() : out.number(each.thread);
  out.key("long_running");
  out.boolean(each.long_running);
  out.key("spawned");
  out.text_or_null(each.spawned);
  out.key("memory");
  write(out, each.extent);
  out.key("stack");
  out.number(each.stack);
  out.end_object();
}

void write_groups(json_output& out, const outlines::outline& shown) {
  out.key("groups");
  out.begin_array();
  for (const outlines::green_group_outline& group : shown.green_threads.groups)
    write_group(out, group);
  out.end_array();
}

// Stacks have their own array, in which a green thread's has the number that it names.
void write_all_listed(json_output& out, const outlines::outline& shown) {
  const green_threads_info& all = shown.source->green_threads;
  out.key("stacks");
  out.begin_array();
  for (const stack& frames : all.stacks)
    write_frames(out, frames);
  out.end_array();
  out.key("stack_notes");
  out.begin_array();
  for (const stack& frames : all.stacks)
    out.text_or_null(outlines::note_of(frames));
  out.end_array();
  out.key("listed");
  constexpr std::size_t usual_bytes = 320;
  out.expect(all.listed.size() * usual_bytes);
  out.begin_array();
  for (const outlines::listed_stack& same : shown.green_threads.listed)
    for (const green_thread_info* each : same.green_threads)
      write_listed(out, *each);
  out.end_array();
}

}  // namespace

void write_green_threads(json_output& out, const outlines::outline& shown) {
  const green_threads_info& all = shown.source->green_threads;
  out.begin_object();
  out.key("count");
  out.number(all.count);
  out.key("notes");
  out.begin_array();
  for (const std::string& note : all.notes)
    out.text(note);
  out.end_array();
  out.key("event_loops");
  write(out, all.event_loops);
  shown.source->list == report_list::each ? write_all_listed(out, shown) : write_groups(out, shown);
  out.end_object();
}

}  // namespace gmr::views

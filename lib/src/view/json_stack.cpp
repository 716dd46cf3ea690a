#include "view/json_stack.hpp"

namespace gmr::views {
namespace {

void write(json_output& out, const frame& entry) {
  out.begin_object();
  out.key("function");
  out.text_or_null(entry.function);
  out.key("function_full");
  out.text_or_null(entry.function_full.empty() ? entry.function : entry.function_full);
  out.key("file");
  out.text_or_null(entry.file);
  out.key("line");
  entry.line == 0 ? out.null() : out.number(entry.line);
  out.key("inlined");
  out.boolean(entry.inlined);
  if (entry.unloaded) {
    out.key("unloaded");
    out.boolean(true);
  }
  out.key("module");
  out.text_or_null(entry.module);
  out.key("offset");
  out.address_or_null(entry.offset);
  out.key("address");
  out.address_or_null(entry.address);
  out.end_object();
}

}  // namespace

void write_frames(json_output& out, const stack& frames) {
  out.begin_array();
  for (const frame* entry : frames.frames)
    write(out, *entry);
  out.end_array();
}

void write_queues(json_output& out, const std::optional<socket_queues>& queues) {
  if (!queues) return out.null();
  out.begin_object();
  out.key("receive_bytes");
  out.number_or_null(queues->receive_bytes);
  out.key("send_bytes");
  out.number_or_null(queues->send_bytes);
  out.key("connections");
  out.number_or_null(queues->connections);
  out.key("backlog");
  out.number_or_null(queues->backlog);
  out.end_object();
}

void write_wait(json_output& out, const std::optional<wait_info>& wait) {
  if (!wait) return out.null();
  out.begin_object();
  out.key("kind");
  out.text(wait->word());
  out.key("address");
  out.address_or_null(wait->address);
  out.key("owner");
  out.number_or_null(wait->owner);
  out.key("fd");
  out.number_or_null(wait->fd);
  out.key("peer");
  out.text_or_null(wait->peer);
  out.key("seconds");
  out.seconds_or_null(wait->seconds);
  out.key("queues");
  write_queues(out, wait->queues);
  out.end_object();
}

}  // namespace gmr::views

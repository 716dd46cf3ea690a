#include "view/json_operations.hpp"

#include "view/json_stack.hpp"

namespace gmr::views {
namespace {

void write(json_output& out, const unowned_operation_info& one) {
  out.begin_object();
  out.key("fd");
  out.number_or_null(one.fd);
  out.key("peer");
  out.text_or_null(one.peer);
  out.key("since_seconds");
  out.seconds_or_null(one.since_seconds);
  out.key("expiry_seconds");
  out.seconds_or_null(one.expiry_seconds);
  out.key("queues");
  write_queues(out, one.queues);
  out.end_object();
}

void write(json_output& out, const operation_group& group) {
  out.begin_object();
  out.key("count");
  out.number(group.count);
  out.key("kind");
  out.text(group.kind);
  out.key("ready");
  out.boolean(group.ready);
  out.key("event_loop");
  out.address(group.event_loop);
  out.key("threads");
  out.begin_array();
  for (const pid_t thread : group.threads)
    out.number(thread);
  out.end_array();
  out.key("oldest_seconds");
  out.seconds_or_null(group.oldest_seconds);
  out.key("newest_seconds");
  out.seconds_or_null(group.newest_seconds);
  out.key("operations");
  out.begin_array();
  for (const unowned_operation_info& each : group.operations)
    write(out, each);
  out.end_array();
  out.end_object();
}

}  // namespace

void write_operations(json_output& out, const std::vector<operation_group>& groups) {
  out.begin_array();
  for (const operation_group& each : groups)
    write(out, each);
  out.end_array();
}

}  // namespace gmr::views

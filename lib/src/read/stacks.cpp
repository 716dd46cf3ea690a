// Frames, stacks and waits.
#include <cstddef>

#include "read/parts.hpp"
#include "symbolize/names.hpp"

namespace gmr::reading {
namespace {

constexpr std::string_view outer_missing = "outer frames are missing";

}  // namespace

const frame* stack_reader::one(const json& item) {
  frame made;
  made.function = text_at(item, "function");
  made.function_full = text_at(item, "function_full");
  made.file = text_at(item, "file");
  made.line = number_at<std::uint32_t>(item, "line").value_or(0);
  made.inlined = flag_at(item, "inlined");
  made.unloaded = flag_at(item, "unloaded");
  made.module = text_at(item, "module");
  made.offset = address_at(item, "offset");
  made.address = address_at(item, "address");
  made.internal = symbolize::is_internal(made.function, made.file, made.module);
  return frames_->add(std::move(made));
}

std::vector<const frame*> stack_reader::frames(std::span<const json> items) {
  std::vector<const frame*> out;
  out.reserve(items.size());
  for (const json& each : items)
    out.push_back(one(each));
  return out;
}

stack stack_reader::read(std::span<const json> items, std::string note) {
  stack out;
  out.frames = frames(items);
  out.truncated = note == outer_missing;
  if (!out.truncated) out.note = std::move(note);
  return out;
}

std::optional<wait_info> wait_at(const json& object) {
  const json* const content = member(object, "waits_for");
  if (content == nullptr) return std::nullopt;
  wait_info out;
  out.name = text_at(*content, "kind");
  if (out.name.starts_with("system call ")) out.kind = wait_kind::system_call;
  for (unsigned number = 0; number <= static_cast<unsigned>(wait_kind::operation); ++number) {
    const auto kind = static_cast<wait_kind>(number);
    if (to_string(kind) != out.name) continue;
    out.kind = kind;
    out.name.clear();
    break;
  }
  out.address = address_at(*content, "address");
  out.owner = number_at<pid_t>(*content, "owner");
  out.fd = number_at<int>(*content, "fd");
  out.peer = text_at(*content, "peer");
  out.seconds = seconds_at(*content, "seconds");
  out.queues = queues_at(*content);
  return out;
}

std::optional<socket_queues> queues_at(const json& object) {
  const json* const content = member(object, "queues");
  if (content == nullptr) return std::nullopt;
  return socket_queues{.receive_bytes = number_at<std::uint64_t>(*content, "receive_bytes"),
                       .send_bytes = number_at<std::uint64_t>(*content, "send_bytes"),
                       .connections = number_at<std::uint64_t>(*content, "connections"),
                       .backlog = number_at<std::uint64_t>(*content, "backlog")};
}

}  // namespace gmr::reading

// How the fields of a request are read.
#include "verbs/command.hpp"

#include "verbs/errors.hpp"

namespace queue_server {

namespace {

api_error wrong_kind(const char* name, const char* kind) {
  return invalid_body("The value of the \"" + std::string(name) + "\" field must be a " + kind +
                      ".");
}

}  // namespace

queue_key arguments::queue() const {
  return {who.project, checked_queue_name(text("queue_name"))};
}

const json* arguments::field(const char* name) const {
  const auto found = fields.find(name);
  return found == fields.end() || found->is_null() ? nullptr : &*found;
}

std::string arguments::text(const char* name) const {
  auto found = optional_text(name);
  if (!found) throw invalid_body("Missing \"" + std::string(name) + "\" field.");
  return std::move(*found);
}

std::optional<std::string> arguments::optional_text(const char* name) const {
  const json* found = field(name);
  if (found == nullptr) return std::nullopt;
  if (!found->is_string()) throw wrong_kind(name, "str");
  return found->get<std::string>();
}

std::optional<std::int64_t> arguments::integer(const char* name) const {
  return optional_integer(fields, name);
}

bool arguments::boolean(const char* name) const {
  const json* found = field(name);
  if (found == nullptr) return false;
  if (found->is_boolean()) return found->get<bool>();
  if (found->is_string()) return boolean_from(name, found->get<std::string>());
  throw wrong_kind(name, "bool");
}

std::int64_t arguments::page(std::int64_t most) const {
  return checked_page(integer("limit"), most);
}

std::optional<std::vector<std::string>> arguments::ids() const {
  const json* sent = field("message_ids");
  if (sent == nullptr) return std::nullopt;
  if (!sent->is_array()) throw invalid_body("\"message_ids\" must be a list.");
  checked_count("number of ids", static_cast<std::int64_t>(sent->size()),
                allowed.max_messages_per_page);
  std::vector<std::string> ids;
  ids.reserve(sent->size());
  for (const json& id : *sent) {
    if (!id.is_string()) throw invalid_body("\"message_ids\" must be a list of str.");
    ids.push_back(id.get<std::string>());
  }
  return ids;
}

}  // namespace queue_server

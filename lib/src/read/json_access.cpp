#include "read/json_access.hpp"

#include <charconv>

#include "text/printable.hpp"

namespace gmr::reading {

void refuse(std::string_view name, std::string_view needed) {
  throw unreadable_report{"this is no report: " + texts::printable(name) + ": " +
                          std::string{needed} + " is needed"};
}

const json* member(const json& object, const char* name) {
  if (!object.IsObject()) refuse(name, "an object around it");
  const auto at = object.FindMember(name);
  return at == object.MemberEnd() || at->value.IsNull() ? nullptr : &at->value;
}

std::string text_of(const json& content, std::string_view name) {
  if (!content.IsString()) refuse(name, "text");
  return {content.GetString(), content.GetStringLength()};
}

std::string text_at(const json& object, const char* name) {
  const json* const content = member(object, name);
  return content == nullptr ? std::string{} : text_of(*content, name);
}

bool flag_at(const json& object, const char* name) {
  const json* const content = member(object, name);
  if (content == nullptr) return false;
  if (!content->IsBool()) refuse(name, "true or false");
  return content->GetBool();
}

std::optional<std::uint64_t> address_at(const json& object, const char* name) {
  const json* const content = member(object, name);
  if (content == nullptr) return std::nullopt;
  const std::string text = text_of(*content, name);
  std::uint64_t address = 0;
  const char* const end = text.data() + text.size();
  const bool has_prefix = text.starts_with("0x");
  const auto read = std::from_chars(text.data() + (has_prefix ? 2 : 0), end, address, 16);
  if (!has_prefix || read.ec != std::errc{} || read.ptr != end) refuse(name, "an address");
  return address;
}

std::optional<double> seconds_at(const json& object, const char* name) {
  const json* const content = member(object, name);
  if (content == nullptr) return std::nullopt;
  if (!content->IsNumber()) refuse(name, "a number");
  return content->GetDouble();
}

std::span<const json> items_at(const json& object, const char* name) {
  const json* const content = member(object, name);
  if (content == nullptr) return {};
  if (!content->IsArray()) refuse(name, "an array");
  return {content->Begin(), content->Size()};
}

std::vector<std::string> texts_of(const json& content, std::string_view name) {
  if (!content.IsArray()) refuse(name, "an array");
  std::vector<std::string> out;
  for (const json& each : content.GetArray())
    out.push_back(text_of(each, name));
  return out;
}

std::vector<std::string> texts_at(const json& object, const char* name) {
  const json* const content = member(object, name);
  return content == nullptr ? std::vector<std::string>{} : texts_of(*content, name);
}

}  // namespace gmr::reading

// Trees of values. JSON does not tell a table from a list of objects, nor text with line breaks
// from a string: what looks like a table or has lines is shown as such.
#include <algorithm>

#include "read/parts.hpp"

namespace gmr::reading {
namespace {

constexpr int deepest_read = 100;  // as JSON is written

bool same_columns(const json& first, const json& other) {
  if (!other.IsObject() || other.MemberCount() != first.MemberCount()) return false;
  return std::equal(first.MemberBegin(), first.MemberEnd(), other.MemberBegin(),
                    [](const auto& left, const auto& right) { return left.name == right.name; });
}

bool is_table(const json& content) {
  if (content.Empty() || !content[0].IsObject() || content[0].MemberCount() == 0) return false;
  return std::all_of(content.Begin(), content.End(),
                     [&](const json& row) { return same_columns(content[0], row); });
}

value table_of(const json& content, int depth) {
  table out;
  for (const auto& column : content[0].GetObject())
    out.columns.push_back(text_of(column.name, "column"));
  for (const json& row : content.GetArray()) {
    std::vector<value>& cells = out.rows.emplace_back();
    for (const auto& cell : row.GetObject())
      cells.push_back(value_of(cell.value, depth + 1));
  }
  return out;
}

value array_of(const json& content, int depth) {
  if (is_table(content)) return table_of(content, depth);
  list out;
  for (const json& item : content.GetArray())
    out.items.push_back(value_of(item, depth + 1));
  return out;
}

value object_of(const json& content, int depth) {
  key_values out;
  for (const auto& each : content.GetObject())
    out.add(text_of(each.name, "name"), value_of(each.value, depth + 1));
  return out;
}

}  // namespace

value value_of(const json& content, int depth) {
  if (depth > deepest_read) return "(nested too deep to show)";
  if (content.IsArray()) return array_of(content, depth);
  if (content.IsObject()) return object_of(content, depth);
  if (content.IsBool()) return content.GetBool();
  if (content.IsUint64()) return content.GetUint64();
  if (content.IsInt64()) return content.GetInt64();
  if (content.IsNumber()) return content.GetDouble();
  if (!content.IsString()) return nullptr;
  std::string shown = text_of(content, "value");
  if (shown.find('\n') != std::string::npos) return text{std::move(shown)};
  return shown;
}

}  // namespace gmr::reading

// Trees of values as JSON.
#include "view/json_output.hpp"
#include "view/overloaded.hpp"

namespace gmr::views {
namespace {

constexpr int deepest_value = 100;

}  // namespace

void json_output::ascii(std::string_view clean) {
  rapidjson::StringBuffer escaped;
  rapidjson::Writer<rapidjson::StringBuffer, rapidjson::UTF8<>, rapidjson::ASCII<>> writer{escaped};
  writer.String(clean.data(), static_cast<rapidjson::SizeType>(clean.size()));
  writer_.RawValue(escaped.GetString(), escaped.GetSize(), rapidjson::kStringType);
}

void json_output::tree(const value& content, int depth) {
  if (depth > deepest_value) return text("(nested too deep to show)");
  const auto show = overloaded{
      [&](std::nullptr_t) { null(); },
      [&](bool scalar) { boolean(scalar); },
      [&](const std::string& scalar) { text(scalar); },
      [&](const gmr::text& block) { text(block.content); },
      [&](const list& items) {
        begin_array();
        for (const value& item : items.items)
          tree(item, depth + 1);
        end_array();
      },
      [&](const key_values& pairs) {
        begin_object();
        for (const auto& [name, entry] : pairs.entries) {
          free_key(name);
          tree(entry, depth + 1);
        }
        end_object();
      },
      [&](const table& lines) { rows(lines, depth); },
      [&](auto scalar) { number(scalar); },
  };
  std::visit(show, content.get());
}

void json_output::rows(const table& content, int depth) {
  begin_array();
  for (const std::vector<value>& row : content.rows) {
    begin_object();
    for (std::size_t column = 0; column < content.columns.size(); ++column) {
      free_key(content.columns[column]);
      column < row.size() ? tree(row[column], depth + 1) : null();
    }
    end_object();
  }
  end_array();
}

}  // namespace gmr::views

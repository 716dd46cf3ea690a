#include "http/parse.hpp"

#include <algorithm>
#include <array>
#include <boost/url.hpp>

#include "verbs/errors.hpp"

namespace queue_server::http {

namespace {

enum class kind { text, integer, boolean };

struct parameter {
  const char* name;
  kind is;
};

constexpr std::array parameters_known{
    parameter{"marker", kind::text},
    parameter{"name", kind::text},
    parameter{"claim_id", kind::text},
    parameter{"limit", kind::integer},
    parameter{"pop", kind::integer},
    parameter{"detailed", kind::boolean},
    parameter{"with_count", kind::boolean},
    parameter{"echo", kind::boolean},
    parameter{"include_claimed", kind::boolean},
    parameter{"include_delayed", kind::boolean},
};

constexpr std::array fields_known{"messages", "ttl",     "grace",   "subscriber",     "options",
                                  "paths",    "methods", "expires", "resource_types", "confirmed"};

// A path, or what proxies are sent: a whole URL, whose host is nobody else's than this server's.
boost::urls::url_view parse_url(const std::string& text) {
  if (const auto path = boost::urls::parse_origin_form(text)) return *path;
  const auto url = boost::urls::parse_absolute_uri(text);
  if (!url || !url->has_authority()) throw invalid_request("The request's target is not a path.");
  return *url;
}

// Of `?ids=a,b` and `?ids=a&ids=b` alike.
json ids_of(const target& where) {
  json ids = json::array();
  const auto [first, last] = where.parameters.equal_range("ids");
  for (auto each = first; each != last; ++each) {
    std::string_view rest = each->second;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (comma > 0) ids.push_back(std::string(rest.substr(0, comma)));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return ids;
}

bool is_known(std::string_view name) {
  return name == "ids" || std::any_of(parameters_known.begin(), parameters_known.end(),
                                      [name](const parameter& each) { return name == each.name; });
}

}  // namespace

target parse_target(const std::string& text) {
  const boost::urls::url_view url = parse_url(text);
  target where;
  where.path = url.path();
  for (const std::string& segment : url.segments())
    where.segments.push_back(segment);
  // A slash at the end leaves an empty one.
  if (!where.segments.empty() && where.segments.back().empty()) where.segments.pop_back();
  boost::urls::encoding_opts options;
  options.space_as_plus = true;
  for (const auto& parameter : url.params(options)) {
    where.parameters.emplace(parameter.key, parameter.value);
  }
  return where;
}

void read_body(body_kind kind, const request& sent, arguments& asked) {
  if (kind == body_kind::none || sent.body.empty()) return;
  json document = parse_json(sent.body);
  if (kind == body_kind::metadata) {
    asked.fields["metadata"] = std::move(document);
  } else if (kind == body_kind::changes) {
    asked.fields["changes"] = std::move(document);
  } else if (document.is_object()) {
    for (const char* name : fields_known) {
      const auto found = document.find(name);
      if (found != document.end()) asked.fields[name] = std::move(*found);
    }
  } else if (!document.is_null()) {
    throw invalid_body("The request body must be a JSON object.");
  }
}

void read_query(const target& where, arguments& asked) {
  for (const parameter& known : parameters_known) {
    const auto found = where.parameters.find(known.name);
    if (found == where.parameters.end()) continue;
    const std::string& text = found->second;
    switch (known.is) {
      case kind::text:
        asked.fields[known.name] = text;
        break;
      case kind::integer:
        asked.fields[known.name] = integer_from(known.name, text);
        break;
      case kind::boolean:
        asked.fields[known.name] = boolean_from(known.name, text);
        break;
    }
  }
  if (where.parameters.contains("ids")) asked.fields["message_ids"] = ids_of(where);
  for (const auto& [name, value] : where.parameters) {
    if (!is_known(name)) asked.filters.emplace_back(name, value);
  }
}

std::string next_href(const target& where, const std::string& marker, std::int64_t limit) {
  boost::urls::url link;
  link.set_path(where.path);
  auto parameters = link.params();
  for (const auto& [name, value] : where.parameters) {
    if (name != "marker" && name != "limit") parameters.append({name, value});
  }
  parameters.append({"limit", std::to_string(limit)});
  parameters.append({"marker", marker});
  return std::string(link.buffer());
}

}  // namespace queue_server::http

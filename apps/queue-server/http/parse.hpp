// What a target says: the route, and the arguments that stand in the path and the query.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "http/api.hpp"
#include "verbs/command.hpp"

namespace queue_server::http {

struct target {
  std::string path;                   // decoded, without the query
  std::vector<std::string> segments;  // of the path
  std::multimap<std::string, std::string> parameters;
};

// Throws api_error.
[[nodiscard]] target parse_target(const std::string& text);

// Which members of a request's body are arguments of its verb.
enum class body_kind {
  none,      // it is not looked at
  fields,    // of an object, those of the route
  metadata,  // the whole of it is the argument "metadata"
  changes,   // the whole of it is the argument "changes"
};

// Reads the body and the query into `asked`. Parameters that Zaqar does not know are filters.
void read_body(body_kind kind, const request& sent, arguments& asked);
void read_query(const target& where, arguments& asked);

// The path and query of a following page.
[[nodiscard]] std::string next_href(const target& where, const std::string& marker,
                                    std::int64_t limit);

}  // namespace queue_server::http

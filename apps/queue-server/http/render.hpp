// From the results of the verbs to answers over HTTP.
#pragma once

#include "http/parse.hpp"
#include "verbs/operation.hpp"

namespace queue_server::http {

// `where` is what was asked for: pages link to the next one by it. Throws api_error where HTTP has
// an error for what is a result to others.
[[nodiscard]] reply render(const result& done, const target& where);

[[nodiscard]] reply render_error(const std::exception& problem);

// What GET / says.
[[nodiscard]] reply versions();

}  // namespace queue_server::http

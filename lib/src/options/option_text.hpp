// The value of an option as a report shows it.
#pragma once

#include <boost/any.hpp>
#include <optional>

#include "gmr/model/value.hpp"

namespace gmr::loading {

// Numbers and booleans as such, text, paths, durations and vectors of them with passwords in URLs
// masked; nothing for a type that is not known here.
[[nodiscard]] std::optional<value> option_value(const boost::any& content);

}  // namespace gmr::loading

// Secrets in what the service's own sections show.
#pragma once

#include "gmr/model/value.hpp"

namespace gmr::loading {

// Masks the URLs in all texts of the tree, and in the names of values, as in options: a section
// about connections shows what was asked for, with its query. What is nested deeper than a view
// shows it is left alone.
void mask_urls(value& content);

}  // namespace gmr::loading

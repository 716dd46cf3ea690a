// The style and the script of the HTML view: report.css and report.js, put in when the library is
// built, with the hashes by which a browser knows them.
#pragma once

#include <string_view>

namespace gmr::views {

extern const std::string_view html_style;
extern const std::string_view html_style_hash;  // "sha256-..."
extern const std::string_view html_script;
extern const std::string_view html_script_hash;

}  // namespace gmr::views

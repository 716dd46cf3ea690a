#include "view/view.hpp"

#include "view/json.hpp"
#include "view/text.hpp"

namespace gmr::views {

std::string render(const outlines::outline& shown, report_format format) {
  return format == report_format::json ? to_json(shown) : to_text(shown);
}

}  // namespace gmr::views

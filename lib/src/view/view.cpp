#include "view/view.hpp"

#include "view/json.hpp"
#include "view/text.hpp"

namespace gmr::views {

std::string render(const report& complete, report_format format) {
  return format == report_format::json ? to_json(complete) : to_text(complete);
}

}  // namespace gmr::views

#include "view/view.hpp"

#include "gmr/view/view.hpp"
#include "view/json.hpp"
#include "view/text.hpp"

namespace gmr::views {

std::string render(const outlines::outline& shown, report_format format) {
  return format == report_format::json ? to_json(shown) : to_text(shown);
}

}  // namespace gmr::views

namespace gmr {

std::string to_text(const report& complete) {
  return views::to_text(outlines::arrange(complete));
}

std::string to_json(const report& complete) {
  return views::to_json(outlines::arrange(complete));
}

}  // namespace gmr

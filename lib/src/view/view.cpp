#include "view/view.hpp"

#include "gmr/view/view.hpp"
#include "view/html/html.hpp"
#include "view/json.hpp"
#include "view/oslo.hpp"
#include "view/text.hpp"

namespace gmr::views {

std::string render(const outlines::outline& shown, report_format format) {
  switch (format) {
    case report_format::text:
      return to_text(shown);
    case report_format::json:
      return to_json(shown);
    case report_format::html:
      return to_html(shown);
    case report_format::oslo:
      return to_oslo(shown);
  }
  return to_text(shown);
}

}  // namespace gmr::views

namespace gmr {

std::string to_text(const report& complete) {
  return views::to_text(outlines::arrange(complete));
}

std::string to_json(const report& complete) {
  return views::to_json(outlines::arrange(complete));
}

std::string to_html(const report& complete) {
  return views::to_html(outlines::arrange(complete));
}

std::string to_oslo(const report& complete) {
  return views::to_oslo(outlines::arrange(complete));
}

}  // namespace gmr

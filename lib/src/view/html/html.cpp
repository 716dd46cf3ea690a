#include "view/html/html.hpp"

#include <algorithm>
#include <cstddef>

#include "text/times.hpp"
#include "view/html/assets.hpp"
#include "view/html/html_parts.hpp"
#include "view/page.hpp"
#include "view/text_changes.hpp"
#include "view/text_threads.hpp"

namespace gmr::views {
namespace {

class html_view final {
 public:
  explicit html_view(const outlines::outline& shown)
      : shown_(shown),
        paths_(shown),
        waits_(outlines::table_of_waits(*shown.source)),
        relatives_(outlines::tree_of_relatives(*shown.source)) {}

  [[nodiscard]] std::string draw() {
    constexpr std::size_t usual_group = 2048;
    const std::size_t groups =
        shown_.thread_groups.size() + shown_.source->green_threads.stacks.size();
    out_.expect(usual_group * (groups + 16));
    write_document_head();
    write_header();
    out_ << "<main>\n";
    write_findings();
    for (const outlines::part each : shown_.parts)
      write_part(each);
    out_ << "</main>\n";
    write_footer();
    return out_.take();
  }

 private:
  [[nodiscard]] const report& source() const noexcept { return *shown_.source; }

  // Nothing is loaded, and no script or style runs but these two.
  void write_document_head() {
    out_ << "<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
            "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src '";
    out_.asset(html_style_hash) << "'; script-src '";
    out_.asset(html_script_hash)
        << "'; base-uri 'none'; form-action 'none'\">\n"
           "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
           "<meta name=color-scheme content=\"light dark\">\n"
           "<meta name=referrer content=no-referrer>\n<title>";
    out_.text(source().package.name) << " ";
    out_.text(shown_.findings.empty() ? "" : to_string(shown_.findings.front().source->kind))
        << " ";
    out_.text(texts::utc_time(source().time)) << "</title>\n<style>";
    out_.asset(html_style) << "</style>\n</head>\n<body>\n";
  }

  void write_header() {
    out_ << "<a class=skip href=#findings>Skip to the findings</a>\n<header>\n<h1>";
    out_.text(source().package.name) << " <small>";
    out_.text(source().package.version) << "</small></h1>\n<dl class=head>";
    write_fact("Cause", source().cause);
    write_fact("Time", texts::utc_time(source().time));
    write_fact("Host", source().host);
    write_fact("Report", report_number_text(source()));
    out_ << "</dl>\n";
    write_navigation();
    out_ << "</header>\n"
            "<div class=\"tools script\" role=search hidden>"
            "<label>Search <input type=search id=search aria-controls=found "
            "autocomplete=off spellcheck=false></label>"
            "<button type=button id=next hidden>Next</button>"
            "<output id=found></output>"
            "<button type=button id=unfold aria-pressed=false>Unfold all</button>"
            "<button type=button id=theme>Dark</button></div>\n";
  }

  void write_fact(markup name, std::string_view content) {
    out_ << "<div><dt>" << name << "</dt><dd>";
    out_.text(content) << "</dd></div>";
  }

  void write_navigation() {
    using outlines::part;
    out_ << "<nav aria-label=\"Parts of the report\"><a href=#findings>Findings</a>";
    if (has(part::threads)) out_ << "<a href=#threads>Threads</a>";
    if (has(part::green_threads)) out_ << "<a href=#green_threads>Green threads</a>";
    if (has(part::operations)) {
      if (!source().operations.empty()) out_ << "<a href=#operations>Operations</a>";
      if (!waits_.empty()) out_ << "<a href=#waits>Waits</a>";
      if (!relatives_.empty()) out_ << "<a href=#relatives>Who awaits whom</a>";
      out_ << "<a class=script hidden href=#icicle>All stacks</a>";
    }
    if (has(part::configuration)) out_ << "<a href=#configuration>Configuration</a>";
    if (has(part::sections)) write_links_to_sections();
    out_ << "</nav>\n";
  }

  [[nodiscard]] bool has(outlines::part which) const {
    return std::ranges::find(shown_.parts, which) != shown_.parts.end();
  }

  void write_links_to_sections() {
    for (std::size_t at = 0; at < shown_.sections.size(); ++at) {
      out_ << "<a href=#section";
      out_.number(at) << ">";
      out_.text(shown_.sections[at].title) << "</a>";
    }
  }

  void write_findings() {
    out_ << "<section id=findings aria-labelledby=findings-title><h2 id=findings-title>Findings"
            "</h2>\n";
    if (shown_.findings.empty()) {
      out_ << "<p class=calm>";
      out_.text(shown_.all_seen ? "no findings" : "no findings in what could be seen") << "</p>";
    }
    for (const outlines::finding_outline& each : shown_.findings)
      write_finding(each);
    for (const std::string& note : source().notes) {
      out_ << "<p class=note>Note: ";
      out_.text(note) << "</p>\n";
    }
    if (!shown_.source_root.empty()) {
      out_ << "<p class=note>Source paths are relative to ";
      out_.text(shown_.source_root) << "</p>\n";
    }
    out_ << "</section>\n";
  }

  void write_finding(const outlines::finding_outline& each) {
    out_ << "<article class=finding><h3>";
    out_.text(to_string(each.source->kind)) << "</h3><p>";
    out_.text(each.source->text) << "</p>";
    if (!each.source->threads.empty()) {
      out_ << "<p>";
      for (const pid_t thread : each.source->threads) {
        out_ << "<a href=#t";
        out_.number(thread) << ">thread ";
        out_.number(thread) << "</a> ";
      }
      out_ << "</p>";
    }
    if (!each.source->green_threads.empty()) {
      out_ << "<p>green threads";
      for (const std::uint64_t id : each.source->green_threads) {
        out_ << " ";
        out_.number(id);
      }
      out_ << "</p>";
    }
    for (const auto& [thread, stack] : each.stacks) {
      out_ << "<details open class=evidence><summary>thread ";
      out_.number(thread->id) << " ";
      out_.text(thread->name) << "</summary>";
      write_stack(out_, stack, paths_, 0);  // it is counted where all threads are
      out_ << "</details>";
    }
    if (each.more_stacks != 0) {
      out_ << "<p class=note>and ";
      out_.text(counted(each.more_stacks, "thread")) << " more: see Threads</p>";
    }
    out_ << "</article>\n";
  }

  void begin_section(markup id, markup title) {
    out_ << "<section id=" << id << " aria-labelledby=" << id << "-title><h2 id=" << id << "-title>"
         << title << "</h2>\n";
  }
  void end_section() { out_ << "</section>\n"; }

  void write_facts(markup id, markup title, const value& content) {
    out_ << "<section id=" << id << " aria-labelledby=" << id
         << "-title><details class=facts><summary><h2 id=" << id << "-title>" << title
         << "</h2></summary>\n";
    write_value(out_, content);
    out_ << "</details>";
    end_section();
  }

  void write_part(outlines::part which) {
    using outlines::part;
    switch (which) {
      case part::package:
        return write_facts("package", "Package", shown_.package);
      case part::process:
        return write_facts("process", "Process", shown_.process);
      case part::runtime:
        return write_facts("runtime", "Runtime", shown_.runtime);
      case part::changes:
        return write_changes();
      case part::control_group:
        return write_facts("control_group", "Control Group", shown_.control_group);
      case part::modules:
        return;
      case part::threads:
        begin_section("threads", "Threads");
        write_threads(out_, shown_, paths_);
        return end_section();
      case part::green_threads:
        begin_section("green_threads", "Green Threads");
        write_green_threads(out_, shown_, paths_);
        return end_section();
      case part::operations:
        return write_what_waits();
      case part::configuration:
        begin_section("configuration", "Configuration");
        write_configuration(out_, shown_.configuration);
        return end_section();
      case part::sections:
        return write_own_sections();
      case part::log:
        return write_log();
    }
  }

  void write_changes() {
    if (!source().changes) return;
    begin_section("changes", "Changes");
    out_ << "<p>";
    out_.text(changes_text(*source().changes)) << "</p>";
    end_section();
  }

  void write_log() {
    if (source().log.empty()) return;
    begin_section("log", "Log");
    out_ << "<pre class=log>";
    for (const log_line& each : source().log) {
      out_.text(texts::utc_time(each.time)) << " ";
      out_.text(each.text) << "\n";
    }
    out_ << "</pre>";
    end_section();
  }

  void write_what_waits() {
    if (!source().operations.empty()) {
      begin_section("operations", "Operations");
      write_operations(out_, source().operations);
      end_section();
    }
    if (!waits_.empty()) {
      begin_section("waits", "Waits");
      write_waits(out_, waits_);
      end_section();
    }
    if (!relatives_.empty()) {
      begin_section("relatives", "Who awaits whom");
      write_relatives(out_, shown_, relatives_);
      end_section();
    }
    // Drawn by the script, of the stacks above.
    out_ << "<section id=icicle class=script hidden aria-labelledby=icicle-title>"
            "<h2 id=icicle-title>All stacks</h2>\n"
            "<p>Outermost frames are at the top, and as wide as many threads and green threads "
            "are in them. Select one to zoom; arrow keys move, Escape goes back.</p>"
            "<p><button type=button id=out disabled>Zoom out</button> <output id=zoomed></output>"
            "</p><div id=cells role=group aria-label=\"All stacks, outermost frame first\"></div>"
            "</section>\n";
  }

  void write_own_sections() {
    for (std::size_t at = 0; at < shown_.sections.size(); ++at) {
      const outlines::section_outline& section = shown_.sections[at];
      out_ << "<section id=section";
      out_.number(at) << " aria-labelledby=section";
      out_.number(at) << "-title><h2 id=section";
      out_.number(at) << "-title>";
      out_.text(section.title) << "</h2>\n";
      if (section.source->error.empty()) {
        write_value(out_, section.source->content);
      } else {
        out_ << "<p class=note>This section could not be made: ";
        out_.text(section.source->error) << "</p>";
      }
      end_section();
    }
  }

  void write_footer() {
    out_ << "<footer>";
    out_.text(cost_text(source().cost)) << "</footer>\n<script>";
    out_.asset(html_script) << "</script>\n</body>\n</html>\n";
  }

  const outlines::outline& shown_;
  path_shortener paths_;
  std::vector<outlines::wait_row> waits_;
  std::vector<outlines::relative> relatives_;
  html_output out_;
};

}  // namespace

std::string to_html(const outlines::outline& shown) {
  return html_view{shown}.draw();
}

}  // namespace gmr::views

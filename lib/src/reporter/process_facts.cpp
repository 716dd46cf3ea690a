#include "reporter/process_facts.hpp"

#include <utility>
#include <vector>

#include "facts/descriptor_kinds.hpp"
#include "facts/facts.hpp"
#include "reporter/stage.hpp"

namespace gmr {

void process_facts::add_to(report& out, const report_shape& shape, analyse::socket_list& sockets) {
  using outlines::part;
  std::vector<finding> findings;
  if (shape.has(part::process) || shape.has(part::changes))
    run_stage(out, "section Process", out.cost.sections_seconds, [&] {
      out.process = facts::process_section(sockets, configuration_.secrets());
      if (shape.has(part::changes)) out.changes = changes_.read(out);
      if (auto found = facts::find_descriptors_near_limit(out.process))
        findings.push_back(std::move(*found));
    });
  if (shape.has(part::control_group))
    run_stage(out, "section Control Group", out.cost.sections_seconds, [&] {
      facts::control_group_facts found = control_group_.read(out.number);
      out.control_group = std::move(found.section);
      append(findings, std::move(found.findings));
    });
  begin_with(out, std::move(findings));
}

}  // namespace gmr

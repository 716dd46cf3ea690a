// The process and where it runs: sections of every report, and what is concluded from them.
#pragma once

#include "analyse/socket_list.hpp"
#include "facts/changes.hpp"
#include "facts/control_group.hpp"
#include "gmr/model/report.hpp"
#include "outline/shape.hpp"
#include "reporter/known_configuration.hpp"

namespace gmr {

class process_facts final {
 public:
  // `configuration` knows which options are secret, and outlives this.
  explicit process_facts(const known_configuration& configuration) noexcept
      : configuration_(configuration) {}

  // Adds the sections Process and Control Group, and what has changed since the report before, as
  // far as they are asked for. Findings come before those that are there. For the changes `out` has
  // its threads and green threads.
  void add_to(report& out, const report_shape& shape, analyse::socket_list& sockets);

 private:
  const known_configuration& configuration_;
  facts::control_group_reader control_group_;
  facts::change_reader changes_;
};

}  // namespace gmr

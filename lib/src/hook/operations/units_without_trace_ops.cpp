// For units compiled without gmr::trace_ops; part of the library itself. See asio_units.hpp.
#include "gmr/detail/hook/asio_units.hpp"

extern "C" {
// Defined twice: some units of the program were compiled with gmr::trace_ops and some without.
extern const char gmr_link_trace_ops_to_all_targets_or_to_none;
const char gmr_link_trace_ops_to_all_targets_or_to_none = 0;
}

namespace gmr::trace {

const char unit_without_trace_ops = 0;

}  // namespace gmr::trace

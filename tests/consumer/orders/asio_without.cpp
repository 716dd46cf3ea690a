// Asio's own code, compiled apart and without gmr::trace_ops.
#include <boost/asio/impl/src.hpp>

// The settings of Asio that the library is built with. See asio_units.hpp.
#include "gmr/detail/hook/asio_settings.hpp"

extern "C" {
const char GMR_ASIO_THREADS = 0;
const char GMR_ASIO_WAITS = 0;
}

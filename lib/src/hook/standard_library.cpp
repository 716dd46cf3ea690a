// The standard library that gmr is built with. See gmr/detail/standard_library.hpp.
#include "gmr/detail/standard_library.hpp"

extern "C" {
const char GMR_STANDARD_LIBRARY = 0;
const char GMR_CONTAINERS = 0;
}

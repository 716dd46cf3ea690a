// Moved to gmr/options/options.hpp; this header is there for programs that name the old place.
#pragma once

#include "gmr/options/options.hpp"

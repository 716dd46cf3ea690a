// Moved to gmr/options/configuration.hpp; this header is there for programs that name the old
// place.
#pragma once

#include "gmr/options/configuration.hpp"

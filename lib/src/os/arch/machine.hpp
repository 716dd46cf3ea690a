// What differs by processor. Each has its own folder with the same names in it; nothing else of the
// library but the assembly of switches asks which one it is.
#pragma once

#if defined(__x86_64__)
#include "os/arch/x86_64/machine.hpp"
#elif defined(__aarch64__)
#include "os/arch/aarch64/machine.hpp"
#else
#error "gmr knows x86-64 and arm64"
#endif

/* Offsets that the assembly hook uses; fiber_record.hpp and thread_registry.hpp check them. */
#pragma once

#define GMR_SLOT_CURRENT 0
#define GMR_SLOT_OWN 64

#define GMR_RECORD_STATE 4
#define GMR_RECORD_SUSPENDED_AT 8
#define GMR_RECORD_FIRST_DATA 48
#define GMR_RECORD_REGISTERS 64

#define GMR_CLOCK 6 /* CLOCK_MONOTONIC_COARSE */

#define GMR_STATE_SUSPENDABLE 1
#define GMR_STATE_ENDING 2
